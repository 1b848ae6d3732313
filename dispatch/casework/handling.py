"""The unit at work (承办): signing, contacting the citizen, returning with a reason, replying."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Assignment
from dispatch.domain.errors import BadInput
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.intake.open import view

# After so many logged attempts the citizen counts as not reachable.
ATTEMPTS = 3


def sign(turn: Turn) -> None:
    """The unit takes the task (签收); its sign clock stops."""
    task = _task(turn, "sign")
    task.signed_at, task.handler = turn.at, turn.by.name
    _stop(turn, task, "sign")
    _lead_moves(turn, task, "sign")
    turn.change.event("signed", turn.at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role)


def contact(turn: Turn) -> None:
    """A logged attempt to reach the citizen; the clock stops when they were reached, or after three attempts."""
    task = _at_work(turn, "contact")
    assignment_step(task.state, "contact")
    if turn.body.reached is None:
        raise BadInput(field="reached", problem="is required for this action")
    task.contact_attempts += 1
    if turn.body.reached or task.contact_attempts >= ATTEMPTS:
        _stop(turn, task, "contact")
    turn.say("note")
    turn.change.event(
        "contacted",
        turn.at,
        turn.by.name,
        assignment=task.id,
        reached=turn.body.reached,
        attempts=task.contact_attempts,
    )


def return_(turn: Turn) -> None:
    """退单: the unit says with a reason why it is not the one; a lead's case goes back to the dispatch desk, its clock runs on."""
    task = _task(turn, "return")
    reason = turn.needs("reason_code")
    if reason not in turn.city.return_reasons:
        raise BadInput(field="reason_code", problem=f"not one of {', '.join(sorted(turn.city.return_reasons))}")
    if turn.city.return_reasons[reason].proposes_unit and not turn.body.unit:
        raise BadInput(field="unit", problem="this reason needs the unit that is responsible instead")
    if turn.body.unit is not None and (turn.body.unit not in turn.city.units or turn.body.unit == task.unit):
        raise BadInput(field="unit", problem=f"{turn.body.unit} is not another unit of this city")
    at = turn.at
    task.ended_at, task.return_reason = at, reason
    for clock in turn.change.live():
        if clock.assignment_id == task.id:
            clock.stop(at, cancelled=clock.clock != "sign")
    turn.say("reason")
    turn.change.event(
        "returned",
        at,
        turn.by.name,
        assignment=task.id,
        unit=task.unit,
        role=task.role,
        reason=reason,
        proposed=turn.body.unit,
    )
    turn.change.post(turn.city.desk.dispatch, ("dispatcher",), "returned", by_unit=task.unit, role=task.role)
    if task.role == "lead":
        _back_to_desk(turn)


def _back_to_desk(turn: Turn) -> None:
    change, case, city = turn.change, turn.change.case, turn.city
    case.state = case_step(case.state, "return").target
    case.version += 1
    case.lead_assignment_id = None
    for other in change.assignments:
        if other.ended_at is None:
            other.state, other.ended_at = assignment_step(other.state, "withdraw").target, turn.at
            other.version += 1
            for clock in change.live():
                if clock.assignment_id == other.id:
                    clock.stop(turn.at, cancelled=True)
    _at_desk(turn)
    # Each dispatch has its own clock: its round counts the leads so far.
    leads = sum(1 for a in change.assignments if a.role == "lead")
    again = clocks.start(turn.opened_under, case, "dispatch", unit=city.desk.dispatch, at=turn.at, round=1 + leads)
    change.deadlines.append(again)
    change.event("back_at_desk", turn.at, turn.by.name, owner=case.owner_unit, deadlines=[view(again)])


def _at_desk(turn: Turn) -> None:
    """The next move is the desk's: it owns the case, and the case clock that runs on is charged to it."""
    desk = turn.city.desk.dispatch
    turn.change.case.owner_unit = desk
    for clock in turn.change.live("close"):
        clock.unit = desk


def reply(turn: Turn) -> None:
    """The unit's confirmed answer (答复); a lead's goes to the desk for review."""
    task = _task(turn, "reply")
    turn.needs("note")
    task.replied_at = turn.at
    _stop(turn, task, "sign", "reply")
    for clock in turn.change.live("contact"):
        if clock.assignment_id == task.id:
            clock.stop(turn.at, cancelled=True)
    turn.say("reply")
    _lead_moves(turn, task, "reply")
    turn.change.event("replied", turn.at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role)
    if task.role == "lead":
        _at_desk(turn)
        turn.change.post(turn.city.desk.dispatch, ("reviewer",), "replied", by_unit=task.unit)


def _task(turn: Turn, action: str) -> Assignment:
    task = _at_work(turn, action)
    task.state = assignment_step(task.state, action).target
    task.version += 1
    return task


def _at_work(turn: Turn, action: str) -> Assignment:
    """The task; while a case is suspended nobody handles any of it."""
    if turn.change.case.state == "suspended":
        case_step(turn.change.case.state, action)
    assert turn.task is not None
    return turn.task


def _lead_moves(turn: Turn, task: Assignment, action: str) -> None:
    if task.role == "lead":
        turn.change.case.state = case_step(turn.change.case.state, action).target
        turn.change.case.version += 1


def _stop(turn: Turn, task: Assignment, *names: str) -> None:
    for clock in turn.change.live(*names):
        if clock.assignment_id == task.id:
            clock.stop(turn.at)


ACTIONS = {
    "sign": Action("case.sign", True, sign),
    "contact": Action("case.reply", True, contact),
    "return": Action("case.return", True, return_),
    "reply": Action("case.reply", True, reply),
}
