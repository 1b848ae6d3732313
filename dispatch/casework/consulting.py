"""Consultation before dispatch (派单前会商): units are asked whose it is and how; what each said is on record, and the desk decides."""

from dispatch.casework.actions import Action, Turn
from dispatch.casework.assisting import parts
from dispatch.casework.leading import Part
from dispatch.domain.errors import NotFound
from dispatch.domain.workflow import assignment_step, case_step


def consult(turn: Turn) -> None:
    """Asks the units for their opinion, each with its limit; nobody leads meanwhile."""
    case = turn.change.case
    target = case_step(case.state, "consult").target
    parts(turn, Part("consult", clock="consult", signed=True), "consulted")
    case.state = target
    case.version += 1


def advise(turn: Turn) -> None:
    """A unit's opinion; once all have spoken the dispatchers are told."""
    change, task = turn.change, turn.task
    case_step(change.case.state, "advise")
    assert task is not None
    if task.role != "consult":
        raise NotFound(noun="consultation", key="of your unit")
    task.state = assignment_step(task.state, "advise").target
    task.version += 1
    task.replied_at = turn.at
    turn.needs("note")
    turn.say("opinion")
    for clock in change.of_task(task, "consult"):
        clock.stop(turn.at)
    waiting = [t.unit for t in change.assignments if t.role == "consult" and t.state == "handling"]
    change.event("advised", turn.at, turn.by.name, assignment=task.id, unit=task.unit, waiting=waiting)
    if not waiting:
        change.post(turn.city.desk.dispatch, ("dispatcher",), "advised")


ACTIONS = {
    "consult": Action("case.dispatch", False, consult),
    "advise": Action("case.reply", True, advise),
}
