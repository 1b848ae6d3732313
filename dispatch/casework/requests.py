"""Requests (申请): the unit that leads asks for a suspension or an extension, and somebody else decides (b6.3).

    request ── clock `approval` of the lead's task ──> decide: approve does what was asked, refuse leaves everything as it is

Nothing stands still while a request waits; one that is not decided climbs like any clock. Whatever ends the lead's task, or its
answer, lets the request lapse. A refusal does not count towards the most extensions there may be.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from dispatch.casework import adjusting, clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.store.statements import load

SQL = load(__file__, "requests")
CLOCK = "approval"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a promised day, or one more limit."""

    kind: str
    until: datetime | None
    limit: str | None


async def request(turn: Turn) -> None:
    """申请挂账、延期: refused where it could not be approved, and while one of the same kind waits."""
    change, task = turn.change, turn.task
    case_step(change.case.state, "request")
    if task is None or task.id != change.case.lead_assignment_id:
        raise NotFound(noun="lead", key="of your unit")
    turn.needs("note")
    asked = _asked(turn)
    if any(row["kind"] == asked.kind for row in await _waiting(turn)):
        raise RuleBroken(problem=f"a request to {asked.kind} waits for its decision already", field="request")
    turn.say("reason")
    desk, round = turn.city.desk.dispatch, turn.next_round(CLOCK)
    clock = clocks.start(turn.opened_under, change.case, CLOCK, unit=desk, at=turn.at, task=task, round=round)
    change.deadlines.append(clock)
    row = change.case.id, round, asked.kind, task.unit, asked.until, asked.limit, turn.by.name, turn.at
    await turn.connection.execute(SQL.ask, *row)
    change.event(
        "requested", turn.at, turn.by.name, request=asked.kind, unit=task.unit, until=asked.until, limit=asked.limit,
        deadlines=[view(clock)],
    )  # fmt: skip
    change.post(desk, ("dispatcher",), "requested", request=asked.kind, by_unit=task.unit)


async def decide(turn: Turn) -> None:
    """审批: approved, it is done at once; refused, nothing changes. Never by the person who asked."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "decide")
    waiting = {row["kind"]: row for row in await _waiting(turn)}
    if body.request is None and len(waiting) != 1:
        raise BadInput(field="request", problem="is required for this action: suspend or extend")
    row = waiting.get(body.request or next(iter(waiting)))
    if row is None:
        raise NotFound(noun="request", key=str(body.request))
    if body.approve is None:
        raise BadInput(field="approve", problem="is required for this action: true or false")
    if row["asked_by"] == turn.by.name:
        raise RuleBroken(problem="who asked does not decide", field="request")
    turn.needs("note")
    (clock,) = (d for d in change.live(CLOCK) if d.round == row["round"])
    clock.stop(turn.at)
    await turn.connection.execute(SQL.decide, change.case.id, row["round"], body.approve, turn.by.name, turn.at)
    change.event("decided", turn.at, turn.by.name, request=row["kind"], approved=body.approve, unit=row["unit"])
    change.post(row["unit"], ("handler", "unit_head"), "decided", request=row["kind"], approved=body.approve)
    if body.approve:
        turn.body = msgspec.structs.replace(body, until=row["until"], limit=row["limit_text"])
        _DONE[row["kind"]](turn)
    else:
        turn.say("reason")


def _asked(turn: Turn) -> Asked:
    """What the body asks for. Raises as the suspension or the extension itself would."""
    kind = turn.body.request
    if kind == "suspend":
        return Asked(kind, adjusting.promised(turn), None)
    if kind == "extend":
        adjusting.extendable(turn)
        return Asked(kind, None, turn.body.limit)
    raise BadInput(field="request", problem="is required for this action: suspend or extend")


async def _waiting(turn: Turn) -> list[asyncpg.Record]:
    return list(await turn.connection.fetch(SQL.waiting, turn.change.case.id))


_DONE = {"suspend": adjusting.suspend, "extend": adjusting.extend}
ACTIONS = {
    "request": Action("case.reply", True, request),
    "decide": Action("case.adjust", False, decide),
}
