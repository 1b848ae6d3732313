"""Whom the hotline asks about the result, in order."""

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Page
from dispatch.api.dispatch_desk import Listing
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.insight import followups


class Asking(Listing, frozen=True, forbid_unknown_fields=True):
    """`now`: only those who are not to be tried at another hour."""

    now: bool = False


async def waiting(call: Call[None, Asking]) -> Reply:
    query, key = call.query, call.services.cursor_key
    after = decode_cursor(query.cursor, key, "followups").values if query.cursor else None
    rows = await followups.waiting(call.services.workplace, call.actor, after, query.limit, now_only=query.now)
    last = (rows[-1]["due_at"], rows[-1]["id"]) if len(rows) == query.limit else ()
    more = encode_cursor(Cursor(last), key, "followups") if last else None
    return Reply(Page([{k: v for k, v in row.items() if k != "id"} for row in rows], more))


ROUTES = [
    Route(
        "GET", "/api/v1/followups", waiting, "Citizens to be asked about the result 待回访", "case.close", query=Asking, answer=Page,
    ),
]  # fmt: skip
