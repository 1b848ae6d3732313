"""Appeals (考核申诉): a unit asks that a closed case which it led count otherwise for it; two people decide, one after the other (b6.3).

    appeal ── clock `appeal` of the dispatch desk ──> judge ── approved: clock of supervision ──> judge: approved, or refused
                                                        └─ refused: that was all

| kind        | asks for                                  | needs                                                       |
|-------------|-------------------------------------------|-------------------------------------------------------------|
| `lateness`  | its lateness not to count                  | that it was late: a clock of its task or of the round        |
| `rating`    | the citizen's judgement not to count (剔除) | that there is one                                            |
| `exclusion` | the whole case not to count (剔除)         | nothing                                                      |

Each kind once for a case and unit, inside the window `appeal_window` after the closing. Nothing of the case, its clocks or its
ratings is changed, whatever is decided: what was late stays on record as late, and whoever makes figures finds beside it that it is
exempt. A case that is opened anew, merged or ended meanwhile takes the appeal along.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Assignment, Deadline
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.store.statements import load

SQL = load(__file__, "appeals")
CLOCK: Final = "appeal"
WINDOW: Final = "appeal_window"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the two steps: who may decide it, by what they may do otherwise."""

    name: str
    nth: int
    permission: str


FIRST, SECOND = Step("first", 1, "case.dispatch"), Step("second", 2, "case.rule")


async def appeal(turn: Turn) -> None:
    """申诉: by the head of the unit that led the case, about the task that is named, else about its last one."""
    change, case, task, kind = turn.change, turn.change.case, turn.task, turn.body.appeal
    case_step(case.state, "appeal")
    if kind is None:
        raise BadInput(field="appeal", problem="is required for this action: lateness, rating or exclusion")
    turn.needs("note")
    if task is None or task.role != "lead":
        raise RuleBroken(problem="only who led the case appeals; name the task in which it did", field="assignment")
    if case.closed_at is None or turn.at > clocks.window(turn.opened_under, case, WINDOW, task.unit, case.closed_at):
        raise RuleBroken(problem="the time in which a unit may appeal after the closing is over", field="appeal")
    about = await _GROUNDS[kind](turn, task)
    if await turn.connection.fetchval(SQL.appealed, case.id, task.unit, kind):
        raise RuleBroken(problem=f"{task.unit} has appealed about this once already", field="appeal")
    turn.say("reason")
    clock = _clock(turn, turn.city.desk.dispatch)
    row = case.id, task.unit, kind, task.id, about, turn.by.name, turn.at, clock.round
    await turn.connection.execute(SQL.appeal, *row)
    told = {"kind": kind, "unit": task.unit, "round": about}
    change.event("appealed", turn.at, turn.by.name, **told, assignment=task.id, deadlines=[view(clock)])
    change.post(clock.unit, ("dispatcher",), "appealed", appeal=kind, by_unit=task.unit, step=FIRST.nth)


async def judge(turn: Turn) -> None:
    """审核申诉: the step that is due, by somebody who neither appealed nor decided the step before."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "judge")
    row = await _waiting(turn)
    step = SECOND if row["status"] == SECOND.name else FIRST
    if body.approve is None:
        raise BadInput(field="approve", problem="is required for this action: true or false")
    if turn.by.name in (row["asked_by"], row["first_by"]):
        raise RuleBroken(problem="who appealed, or decided the first step, does not decide", field="appeal")
    if not turn.by.may(step.permission):
        raise NotPermitted(permission=step.permission)
    turn.needs("note")
    turn.say("reason")
    round = row["second_clock"] or row["first_clock"]
    for clock in change.live(CLOCK):
        if clock.round == round:
            clock.stop(turn.at)
    goes_on = step is FIRST and body.approve
    supervision = turn.city.desk.supervision or turn.city.desk.dispatch
    started = [_clock(turn, supervision)] if goes_on else []
    decided = row["id"], body.approve, turn.by.name, turn.at
    if step is FIRST:
        await turn.connection.execute(SQL.decide_first, *decided, started[0].round if started else None)
    else:
        await turn.connection.execute(SQL.decide_second, *decided)
    _tell(turn, row, step, started)


def _tell(turn: Turn, row: asyncpg.Record, step: Step, started: list[Deadline]) -> None:
    """What was decided, on record and to the unit; to supervision what it must decide now."""
    change, final = turn.change, not started
    told: dict[str, Any] = {"kind": row["kind"], "unit": row["unit"], "round": row["round"]}
    decided: dict[str, Any] = {"step": step.nth, "approved": turn.body.approve, "final": final}
    change.event("appeal_decided", turn.at, turn.by.name, **told, **decided, deadlines=[view(each) for each in started])
    change.post(row["unit"], ("handler", "unit_head"), "appeal_decided", appeal=row["kind"], **decided)
    if not final:
        change.post("*", ("supervisor",), "appealed", appeal=row["kind"], by_unit=row["unit"], step=SECOND.nth)


def _clock(turn: Turn, unit: str) -> Deadline:
    """The clock of one step, charged to who must decide; of no task, for it goes on when they end."""
    clock = clocks.start(
        turn.opened_under, turn.change.case, CLOCK, unit=unit, at=turn.at, round=turn.next_round(CLOCK)
    )
    turn.change.deadlines.append(clock)
    return clock


async def _waiting(turn: Turn) -> asyncpg.Record:
    """The appeal that the body names, which it need not while only one waits. Raises NotFound, BadInput."""
    body = turn.body
    rows = [
        row
        for row in await turn.connection.fetch(SQL.waiting, turn.change.case.id)
        if body.appeal in (None, row["kind"]) and body.unit in (None, row["unit"])
    ]
    if not rows:
        raise NotFound(noun="appeal", key=body.appeal or turn.change.case.case_no)
    if len(rows) > 1:
        raise BadInput(field="appeal", problem="several wait for a decision: name its kind, and the unit")
    return rows[0]


async def _late(turn: Turn, task: Assignment) -> int:
    if not await turn.connection.fetchval(SQL.was_late, turn.change.case.id, task.id, task.round):
        raise RuleBroken(problem="nothing of it was late", field="appeal")
    return task.round


async def _rated(turn: Turn, task: Assignment) -> int:
    """The last round of this task in which a citizen said how it was handled; what was done again is a later one."""
    round: int | None = await turn.connection.fetchval(SQL.rated, turn.change.case.id, task.round, task.id)
    if round is None:
        raise RuleBroken(problem="the citizen said nothing of how it was handled", field="appeal")
    return round


async def _any(_: Turn, task: Assignment) -> int:
    """That a case does not count at all may be asked of every one."""
    return task.round


_GROUNDS: Final[dict[str, Callable[[Turn, Assignment], Awaitable[int]]]] = {
    "lateness": _late, "rating": _rated, "exclusion": _any,
}  # fmt: skip
ACTIONS = {
    "appeal": Action("case.appeal", True, appeal),
    "judge": Action("appeal.judge", False, judge),
}
