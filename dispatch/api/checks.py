"""Site checks: where collectors are, what they are asked to look at, what they found."""

from typing import Annotated

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.desk_calls import Period, sound
from dispatch.desk import checking
from dispatch.desk.checking import Found, Position, Visited
from dispatch.desk.figures import Figure
from dispatch.domain.errors import NotFound

V1 = "/api/v1"


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Limit = 50


class CheckFigures(Struct, frozen=True):
    """How often somebody was sent where somebody had just been."""

    repeat_visit_rate: Annotated[Figure, Meta(description="visits to a place and matter visited within a day before")]


async def position(call: Call[Position, None]) -> Reply:
    await checking.place(call.services.workplace, call.actor, call.body)
    return Reply(None, 204)


async def checks(call: Call[None, Listing]) -> Reply:
    return Reply(Page(await checking.pending(call.services.workplace, call.actor, call.query.limit)))


async def result(call: Call[Found, None]) -> Reply:
    raw = call.params["check"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="site check", key=raw)
    key = call.request.headers.get("Idempotency-Key")
    answer = await checking.report(call.services.workplace, int(raw), call.body, call.actor, key=key)
    call.services.changed()
    return Reply(answer)


async def figures(call: Call[None, Period]) -> Reply:
    since, until = sound(call.query)
    return Reply(CheckFigures(await checking.repeat_rate(call.services.workplace, since, until)))


ROUTES = [
    Route("POST", f"{V1}/checks/position", position, "Where a collector is now 采集员位置", "check.report", body=Position, statuses=(204,)),
    Route("GET", f"{V1}/checks", checks, "Places to look at 待核查", "check.read", query=Listing, answer=Page),
    Route(
        "POST", f"{V1}/checks/{{check}}/result", result, "What was found there 核查反馈", "check.report", body=Found,
        answer=Visited, headers=("Idempotency-Key",),
    ),
    Route("GET", f"{V1}/stats/checks", figures, "Repeated visits 重复核查率", "stats.read", query=Period, answer=CheckFigures),
]  # fmt: skip
