"""For the auditor: who looked at personal data, and the signed checkpoints of the record."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.dispatch_desk import Listing
from dispatch.api.moments import moment
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.audit import reading

V1 = "/api/v1"
Name = Annotated[str, Meta(max_length=64)]


class Looks(Struct, frozen=True, forbid_unknown_fields=True):
    """By whom, of which kind, since when."""

    actor: Name | None = None
    action: Name | None = None
    since: datetime | None = None
    cursor: str | None = None
    limit: Limit = 50


async def access(call: Call[None, Looks]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "access").values if query.cursor else None
    since = moment("since", query.since)
    rows = await reading.access(call.services.pool, query.actor, query.action, since, after, query.limit)
    full = len(rows) == query.limit
    more = encode_cursor(Cursor((rows[-1]["recorded_at"], rows[-1]["id"])), key, "access") if full else None
    return Reply(Page(rows, more))


async def checkpoints(call: Call[None, Listing]) -> Reply:
    query, key = call.query, call.services.cursor_key
    below = decode_cursor(query.cursor, key, "checkpoints").values[0] if query.cursor else None
    rows = await reading.checkpoints(call.services.pool, below, query.limit)
    full = len(rows) == query.limit
    more = encode_cursor(Cursor((rows[-1]["number"],)), key, "checkpoints") if full else None
    return Reply(Page(rows, more))


ROUTES = [
    Route("GET", f"{V1}/audit/access", access, "Who looked at personal data, and why 个人信息访问记录", "audit.read", query=Looks, answer=Page),
    Route(
        "GET", f"{V1}/audit/checkpoints", checkpoints, "Signed checkpoints of the record, newest first 每日签封", "audit.read",
        query=Listing, answer=Page,
    ),
]  # fmt: skip
