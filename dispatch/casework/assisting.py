"""Several units under one lead (协办、一件事): who co-operates, and who has a part of it."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.casework.leading import Part, add_task
from dispatch.domain.errors import BadInput
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view


def assist(turn: Turn) -> None:
    """协办: one more unit co-operates, with its own limit and the reason why."""
    case_step(turn.change.case.state, "assist")
    turn.needs("note")
    unit = turn.needs("unit")
    task = add_task(turn, unit, "unit", Part("assist", limit=clocks.named_limit(turn.body.limit)))
    turn.say("reason")
    turn.change.event(
        "assist_added", turn.at, turn.by.name, assignment=task.id, unit=unit,
        deadlines=[view(d) for d in turn.change.of_task(task)],
    )  # fmt: skip
    turn.change.post(unit, ("handler", "unit_head"), "assist")


def divide(turn: Turn) -> None:
    """一件事: each of the units has a part; the lead answers once every part was answered."""
    case_step(turn.change.case.state, "divide")
    lead = turn.change.lead
    assert lead is not None
    parts(turn, Part("child", parent=lead), "divided")


def parts(turn: Turn, part: Part, event: str) -> None:
    """Gives the named units a part each, with the words that say what."""
    turn.needs("note")
    units = tuple(dict.fromkeys(turn.body.units or ([turn.body.unit] if turn.body.unit else [])))
    if not units:
        raise BadInput(field="units", problem="is required for this action")
    tasks = [add_task(turn, unit, "units", part) for unit in units]
    turn.say("reason")
    turn.change.event(
        event, turn.at, turn.by.name, assignments=[t.id for t in tasks], units=list(units),
        parent=part.parent.id if part.parent else None, called_by=part.called_by,
        deadlines=[view(d) for task in tasks for d in turn.change.of_task(task)],
    )  # fmt: skip
    for unit in units:
        turn.change.post(unit, ("handler", "unit_head"), event)


ACTIONS = {
    "assist": Action("case.dispatch", False, assist),
    "divide": Action("case.dispatch", False, divide),
}
