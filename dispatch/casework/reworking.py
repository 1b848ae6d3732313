"""Doing it again (重办、整改): a new round with its own limit, whatever asked for it; earlier rounds stay visible.

| action    | asked for by                       | whose                     | clocks                                                     |
|-----------|------------------------------------|---------------------------|------------------------------------------------------------|
| `rework`  | the reviewer: not done well        | the same task, its person | `rectify`; the case clock from intake runs on beside it      |
| `rectify` | a bad review (差评) of a citizen     | a new task of that unit   | `rectify`, and those of the task; the case clock has stopped |

`rectify` is never longer than fifteen working days, whatever a city's policies or a person say. A second bad review is
supervised at once: the unit's head, the supervisors and the commander are told.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dispatch.casework import clocks, inspections
from dispatch.casework.actions import Action, Turn
from dispatch.city.model import City
from dispatch.city.units import UnitTree
from dispatch.domain.cases import Change, Deadline
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.intake import open as opening
from dispatch.intake.open import view
from dispatch.store.pool import Ids
from sla.limits import Limit, parse_limit

LONGEST: Final = parse_limit("15wd")
BECAUSE: Final = "put right within fifteen working days"


@dataclass(frozen=True, slots=True)
class Means:
    """What a new round needs: who begins it, when, by which limits, and ids for its tasks."""

    by: str
    at: datetime
    opened_under: City
    units: UnitTree
    ids: Ids
    reachable: bool
    limit: Limit | None = None


def rework(turn: Turn) -> None:
    """重办: back to the person who had it, with the reason; nothing of it is lost, and the clock from intake runs on."""
    change, case, lead = turn.change, turn.change.case, turn.change.lead
    case.state = case_step(case.state, "rework").target
    turn.needs("note")
    assert lead is not None
    lead.state, lead.replied_at = assignment_step(lead.state, "rework").target, None
    lead.version += 1
    case.version += 1
    case.round += 1
    case.owner_unit = lead.unit
    turn.say("reason")
    limit = clocks.named_limit(turn.body.limit)
    own = clocks.start(turn.opened_under, case, clocks.RECTIFY, unit=lead.unit, at=turn.at, limit=limit)
    change.deadlines.append(own)
    _bounded(change, turn.opened_under, own)
    for clock in change.live(clocks.CASE_CLOCK):
        clock.unit = lead.unit
    inspections.call_off(change, turn.at)
    change.event("reworked", turn.at, turn.by.name, round=case.round, unit=lead.unit, deadlines=[view(own)])
    change.post(lead.unit, ("handler", "unit_head"), "rework", round=case.round)


def again(change: Change, step: str, means: Means, *, dissatisfied: int) -> None:
    """整改: the unit that handled it puts it right; `dissatisfied` is how often a citizen was, with this time."""
    case, city = change.case, means.opened_under
    case_step(case.state, step)
    for clock in change.live("followup", "report_back"):
        clock.stop(means.at, cancelled=clock.clock == "report_back")
    opening.reopen(
        change, means.by, opening.Moment(means.at, means.at, False), city, means.ids, units=means.units,
        reachable=means.reachable, clock=clocks.RECTIFY, limit=means.limit,
    )  # fmt: skip
    (own,) = change.live(clocks.RECTIFY)
    _bounded(change, city, own)
    for clock in change.live("reply"):
        _replies_by(change, clock, own, means)
    unit = change.lead.unit if change.lead else city.desk.dispatch
    change.event("rectification_set", means.at, means.by, round=case.round, unit=unit, due_at=own.due_at)
    change.post(unit, ("handler", "unit_head", "dispatcher"), "rectify", round=case.round)
    if dissatisfied > 1:
        _supervise(change, unit, means, dissatisfied)


def _replies_by(change: Change, clock: Deadline, own: Deadline, means: Means) -> None:
    """The unit's answer has the limit of what it puts right, not that of the first time."""
    before = clock.due_at
    clock.limit_text, clock.mode, clock.rule = own.limit_text, own.mode, clocks.NAMED
    clocks.recount(means.opened_under, change.case, clock)
    clocks.within(means.opened_under, change.case, clock, own.due_at, means.at, BECAUSE)
    if clock.due_at != before:
        clocks.recomputed(change, clock, before, means.by, means.at)


def _supervise(change: Change, unit: str, means: Means, dissatisfied: int) -> None:
    change.case.supervised_at = means.at
    change.event("dissatisfied_again", means.at, means.by, unit=unit, round=change.case.round, times=dissatisfied)
    change.post(unit, ("unit_head",), "dissatisfied_again", times=dissatisfied)
    change.post("*", ("supervisor", "commander"), "dissatisfied_again", times=dissatisfied, by_unit=unit)


def _bounded(change: Change, city: City, clock: Deadline) -> None:
    calendar = clocks.calendar_of(city, clock.clock, clock.unit)
    longest = calendar.due(clock.started_at, LONGEST, "day_end").at.astimezone(UTC)
    clocks.within(city, change.case, clock, longest, clock.started_at, BECAUSE)


ACTIONS = {"rework": Action("case.approve", False, rework)}
