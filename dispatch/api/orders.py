"""Orders: their list, and the receipt of whoever opens one; they are issued and answered by actions on their case."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.casework import receipts
from dispatch.casework.receipts import Opened
from dispatch.domain.errors import NotFound
from dispatch.insight import orders
from dispatch.insight.cases import FAR_FUTURE
from dispatch.insight.orders import Filters

V1 = "/api/v1"


class OrderQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`open`: only those not done yet, or only those done; `unread`: by nobody of the unit, or by somebody."""

    unit: Annotated[str, Meta(max_length=64)] | None = None
    colour: Literal["blue", "orange", "red"] | None = None
    open: bool | None = None
    unread: bool | None = None
    cursor: str | None = None
    limit: Limit = 50


async def listed(call: Call[None, OrderQuery]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "orders").values if query.cursor else (FAR_FUTURE, 0)
    filters = Filters(query.unit, query.colour, query.open, query.unread)
    rows = await orders.listed(call.services.workplace, call.actor, filters, (after[0], after[1]), query.limit)
    full = len(rows) == query.limit
    more = encode_cursor(Cursor((rows[-1]["issued_at"], rows[-1]["id"])), key, "orders") if full else None
    return Reply(Page(rows, more))


async def read(call: Call[None, None]) -> Reply:
    raw = call.params["order"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="order", key=raw)
    answer = await receipts.read(call.services.workplace, int(raw), call.actor)
    call.services.changed()
    return Reply(answer)


ROUTES = [
    Route("GET", f"{V1}/orders", listed, "Orders, newest first 督办单", "order.read", query=OrderQuery, answer=Page),
    Route("POST", f"{V1}/orders/{{order}}/read", read, "Somebody of the unit opens it 签阅督办单", "order.answer", answer=Opened),
]  # fmt: skip
