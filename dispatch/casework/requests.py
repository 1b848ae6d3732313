"""Requests (申请): the unit that leads asks for a suspension or an extension, and somebody else decides (b6.3).

    request ── clock `approval` of the lead's task ──> decide: approve does what was asked, refuse leaves everything as it is

| who asks    | `request_steps` of the city | decided by                                                                |
|-------------|-----------------------------|---------------------------------------------------------------------------|
| a handler   | `["dispatch"]`              | the desk                                                                   |
| a handler   | `["unit_head", "dispatch"]` | the head of the unit, whose refusal ends it, then the desk                  |
| a head      | either                      | the desk                                                                   |

Each step has its own clock, charged to who must decide; nobody decides twice, nor what they asked. Nothing stands still while a
request waits; one that is not decided climbs like any clock. Whatever ends the lead's task, or its answer, lets the request lapse. A
refusal does not count towards the most extensions there may be.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from dispatch.casework import adjusting, clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Deadline
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.store.statements import load

SQL = load(__file__, "requests")
CLOCK = "approval"
# What somebody may do who decides at a step.
HEAD, DESK = "task.manage", "case.adjust"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a promised day and why, or one more limit."""

    kind: str
    until: datetime | None
    limit: str | None
    reason: str | None = None


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
    with_head = "unit_head" in turn.city.casework.request_steps and not turn.by.may(HEAD)
    clock = _clock(turn, task.unit if with_head else turn.city.desk.dispatch)
    row = change.case.id, clock.round, asked.kind, task.unit, asked.until, asked.limit, turn.by.name, turn.at
    await turn.connection.execute(SQL.ask, *row, asked.reason, with_head)
    why = {"reason_code": asked.reason} if asked.reason else {}
    change.event(
        "requested", turn.at, turn.by.name, request=asked.kind, unit=task.unit, until=asked.until, limit=asked.limit, **why,
        deadlines=[view(clock)],
    )  # fmt: skip
    _ask(turn, clock, asked.kind, task.unit, with_head=with_head)


async def decide(turn: Turn) -> None:
    """审批: the step that is due. Approved at the last one, it is done at once; refused, nothing changes."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "decide")
    row = await _named(turn)
    if body.approve is None:
        raise BadInput(field="approve", problem="is required for this action: true or false")
    if turn.by.name in (row["asked_by"], row["head_by"]):
        raise RuleBroken(problem="who asked, or decided the first step, does not decide", field="request")
    at_head = row["with_head"] and row["head_approved"] is None
    _permitted(turn, row, at_head=at_head)
    turn.needs("note")
    for clock in change.live(CLOCK):
        if clock.round == (row["desk_round"] or row["round"]):
            clock.stop(turn.at)
    if at_head:
        await _endorse(turn, row)
        return
    await turn.connection.execute(SQL.decide, change.case.id, row["round"], body.approve, turn.by.name, turn.at)
    _decided(turn, row)
    if body.approve:
        turn.body = msgspec.structs.replace(
            body, until=row["until"], limit=row["limit_text"], reason_code=row["reason_code"]
        )
        _DONE[row["kind"]](turn)
    else:
        turn.say("reason")


async def _endorse(turn: Turn, row: asyncpg.Record) -> None:
    """初审: what the head refuses never reaches the desk; what the head approves waits there."""
    case, approved = turn.change.case, turn.body.approve
    turn.say("reason")
    desk = _clock(turn, turn.city.desk.dispatch) if approved else None
    decided = approved, turn.by.name, turn.at
    await turn.connection.execute(SQL.endorse, case.id, row["round"], *decided, desk.round if desk else None)
    if desk is None:
        await turn.connection.execute(SQL.decide, case.id, row["round"], *decided)
        _decided(turn, row)
        return
    told = {"request": row["kind"], "unit": row["unit"]}
    turn.change.event("endorsed", turn.at, turn.by.name, **told, deadlines=[view(desk)])
    _ask(turn, desk, row["kind"], row["unit"], with_head=False)


def _decided(turn: Turn, row: asyncpg.Record) -> None:
    told: dict[str, Any] = {"request": row["kind"], "approved": turn.body.approve}
    turn.change.event("decided", turn.at, turn.by.name, **told, unit=row["unit"])
    turn.change.post(row["unit"], ("handler", "unit_head"), "decided", **told)


def _permitted(turn: Turn, row: asyncpg.Record, *, at_head: bool) -> None:
    """Raises NotPermitted for who does not decide at this step: a head of the unit or above it, or the desk."""
    if not turn.by.may(HEAD if at_head else DESK):
        raise NotPermitted(permission=HEAD if at_head else DESK)
    if at_head and (turn.by.unit not in turn.city.units or row["unit"] not in turn.city.units.subtree(turn.by.unit)):
        raise NotPermitted(permission=HEAD)


def _ask(turn: Turn, clock: Deadline, kind: str, unit: str, *, with_head: bool) -> None:
    """Tells who must decide."""
    turn.change.post(
        clock.unit, ("unit_head",) if with_head else ("dispatcher",), "requested", request=kind, by_unit=unit
    )


def _clock(turn: Turn, unit: str) -> Deadline:
    """The clock of one step, of the lead's task and charged to who must decide."""
    change, round = turn.change, turn.next_round(CLOCK)
    clock = clocks.start(turn.opened_under, change.case, CLOCK, unit=unit, at=turn.at, task=change.lead, round=round)
    change.deadlines.append(clock)
    return clock


def _asked(turn: Turn) -> Asked:
    """What the body asks for. Raises as the suspension or the extension itself would."""
    kind = turn.body.request
    if kind == "suspend":
        return Asked(kind, adjusting.promised(turn), None, adjusting.reason(turn))
    if kind == "extend":
        adjusting.extendable(turn)
        return Asked(kind, None, turn.body.limit)
    raise BadInput(field="request", problem="is required for this action: suspend or extend")


async def _named(turn: Turn) -> asyncpg.Record:
    """The request that the body names, which it need not while only one waits. Raises BadInput, NotFound."""
    named, waiting = turn.body.request, {row["kind"]: row for row in await _waiting(turn)}
    if named is None and len(waiting) != 1:
        raise BadInput(field="request", problem="is required for this action: suspend or extend")
    row = waiting.get(named or next(iter(waiting)))
    if row is None:
        raise NotFound(noun="request", key=str(named))
    return row


async def _waiting(turn: Turn) -> list[asyncpg.Record]:
    return list(await turn.connection.fetch(SQL.waiting, turn.change.case.id))


_DONE = {"suspend": adjusting.suspend, "extend": adjusting.extend}
ACTIONS = {
    "request": Action("case.reply", True, request),
    "decide": Action("request.decide", False, decide),
}
