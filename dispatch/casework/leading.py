"""Who leads: what every change of the lead has in common, whoever decides it.

A case has one lead or none. When it gets another one, the task of the former one ends with all that hangs on it, the new
one's clocks start, and the case clock runs on, charged to the new lead (S06, S08).
"""

from collections.abc import Collection
from datetime import datetime

from dispatch.casework.actions import Turn
from dispatch.city.model import City
from dispatch.domain.cases import Assignment, Change
from dispatch.domain.workflow import assignment_step
from dispatch.intake import open as opening
from dispatch.intake.route import Route


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
    """Ends one task by a step of the table of assignments, with its clocks."""
    task.state, task.ended_at = assignment_step(task.state, step).target, at
    task.version += 1
    for clock in change.of_task(task):
        clock.stop(at, cancelled=True)


def at_desk(change: Change, city: City) -> None:
    """The next move is the dispatch desk's: it owns the case, and the case clock that runs on is charged to it."""
    owned_by(change, city.desk.dispatch)


def owned_by(change: Change, unit: str) -> None:
    """The next move is this unit's: it owns the case, and the case clock that runs on is charged to it."""
    change.case.owner_unit = unit
    for clock in change.live("close"):
        clock.unit = unit
