"""What units ask for and somebody else decides: suspension and extension."""

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Page
from dispatch.api.dispatch_desk import Listing
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.insight import requests


async def waiting(call: Call[None, Listing]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "requests").values if query.cursor else None
    rows = await requests.waiting(call.services.workplace, call.actor, after, query.limit)
    full = len(rows) == query.limit
    last = (rows[-1]["due_at"], rows[-1]["id"], rows[-1]["round"]) if full else ()
    more = encode_cursor(Cursor(last), key, "requests") if full else None
    return Reply(Page([{k: v for k, v in row.items() if k not in ("id", "round")} for row in rows], more))


ROUTES = [
    Route(
        "GET", "/api/v1/requests", waiting, "Suspensions and extensions that wait for a decision 待审批的挂账与延期", "request.decide",
        query=Listing, answer=Page,
    ),
]  # fmt: skip
