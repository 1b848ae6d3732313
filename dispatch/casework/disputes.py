"""When it is in dispute whose a case is: the clock of the ruling (裁定), and when one that nobody leads needs it.

| what happened                                              | the clock `ruling` starts                     |
|------------------------------------------------------------|-----------------------------------------------|
| a lead returned the case                                   | with the return                               |
| the desk, or a lead near a border, disputes it             | with the dispute                              |
| it was not dispatched in time, and is not waiting for facts| when `dispatch` is missed                     |
| it waits for facts that did not come in time               | when `need_info` is missed                    |

It stops only when a unit leads that somebody named for good. When it is missed and nobody leads, `appointing` names one.
"""

from datetime import datetime

from dispatch.casework import clocks
from dispatch.city.model import City
from dispatch.domain.cases import Change, Deadline
from dispatch.intake.open import view


def unled_too_long(change: Change) -> bool:
    """Whether nobody leads the case, what should have given it a lead is missed, and no ruling is asked for yet.

    What was missed before the case was recorded (backfill) asks for nothing.
    """
    case = change.case
    if not case.is_open or case.lead_assignment_id is not None or change.live("ruling"):
        return False
    facts = change.live("need_info") if case.state == "need_info" else []
    return any(d.status == "missed" and not d.historic for d in facts or change.live("dispatch"))


def start_ruling(change: Change, city: City, *, unit: str, at: datetime, round: int) -> Deadline:
    """Starts the clock of a ruling, charged to the desk `unit`; `city` is the one whose limits apply."""
    clock = clocks.start(city, change.case, "ruling", unit=unit, at=at, round=round)
    change.deadlines.append(clock)
    return clock


def ask(change: Change, city: City, by: str, *, at: datetime, round: int) -> None:
    """Asks for a ruling of itself: nobody leads the case, and nobody has disputed it."""
    clock = start_ruling(change, city, unit=city.desk.dispatch, at=at, round=round)
    change.event("ruling_asked", at, by, round=round, deadlines=[view(clock)])
    tell(change)


def tell(change: Change) -> None:
    """Tells those who rule, by the event just added, that a ruling is asked for."""
    change.post("*", ("supervisor",), "ruling_asked")
