"""Who leads: what every change of the lead has in common, whoever decides it.

A case has one lead or none. When it gets another one, the task of the former one ends with all that hangs on it, the new
one's clocks start, and the case clock runs on, charged to the new lead (S06, S08).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch.casework import clocks
from dispatch.casework.actions import Turn
from dispatch.city.model import City
from dispatch.domain.cases import Assignment, Change, Deadline
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import assignment_step
from dispatch.intake import open as opening
from dispatch.intake.route import Route, excluded_units
from sla.limits import Limit


def give(
    turn: Turn, route: Route, *, keeps: Collection[str] = (), interim: bool = False, locked: bool = False
) -> Assignment:
    """Makes `route.lead` the lead, in place of whoever leads now; tasks of the roles in `keeps` go on under it.

    `interim`: it leads until it is ruled whose the case is, and a ruling that runs goes on. `locked`: it cannot return it.
    """
    change, at = turn.change, turn.at
    release(change, at, keeps=keeps, joins=route.lead)
    opening.dispatch(
        change, route, turn.by.name, opening.Moment(at, at, False), turn.opened_under, turn.ids, reachable=turn.reachable,
        interim=interim,
    )  # fmt: skip
    change.case.version += 1
    lead = change.lead
    assert lead is not None
    lead.interim, lead.return_locked = interim, locked or interim
    return lead


def release(change: Change, at: datetime, *, keeps: Collection[str] = (), joins: str | None = None) -> None:
    """Ends the tasks of a case, but for those of the roles in `keeps` whose unit is not `joins`; it has no lead then."""
    end_tasks(change, at, keeps=keeps, joins=joins)
    change.case.lead_assignment_id = None


def end_tasks(change: Change, at: datetime, *, keeps: Collection[str] = (), joins: str | None = None) -> None:
    """Withdraws live tasks and cancels their clocks; one that was missed stays missed. Parts of a task that goes on go on with it."""
    kept: set[int] = set()
    for task in change.assignments:  # by id: a part comes after its task
        if task.ended_at is not None:
            continue
        if task.unit != joins and (task.role in keeps or task.parent_id in kept):
            kept.add(task.id)
        else:
            end_task(change, task, at)


def end_parts(change: Change, task: Assignment, at: datetime) -> None:
    """Ends the parts of a task and theirs: answered ones are done, others withdrawn."""
    for part in live_parts(change, task):
        end_parts(change, part, at)
        end_task(change, part, at)


def live_parts(change: Change, task: Assignment) -> list[Assignment]:
    """Parts of a task that have not ended."""
    return [part for part in change.assignments if part.parent_id == task.id and part.ended_at is None]


def end_task(change: Change, task: Assignment, at: datetime, *, step: str = "withdraw") -> None:
    """Ends one task by a step of the table of assignments, with its clocks; an opinion or a part that was given is done."""
    if step == "withdraw" and task.role in ("consult", "child") and task.state == "replied":
        step = "approve"
    task.state, task.ended_at = assignment_step(task.state, step).target, at
    task.version += 1
    for clock in change.of_task(task):
        clock.stop(at, cancelled=True)


def check_unit(turn: Turn, unit: str, field: str) -> None:
    """Raises BadInput for no unit of the city, RuleBroken for one that is complained about or that returned the case."""
    change, city = turn.change, turn.city
    if unit not in city.units:
        raise BadInput(field=field, problem=f"{unit} is not a unit of this city")
    if unit in excluded_units(change.case.about_unit, city):
        raise RuleBroken(problem=f"{unit} is complained about and cannot handle its own case", field=field)
    if any(task.unit == unit and task.state == "returned" for task in change.assignments):
        raise RuleBroken(problem=f"{unit} returned this case; it needs another unit or a ruling", field=field)


@dataclass(frozen=True, slots=True)
class Part:
    """What a unit is asked beside the lead: its role, the clock of its answer, and by whose word."""

    role: str
    clock: str = "reply"
    limit: Limit | None = None
    parent: Assignment | None = None
    called_by: str | None = None
    locked: bool = False
    # Asked for its opinion only, it has nothing to sign.
    signed: bool = False


def add_task(turn: Turn, unit: str, field: str, part: Part) -> Assignment:
    """A task of `unit` beside the lead's, with its clocks. Raises BadInput, RuleBroken for a unit that cannot have it."""
    change, at = turn.change, turn.at
    check_unit(turn, unit, field)
    if any(task.unit == unit and task.ended_at is None for task in change.assignments):
        raise RuleBroken(problem=f"{unit} has a task of this case already", field=field)
    explained = msgspec.json.encode(
        {"rule": part.role, "tried": [f"named by {turn.by.name}"], "city_version": turn.city.version}
    ).decode()
    task = Assignment(
        turn.ids.take("assignment"), change.case.id, part.role, unit, "handling" if part.signed else "to_sign",
        change.case.round, at, turn.by.name, explained, parent_id=part.parent.id if part.parent else None,
        return_locked=part.locked, called_by=part.called_by, signed_at=at if part.signed else None,
    )  # fmt: skip
    change.assignments.append(task)
    names = (part.clock,) if part.signed else ("sign", part.clock)
    for name in names:
        own = part.limit if name == part.clock else None
        started = clocks.start(turn.opened_under, change.case, name, unit=unit, at=at, task=task, limit=own)
        hold_to(turn, started, part.parent)
        change.deadlines.append(started)
    return task


def hold_to(turn: Turn, clock: Deadline, parent: Assignment | None) -> None:
    """A part ends before the task that it is part of, while that is not late itself. Raises RuleBroken for a named limit that does not."""
    latest = max((d.due_at for d in turn.change.of_task(parent, "reply", "whistle")), default=None) if parent else None
    if parent is None or latest is None or not turn.at < latest < clock.due_at:
        return
    if clock.rule == clocks.NAMED:
        raise RuleBroken(
            problem=f"a part ends before the task that it is part of, at {latest.isoformat()}", field="limit"
        )
    clocks.within(turn.opened_under, turn.change.case, clock, latest, turn.at, f"task {parent.id}")


def at_desk(change: Change, city: City) -> None:
    """The next move is the dispatch desk's: it owns the case, and the case clock that runs on is charged to it."""
    owned_by(change, city.desk.dispatch)


def owned_by(change: Change, unit: str) -> None:
    """The next move is this unit's: it owns the case, and the case clock that runs on is charged to it."""
    change.case.owner_unit = unit
    for clock in change.live(*clocks.CASE_CLOCKS):
        clock.unit = unit
