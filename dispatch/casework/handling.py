"""The unit at work (承办): signing, contacting the citizen."""

from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Assignment
from dispatch.domain.errors import BadInput
from dispatch.domain.workflow import assignment_step, case_step

# After so many logged attempts the citizen counts as not reachable.
ATTEMPTS = 3


def sign(turn: Turn) -> None:
    """The unit takes the task (签收); its sign clock stops."""
    task = moved(turn, "sign")
    task.signed_at, task.handler = turn.at, turn.by.name
    stop(turn, task, "sign")
    lead_moves(turn, task, "sign")
    turn.change.event("signed", turn.at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role)


def contact(turn: Turn) -> None:
    """A logged attempt to reach the citizen; the clock stops when they were reached, or after three attempts."""
    task = at_work(turn, "contact")
    assignment_step(task.state, "contact")
    if turn.body.reached is None:
        raise BadInput(field="reached", problem="is required for this action")
    task.contact_attempts += 1
    if turn.body.reached or task.contact_attempts >= ATTEMPTS:
        stop(turn, task, "contact")
    turn.say("note")
    turn.change.event(
        "contacted",
        turn.at,
        turn.by.name,
        assignment=task.id,
        reached=turn.body.reached,
        attempts=task.contact_attempts,
        **({"how": turn.body.how} if turn.body.how else {}),
    )


def moved(turn: Turn, action: str) -> Assignment:
    """The task of this turn, taken a step further."""
    task = at_work(turn, action)
    task.state = assignment_step(task.state, action).target
    task.version += 1
    return task


def at_work(turn: Turn, action: str) -> Assignment:
    """The task; while a case is suspended nobody handles any of it."""
    if turn.change.case.state == "suspended":
        case_step(turn.change.case.state, action)
    assert turn.task is not None
    if turn.task.role == "consult":
        # Its opinion is asked for: there is nothing else to do with it than to give it.
        case_step(turn.change.case.state, action)
    return turn.task


def lead_moves(turn: Turn, task: Assignment, action: str) -> None:
    """The case goes where its lead goes."""
    if task.role == "lead":
        turn.change.case.state = case_step(turn.change.case.state, action).target
        turn.change.case.version += 1


def stop(turn: Turn, task: Assignment, *names: str) -> None:
    """Clocks of the task by these names have reached their purpose."""
    for clock in turn.change.live(*names):
        if clock.assignment_id == task.id:
            clock.stop(turn.at)


ACTIONS = {
    "sign": Action("case.sign", True, sign, looks=False),
    "contact": Action("case.reply", True, contact, looks=False),
}
