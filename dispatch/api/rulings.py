"""Who held a case for how long, disputes, and what rulings propose for the duty book."""

from typing import Any, Literal

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.desk_calls import Period, sound
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import NotFound
from dispatch.insight import disputes, stages

V1 = "/api/v1"


class Proposals(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one status, or of all."""

    status: Literal["open", "accepted", "declined"] | None = None
    cursor: str | None = None
    limit: Limit = 50


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the duty book should say so."""

    accept: bool


async def held(call: Call[None, None]) -> Reply:
    return Reply(await stages.stages(call.services.workplace, call.actor, call.params["case_no"]))


async def counted(call: Call[None, Period]) -> Reply:
    since, until = sound(call.query)
    return Reply(await disputes.counted(call.services.workplace, since, until))


async def proposals(call: Call[None, Proposals]) -> Reply:
    key, query = call.services.cursor_key, call.query
    after = decode_cursor(query.cursor, key, "proposals").values if query.cursor else None
    rows = await disputes.proposals(call.services.workplace, query.status, after, query.limit)
    full = len(rows) == query.limit
    more = encode_cursor(Cursor((rows[-1]["ruled_at"], rows[-1]["id"])), key, "proposals") if full else None
    return Reply(Page(rows, more))


async def decide(call: Call[Decision, None]) -> Reply:
    raw = call.params["proposal"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="proposal", key=raw)
    return Reply(await disputes.decide(call.services.workplace, int(raw), call.actor, accept=call.body.accept))


ROUTES = [
    Route("GET", f"{V1}/cases/{{case_no}}/stages", held, "Who held it for how long 耗时归属", "case.read", answer=dict[str, Any]),
    Route("GET", f"{V1}/stats/disputes", counted, "Disputes by category and units 争议统计", "stats.read", query=Period, answer=dict[str, Any]),
    Route("GET", f"{V1}/duty/proposals", proposals, "What rulings propose 权责清单建议", "proposal.read", query=Proposals, answer=Page),
    Route(
        "POST", f"{V1}/duty/proposals/{{proposal}}/decide", decide, "Take a proposal up or not 采纳建议", "proposal.decide",
        body=Decision, answer=dict[str, Any],
    ),
]  # fmt: skip
