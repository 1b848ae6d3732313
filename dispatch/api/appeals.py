"""What units appeal against, step by step."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.insight import appeals
from dispatch.insight.appeals import Filters


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of a list of appeals; `waiting` is `first` or `second`."""

    kind: Literal["lateness", "rating", "exclusion"] | None = None
    unit: Annotated[str, Meta(max_length=64)] | None = None
    status: Literal["waiting", "first", "second", "approved", "refused"] | None = None
    cursor: str | None = None
    limit: Limit = 50


async def listed(call: Call[None, Listing]) -> Reply:
    query, key = call.query, call.services.cursor_key
    before = decode_cursor(query.cursor, key, "appeals").values[0] if query.cursor else None
    filters = Filters(query.kind, query.unit, query.status)
    rows = await appeals.listed(call.services.workplace, call.actor, filters, before, query.limit)
    more = encode_cursor(Cursor((rows[-1]["id"],)), key, "appeals") if len(rows) == query.limit else None
    return Reply(Page([{k: v for k, v in row.items() if k != "id"} for row in rows], more))


ROUTES = [
    Route(
        "GET", "/api/v1/appeals", listed, "Appeals of units against their assessment, newest first 考核申诉", "case.read",
        query=Listing, answer=Page,
    ),
]  # fmt: skip
