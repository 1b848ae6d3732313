"""Inside a unit and below it (任务): whose hands a task is in, its parts, and the whistle that calls other units.

The task stays answerable for its parts: it is answered once each of them was answered, taken back or returned.
"""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.casework.assisting import parts
from dispatch.casework.leading import Part, end_parts, end_task, hold_to, live_parts
from dispatch.domain.cases import Assignment, Change
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.intake.open import view
from dispatch.store.statements import load

SQL = load(__file__, "tasks")
# Streets and communities call; departments come.
STREET = 3


async def assign(turn: Turn) -> None:
    """Gives the task to a person of the unit or below it; who is on leave gives way to their stand-in."""
    case_step(turn.change.case.state, "assign")
    change, task = turn.change, _live(turn)
    account = turn.needs("account")
    units = list(turn.city.units.subtree(task.unit))
    row = await turn.connection.fetchrow(SQL.person, account, units, turn.at)
    if row is None:
        raise BadInput(field="account", problem=f"is nobody who works in {task.unit} or below it")
    task.handler = row["stand_in"] or account
    task.version += 1
    stands_in = {"stands_in_for": account} if row["stand_in"] else {}
    turn.say("note")
    change.event("assigned", turn.at, turn.by.name, assignment=task.id, account=task.handler, **stands_in)
    change.post(f"account:{task.handler}", (), "assigned", account=task.handler)


def delegate(turn: Turn) -> None:
    """下派: units below get a part each, inside the limit of the task that they are part of."""
    case_step(turn.change.case.state, "delegate")
    task = _live(turn)
    if task.state != "handling":
        assignment_step(task.state, "reply")
    below = turn.city.units.subtree(task.unit) - {task.unit} if task.unit in turn.city.units else frozenset()
    for unit in turn.body.units or ([turn.body.unit] if turn.body.unit else []):
        if unit not in below:
            raise BadInput(field="units", problem=f"{unit} is not below {task.unit}")
    parts(turn, Part("child", limit=clocks.named_limit(turn.body.limit), parent=task), "delegated")


def recall(turn: Turn) -> None:
    """A part is taken back; the task goes on without it."""
    case_step(turn.change.case.state, "recall")
    change, part = turn.change, _part(turn)
    turn.needs("note")
    turn.say("reason")
    end_parts(change, part, turn.at)
    end_task(change, part, turn.at)
    change.event("recalled", turn.at, turn.by.name, assignment=part.id, unit=part.unit)
    change.post(part.unit, ("handler", "unit_head"), "recalled")


def redo(turn: Turn) -> None:
    """A part that was answered is done again, with a limit from now on; everything stays on record."""
    case_step(turn.change.case.state, "redo")
    change, part = turn.change, _part(turn)
    part.state = assignment_step(part.state, "redo").target
    part.version += 1
    part.replied_at = None
    turn.needs("note")
    turn.say("reason")
    again = clocks.start(
        turn.opened_under, change.case, "reply", unit=part.unit, at=turn.at, task=part, round=turn.next_round("reply"),
        limit=clocks.named_limit(turn.body.limit),
    )  # fmt: skip
    hold_to(turn, again, change.task(part.parent_id))
    change.deadlines.append(again)
    change.event("redone", turn.at, turn.by.name, assignment=part.id, unit=part.unit, deadlines=[view(again)])
    change.post(part.unit, ("handler",), "redone")


def whistle(turn: Turn) -> None:
    """吹哨报到: a street calls departments to the place; they come, and whether they came in time is counted."""
    case_step(turn.change.case.state, "whistle")
    task = _live(turn)
    unit = turn.city.units.get(task.unit)
    if task.role != "lead" or unit is None or unit.level < STREET:
        raise RuleBroken(problem="only a street or community that leads the case can whistle", field="assignment")
    parts(turn, Part("assist", clock="whistle", called_by=task.unit, locked=True), "whistled")


def answered_parts(change: Change, task: Assignment) -> None:
    """Raises RuleBroken while a part of the task is not answered yet."""
    waiting = [part.unit for part in live_parts(change, task) if part.state != "replied"]
    if waiting:
        raise RuleBroken(problem=f"parts of it are still at {', '.join(waiting)}", field="assignment")


def _live(turn: Turn) -> Assignment:
    """The task of this turn, while somebody is at it."""
    assert turn.task is not None
    if turn.task.ended_at is not None:
        assignment_step(turn.task.state, "reply")
    return turn.task


def _part(turn: Turn) -> Assignment:
    """The part that is named: of a task of the unit that asks, or of one below it."""
    part, parent = turn.task, turn.change.task(turn.task.parent_id) if turn.task else None
    if part is None or parent is None:
        raise NotFound(noun="part", key=str(turn.body.assignment or "of a task of your unit"))
    over = turn.city.units.subtree(turn.by.unit) if turn.by.unit in turn.city.units else frozenset()
    if parent.unit not in over:
        raise NotFound(noun="part", key=str(part.id))
    if part.ended_at is not None:
        assignment_step(part.state, "redo")
    return part


ACTIONS = {
    "assign": Action("task.manage", True, assign),
    "delegate": Action("task.manage", True, delegate),
    "recall": Action("task.manage", True, recall, of_parts=True),
    "redo": Action("task.manage", True, redo, of_parts=True),
    "whistle": Action("task.manage", True, whistle),
}
