"""Cases: lists, one case, its record and reasons, the actions on it, queues and escalations."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route, body_reader
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.api.problems import problem_of
from dispatch.casework import history
from dispatch.casework.actions import act
from dispatch.casework.bodies import ActionAnswer, ActionBody
from dispatch.casework.history import Closing
from dispatch.casework.queue import pull
from dispatch.casework.registry import ACTIONS
from dispatch.domain.errors import DispatchError, NotFound, TooLarge
from dispatch.insight import cases as reading
from dispatch.insight import clocks, explaining
from dispatch.insight.cases import Filters

MAX_LINES = 10_000
Limit = Annotated[int, Meta(ge=1, le=200)]


class ListQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of a list of cases; `q` is words, a case or receipt number, or a telephone number."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    state: str | None = None
    category: str | None = None
    unit: str | None = None
    area: str | None = None
    overdue: bool | None = None
    cursor: str | None = None
    limit: Limit = 50


class After(Struct, frozen=True, forbid_unknown_fields=True):
    """Events after this sequence number."""

    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    limit: Limit = 200


class QueueQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Limit = 50


class Pull(Struct, frozen=True, forbid_unknown_fields=True):
    """How many tasks to take."""

    count: Annotated[int, Meta(ge=1, le=50)] = 1


class Purpose(Struct, frozen=True, forbid_unknown_fields=True):
    """Why personal data are looked at; kept in the access log."""

    purpose: Annotated[str, Meta(min_length=2, max_length=200)]


class Page(Struct, frozen=True):
    """A page of a list; without `next` it was the last."""

    items: list[dict[str, Any]]
    next: str | None = None


async def list_cases(call: Call[None, ListQuery]) -> Reply:
    query = call.query
    key = call.services.cursor_key
    after = decode_cursor(query.cursor, key, "cases").values if query.cursor else None
    states = query.state.split(",") if query.state else None
    filters = Filters(query.q, states, query.category, query.unit, query.area, query.overdue)
    rows = await reading.list_cases(call.services.workplace, call.actor, filters, after, query.limit)
    more = (
        encode_cursor(Cursor((rows[-1]["opened_at"], rows[-1]["id"])), key, "cases")
        if len(rows) == query.limit
        else None
    )
    return Reply(Page([{k: v for k, v in row.items() if k != "id"} for row in rows], more))


async def one_case(call: Call[None, None]) -> Reply:
    version, case = await reading.whole(call.services.workplace, call.actor, call.params["case_no"])
    return Reply(case, headers={"ETag": f'"{version}"'})


async def events(call: Call[None, After]) -> Reply:
    return Reply(
        Page(
            await reading.events(
                call.services.workplace, call.actor, call.params["case_no"], call.query.after, call.query.limit
            )
        )
    )


async def explain(call: Call[None, None]) -> Reply:
    return Reply(await explaining.explain(call.services.workplace, call.actor, call.params["case_no"]))


async def explain_deadlines(call: Call[None, None]) -> Reply:
    return Reply(await clocks.explain_deadlines(call.services.workplace, call.actor, call.params["case_no"]))


async def unmask(call: Call[Purpose, None]) -> Reply:
    raw = call.params["text_id"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="text", key=raw)
    return Reply(
        await reading.unmask(call.services.workplace, call.actor, call.params["case_no"], int(raw), call.body.purpose)
    )


async def action(call: Call[ActionBody, None]) -> Reply:
    name = call.params["action"]
    if name not in ACTIONS:
        raise NotFound(noun="action", key=name)
    headers = call.request.headers
    # The action goes on if the person hangs up: it is one transaction either way.
    done = asyncio.ensure_future(
        act(call.services.workplace, name, ACTIONS[name], call.params["case_no"], call.body, call.actor,
            if_match=headers.get("If-Match"), key=headers.get("Idempotency-Key"))
    )  # fmt: skip
    status, answer = await asyncio.shield(done)
    call.services.changed()
    version = msgspec.json.decode(answer, type=ActionAnswer)
    return Reply(answer, status, {"ETag": f'"{version.assignment_version or version.version}"'})


async def settle(call: Call[None, None]) -> Reply:
    lines = [line for line in (await call.request.read()).split(b"\n") if line.strip()]
    if len(lines) > MAX_LINES:
        raise TooLarge(field="lines", limit=MAX_LINES)
    read = body_reader(Closing)
    fates: list[Any] = [_decoded(read, line) for line in lines]
    for start in range(0, len(fates), 200):
        good = [(i, fates[i]) for i in range(start, min(start + 200, len(fates))) if isinstance(fates[i], Closing)]
        done = await history.settle_all(call.services.workplace, [c for _, c in good], call.actor)
        for (index, _), fate in zip(good, done, strict=True):
            fates[index] = fate
    call.services.changed()
    answers = [problem_of(f, call.request_id) if isinstance(f, DispatchError) else (200, f) for f in fates]
    lines_out = [
        msgspec.json.encode({"index": i, "status": status, "body": body}) for i, (status, body) in enumerate(answers)
    ]
    return Reply(b"\n".join(lines_out) + b"\n", headers={"Content-Type": "application/x-ndjson"})


def _decoded(read: Any, line: bytes) -> Closing | DispatchError:
    try:
        closing_line: Closing = read(line)
        return closing_line
    except DispatchError as refusal:
        return refusal


async def queue(call: Call[None, QueueQuery]) -> Reply:
    return Reply(Page(await reading.queue(call.services.workplace, call.actor, call.params["unit"], call.query.limit)))


async def pull_queue(call: Call[Pull, None]) -> Reply:
    key = call.request.headers.get("Idempotency-Key")
    answer = await asyncio.shield(
        pull(call.services.workplace, call.params["unit"], call.body.count, call.actor, key=key)
    )
    call.services.changed()
    return Reply(answer)


V1 = "/api/v1"
CASE = f"{V1}/cases/{{case_no}}"
ROUTES = [
    Route(
        "GET",
        f"{V1}/cases",
        list_cases,
        "Cases, newest first; by words, number or telephone 案件列表与检索",
        "case.read",
        query=ListQuery,
        answer=Page,
    ),
    Route("GET", CASE, one_case, "One case with everything, masked 案件详情", "case.read", answer=dict[str, Any]),
    Route("GET", f"{CASE}/events", events, "Its record 流程记录", "case.read", query=After, answer=Page),
    Route(
        "GET",
        f"{CASE}/explain",
        explain,
        "Why it is one case and at this unit 派单依据",
        "case.read",
        answer=dict[str, Any],
    ),
    Route(
        "GET",
        f"{CASE}/deadlines/explain",
        explain_deadlines,
        "Its clocks and their ladders 时限依据",
        "case.read",
        answer=dict[str, Any],
    ),
    Route(
        "POST",
        f"{CASE}/texts/{{text_id}}/unmask",
        unmask,
        "The words of a text in clear; logged 查看原文",
        "text.unmask",
        body=Purpose,
        answer=dict[str, Any],
    ),
    Route(
        "POST",
        f"{CASE}/actions/{{action}}",
        action,
        "Take one of its allowed actions 办理动作",
        "case.read",
        body=ActionBody,
        answer=ActionAnswer,
        headers=("If-Match", "Idempotency-Key"),
    ),
    Route(
        "POST",
        f"{V1}/actions/settle",
        settle,
        "Backfill: closings of recorded history, one a line 历史结案回放",
        "case.settle",
        body=Closing,
        answer=dict[str, Any],
        raw_body="application/x-ndjson",
    ),
    Route(
        "GET",
        f"{V1}/units/{{unit}}/queue",
        queue,
        "What waits at a unit, most urgent first 待办队列",
        "queue.read",
        query=QueueQuery,
        answer=Page,
    ),
    Route(
        "POST",
        f"{V1}/units/{{unit}}/queue/pull",
        pull_queue,
        "Take the next tasks 领取任务",
        "queue.pull",
        body=Pull,
        answer=list[ActionAnswer],
        headers=("Idempotency-Key",),
    ),
]
