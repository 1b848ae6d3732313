"""What moves a level of a frozen ladder ahead of its own instant, and back (升级): arithmetic on `deadlines.plan`.

| the level that fired                       | the next level comes                                                  |
|--------------------------------------------|-----------------------------------------------------------------------|
| has `ack`, and nobody acknowledges it      | `ack` after it fired, if that is before its own instant               |
| … is acknowledged before the next is taken | at its own instant again                                              |
| names only vacant posts, at or after due   | at once, in the same turn                                             |

In the plan a level that was moved ahead has `own` (its instant by the ladder), `climbed` (why) and `at` (when it acts).
The level that waits to be acknowledged has `climbs_at`; so a ladder that is read anew keeps what was set going.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec

from dispatch.domain.cases import Deadline
from sla.calendar import WorkCalendar
from sla.ladder import BY_DEFAULT, Planned
from sla.limits import Mode, parse_limit

UNACKNOWLEDGED: Final = "unacknowledged"
VACANT: Final = "vacant"

Plan = list[dict[str, Any]]


def frozen(planned: Planned) -> dict[str, Any]:
    """A step as it is kept with its clock."""
    step = planned.step
    kept = {"level": step.level, "at": planned.at.astimezone(UTC).isoformat(), "colour": step.colour, "who": step.who}
    kept |= {"by": step.by} | ({"ack": str(step.ack)} if step.ack else {})
    return kept | ({"order": True} if step.order else {})


def media(step: dict[str, Any]) -> Sequence[str]:
    """By which media a frozen step is told; plans from before this was written down say nothing of it."""
    found: Sequence[str] = step.get("by", BY_DEFAULT)
    return found


def reasons(step: dict[str, Any]) -> dict[str, Any]:
    """Why a step was taken before its own instant, as its event says it; nothing where it was not."""
    return {"climbed": step["climbed"], "own": step["own"]} if "climbed" in step else {}


def await_acknowledgement(deadline: Deadline, calendar: WorkCalendar, step: dict[str, Any], fired_at: datetime) -> None:
    """The level just taken waits for a person; if none comes, the next one comes by itself."""
    if "ack" in step and deadline.step < len(plan := deadline.ladder):
        climbs_at = calendar.due(fired_at, parse_limit(step["ack"]), cast(Mode, deadline.mode)).at
        plan[deadline.step - 1]["climbs_at"] = climbs_at.astimezone(UTC).isoformat()
        _write(deadline, pulled(deadline, plan))


def acknowledged(deadline: Deadline, level: int) -> bool:
    """A person has seen `level`: what it would have set going does not come early. True if that moved anything.

    Nothing is moved once the next level was taken, and nothing of a clock that stopped.
    """
    plan, taken = deadline.ladder, deadline.step - 1
    if deadline.stopped_at is not None or taken < 0 or plan[taken]["level"] != level or "climbs_at" not in plan[taken]:
        return False
    del plan[taken]["climbs_at"]
    if deadline.step < len(plan):
        following = plan[deadline.step]
        following["at"] = following.pop("own", following["at"])
        following.pop("climbed", None)
    _write(deadline, plan)
    return True


def climb_at_once(deadline: Deadline, now: datetime) -> None:
    """Nobody is there to be told: the next level, if there is one, comes now."""
    plan = deadline.ladder
    if deadline.step < len(plan):
        _ahead(plan[deadline.step], now.astimezone(UTC), VACANT)
        _write(deadline, plan)


def pulled(deadline: Deadline, plan: Plan) -> Plan:
    """The plan with its next level moved ahead, if the level taken last waits to be acknowledged.

    Not while the limit still runs: until then it is the unit's time.
    """
    step = deadline.step
    if deadline.status != "running" and 0 < step < len(plan) and "climbs_at" in plan[step - 1]:
        climbs_at = datetime.fromisoformat(plan[step - 1]["climbs_at"])
        # While a case is suspended (挂账) nobody is late in acknowledging either.
        for opens, closes in msgspec.json.decode(deadline.adjustments).get("pauses", ()):
            if datetime.fromisoformat(opens) <= climbs_at < (end := datetime.fromisoformat(closes)):
                climbs_at = end
        _ahead(plan[step], climbs_at, UNACKNOWLEDGED)
    return plan


def _ahead(step: dict[str, Any], at: datetime, why: str) -> None:
    if at < datetime.fromisoformat(step["at"]):
        step.update(at=at.isoformat(), own=step.get("own", step["at"]), climbed=why)


def _write(deadline: Deadline, plan: Plan) -> None:
    deadline.plan = msgspec.json.encode(plan).decode()
