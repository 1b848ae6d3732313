"""Levels of the ladder that fired: their list, and the acknowledgement of a person."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.casework.escalations import Acknowledgement
from dispatch.domain.errors import NotFound
from dispatch.insight import cases as reading

V1 = "/api/v1"


class EscalationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Levels from `level` up; `waiting`: only those nobody has acknowledged."""

    level: Annotated[int, Meta(ge=0, le=9)] = 1
    waiting: bool = False
    cursor: str | None = None
    limit: Limit = 50


async def escalations(call: Call[None, EscalationQuery]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "escalations").values if query.cursor else None
    rows = await reading.escalations(
        call.services.workplace, call.actor, after, level=query.level, waiting=query.waiting, limit=query.limit
    )
    more = (
        encode_cursor(Cursor((rows[-1]["fired_at"], rows[-1]["id"])), key, "escalations")
        if len(rows) == query.limit
        else None
    )
    return Reply(Page(rows, more))


async def acknowledge(call: Call[Acknowledgement, None]) -> Reply:
    raw = call.params["escalation"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="escalation", key=raw)
    key = call.request.headers.get("Idempotency-Key")
    answer = await call.services.escalations.acknowledge(int(raw), call.body, call.actor, key=key)
    call.services.changed()
    return Reply(answer)


ROUTES = [
    Route(
        "GET", f"{V1}/escalations", escalations, "Levels of the ladder that fired 升级记录", "escalation.read",
        query=EscalationQuery, answer=Page,
    ),
    Route(
        "POST", f"{V1}/escalations/{{escalation}}/ack", acknowledge,
        "A person has seen it; urgent levels demand a logged call 确认升级", "escalation.ack",
        body=Acknowledgement, body_optional=True, answer=dict[str, Any], headers=("Idempotency-Key",),
    ),
]  # fmt: skip
