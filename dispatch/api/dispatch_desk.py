"""The dispatch desk's reads: what waits there, and whose the duty book says it is."""

from typing import Any

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.insight import triage
from dispatch.insight.suggestions import decided, undecided

V1 = "/api/v1"


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """A page after a cursor."""

    cursor: str | None = None
    limit: Limit = 50


async def waiting(call: Call[None, Listing]) -> Reply:
    key, query = call.services.cursor_key, call.query
    after = decode_cursor(query.cursor, key, "triage").values if query.cursor else None
    rows = await triage.waiting(call.services.workplace, call.actor, after, query.limit)
    last = rows[-1] if len(rows) == query.limit else None
    more = encode_cursor(Cursor((last["rank"], last["next_due_at"], last["id"])), key, "triage") if last else None
    return Reply(Page([{k: v for k, v in row.items() if k not in ("id", "rank")} for row in rows], more))


async def proposal(call: Call[None, None]) -> Reply:
    return Reply(await triage.proposal(call.services.workplace, call.actor, call.params["case_no"]))


async def suggestions(call: Call[None, Listing]) -> Reply:
    key, query = call.services.cursor_key, call.query
    before = decode_cursor(query.cursor, key, "suggestions").values if query.cursor else None
    rows = await undecided(call.services.workplace, call.actor, before, query.limit)
    more = encode_cursor(Cursor(rows[-1]["_key"]), key, "suggestions") if len(rows) == query.limit else None
    return Reply(Page([{k: v for k, v in row.items() if k != "_key"} for row in rows], more))


async def matching(call: Call[None, None]) -> Reply:
    return Reply(Page(await decided(call.services.workplace)))


ROUTES = [
    Route("GET", f"{V1}/suggestions", suggestions, "Matches for a person to decide 疑似重复", "case.merge", query=Listing, answer=Page),
    Route("GET", f"{V1}/stats/matching", matching, "How suggested matches were decided 查重校准", "stats.read", answer=Page),
    Route("GET", f"{V1}/desk/triage", waiting, "What waits at the dispatch desk 派单台", "case.dispatch", query=Listing, answer=Page),
    Route(
        "GET", f"{V1}/cases/{{case_no}}/proposal", proposal, "Whose it is by the duty book, explained 派单建议", "case.dispatch",
        answer=dict[str, Any],
    ),
]  # fmt: skip
