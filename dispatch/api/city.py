"""The city as set up, the snapshot of the command centre, figures."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.casework import emergencies
from dispatch.city.versions import SQL
from dispatch.domain.errors import BadInput
from dispatch.insight import overview as reading
from dispatch.insight.reader import reader
from dispatch.people.scope import WHOLE_CITY

V1 = "/api/v1"


class SnapshotQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the most urgent open cases come with the counts."""

    limit: Annotated[int, Meta(ge=0, le=1000)] = 200


class Period(Struct, frozen=True, forbid_unknown_fields=True):
    """From `since` (with offset, included) to `until` (excluded); the last 24 hours by default."""

    since: datetime | None = None
    until: datetime | None = None


async def snapshot(call: Call[None, SnapshotQuery]) -> Reply:
    services = call.services
    # The position is read before the data: what is newer comes again on the stream and is told apart by its seq.
    epoch, offset = services.hub.position()
    data = await reading.snapshot(services.workplace, reader(call.actor, services.cities.current), call.query.limit)
    return Reply(
        {
            "epoch": epoch,
            "offset": offset,
            "degraded": services.hub.degraded,
            "city_version": services.cities.current.version,
            "emergencies": [emergencies.brief(each) for each in await emergencies.listed(services.pool, active=True)],
            **data,
        }
    )


async def overview(call: Call[None, Period]) -> Reply:
    services = call.services
    if reader(call.actor, services.cities.current).scope != WHOLE_CITY:
        raise BadInput(field="scope", problem="figures of the whole city need a city-wide role")
    until = call.query.until or services.clock.wall()
    since = call.query.since or until - timedelta(days=1)
    for name, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise BadInput(field=name, problem="a time needs an offset")
    return Reply(await reading.overview(services.workplace, since, until))


async def areas(call: Call[None, None]) -> Reply:
    tree = call.services.cities.current.map.areas
    return Reply([{"code": a.code, "name": a.name, "parent": a.parent, "level": a.level} for a in tree.areas.values()])


async def units(call: Call[None, None]) -> Reply:
    return Reply(
        [
            {"code": u.code, "name": u.name, "parent": u.parent, "kind": u.kind, "area": u.area}
            for u in call.services.cities.current.units
        ]
    )


async def categories(call: Call[None, None]) -> Reply:
    return Reply([
        {"code": c.code, "name": c.name, "parent": c.parent, "branch": c.branch, "table": c.table_version, "routes": c.routes, "urgency": c.urgency}
        for c in call.services.cities.current.categories
    ])  # fmt: skip


async def versions(call: Call[None, None]) -> Reply:
    return Reply([dict(row) for row in await call.services.pool.fetch(SQL.versions)])


async def live(call: Call[None, None]) -> web.StreamResponse:
    # Public, because a client may also say who it is in its first frame; a session's cookie or a token counts as well.
    request = call.request
    principal = await call.services.people.authenticate(request.headers, request.cookies, request.method)
    return await call.services.socket.live(request, principal)


ROUTES = [
    Route(
        "GET",
        f"{V1}/snapshot",
        snapshot,
        "Where a dashboard starts from 总览快照",
        "live.read",
        query=SnapshotQuery,
        answer=dict[str, Any],
    ),
    Route(
        "GET",
        f"{V1}/stats/overview",
        overview,
        "Figures with numerator and denominator 指标",
        "stats.read",
        query=Period,
        answer=dict[str, Any],
    ),
    Route("GET", f"{V1}/areas", areas, "Areas 区域", "city.read", answer=list[dict[str, Any]]),
    Route("GET", f"{V1}/units", units, "Units 承办单位", "city.read", answer=list[dict[str, Any]]),
    Route(
        "GET",
        f"{V1}/categories",
        categories,
        "Categories of every table version 分类",
        "city.read",
        answer=list[dict[str, Any]],
    ),
    Route(
        "GET",
        f"{V1}/city/versions",
        versions,
        "Versions of the city 城市版本",
        "city.read",
        answer=list[dict[str, Any]],
    ),
]
WEBSOCKETS = [Route("GET", f"{V1}/live", live, "Live messages 实时消息", None)]
