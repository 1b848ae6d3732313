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
from dispatch.domain.cases import Assignment, Change
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
    """Withdraws live tasks and cancels their clocks; one that was missed stays missed."""
    for task in change.assignments:
        if task.ended_at is None and (task.role not in keeps or task.unit == joins):
            end_task(change, task, at)


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
    change.deadlines += [
        clocks.start(
            turn.opened_under,
            change.case,
            name,
            unit=unit,
            at=at,
            task=task,
            limit=part.limit if name == part.clock else None,
        )
        for name in names
    ]
    return task


def at_desk(change: Change, city: City) -> None:
    """The next move is the dispatch desk's: it owns the case, and the case clock that runs on is charged to it."""
    owned_by(change, city.desk.dispatch)


def owned_by(change: Change, unit: str) -> None:
    """The next move is this unit's: it owns the case, and the case clock that runs on is charged to it."""
    change.case.owner_unit = unit
    for clock in change.live("close"):
        clock.unit = unit
