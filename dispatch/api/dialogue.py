"""The talk of a case: what its citizens said and were told, and what those who work on it told each other."""

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import CASE, Limit, Page
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.insight import dialogue


class Talk(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of it, oldest first; with `internal` also notes, reasons and accounts that no citizen reads."""

    internal: bool = False
    cursor: str | None = None
    limit: Limit = 50


async def thread(call: Call[None, Talk]) -> Reply:
    query, key, case_no = call.query, call.services.cursor_key, call.params["case_no"]
    listing = f"dialogue {case_no} {query.internal}"
    after = decode_cursor(query.cursor, key, listing).values if query.cursor else None
    said = await dialogue.thread(
        call.services.workplace, call.actor, case_no, after, internal=query.internal, limit=query.limit
    )
    full = len(said) == query.limit
    more = encode_cursor(Cursor((said[-1]["written_at"], said[-1]["id"])), key, listing) if full else None
    return Reply(Page(said, more))


ROUTES = [
    Route(
        "GET", f"{CASE}/dialogue", thread, "What citizens said and were told, oldest first 对话", "case.read", query=Talk, answer=Page,
    ),
]  # fmt: skip
