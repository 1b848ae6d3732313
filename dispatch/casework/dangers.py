"""The fixed procedure of a danger (险情): the shift leader is alerted, and a clock runs that only a logged call stops.

Whatever finds a danger (a report, an addition, an emergency dispatch) comes here. While the clock runs nobody ends the case
with words: `guard` refuses it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dispatch.casework import clocks
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.domain.errors import RuleBroken

CLOCK: Final = "danger"


def unsafe(codes: Iterable[str], city: City) -> bool:
    """Whether any of the dangers threatens life."""
    return any(city.dangers.by_code[code].safety for code in codes)


def alert(change: Change, found: Iterable[str], by: str, at: datetime, city: City) -> None:
    """Starts the procedure for dangers that the case has not shown before."""
    case = change.case
    fresh = [code for code in found if code not in case.danger]
    if not fresh:
        return
    case.danger = [*case.danger, *fresh]
    case.safety = case.safety or unsafe(fresh, city)
    change.event("danger_found", at, by, danger=fresh)
    # Each danger is found once, so their number is a round that no other clock of the case has.
    demand_call(change, at, city, round=len(case.danger))


def demand_call(change: Change, at: datetime, city: City, *, round: int) -> None:
    """The shift leader and the command centre are told about the event just added; the clock starts unless it runs."""
    desk = city.desk.dispatch
    change.post(desk, ("dispatcher",), "danger", danger=change.case.danger)
    change.post("*", ("commander",), "danger", danger=change.case.danger)
    if change.case.is_open and not change.live(CLOCK):
        change.deadlines.append(clocks.start(city, change.case, CLOCK, unit=desk, at=at, round=round))


def guard(change: Change) -> None:
    """Raises RuleBroken while the danger of a case waits for its call."""
    if change.live(CLOCK):
        raise RuleBroken(problem="a danger was named: first a call that reached somebody is logged", field="call")
