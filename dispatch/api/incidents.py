"""Known incidents and planned stoppages: what is said to everybody who calls about one, and answering all of them."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.moments import moment
from dispatch.desk import incidents
from dispatch.desk.incidents import Announcing, Changing, Ended, Ending, Incident, Where
from dispatch.domain.errors import NotFound

V1 = "/api/v1"
Code = Annotated[str, Meta(max_length=64)]


class IncidentQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """At a place (an area, or a point in degrees) and about a category; those that are open, or those that are over."""

    area: Code | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    category: Code | None = None
    open: bool = True


class Incidents(Struct, frozen=True):
    """The newest first, at most 200."""

    items: list[Incident]


async def listed(call: Call[None, IncidentQuery]) -> Reply:
    query = call.query
    where = Where(query.area, query.lon, query.lat, query.category, query.open)
    return Reply(Incidents(await incidents.incidents(call.services.workplace, call.actor, where)))


async def announce(call: Call[Announcing, None]) -> Reply:
    new = msgspec.structs.replace(
        call.body,
        starts_at=moment("starts_at", call.body.starts_at),
        expected_end=moment("expected_end", call.body.expected_end),
    )
    return Reply(await incidents.announce(call.services.workplace, new, call.actor), 201)


async def change(call: Call[Changing, None]) -> Reply:
    until = moment("expected_end", call.body.expected_end)
    changing = msgspec.structs.replace(call.body, expected_end=until)
    return Reply(await incidents.change(call.services.workplace, _id(call), changing, call.actor))


async def close(call: Call[Ending, None]) -> Reply:
    # It goes on if the person hangs up: it is one transaction either way.
    done = asyncio.ensure_future(incidents.close(call.services.workplace, _id(call), call.body, call.actor))
    ended = await asyncio.shield(done)
    call.services.changed()
    return Reply(ended)


def _id(call: Call[Any, Any]) -> int:
    raw = call.params["incident"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="incident", key=raw)
    return int(raw)


READ, MANAGE = "incident.read", "incident.manage"
ONE = f"{V1}/incidents/{{incident}}"
ROUTES = [
    Route(
        "GET", f"{V1}/incidents", listed, "Known incidents and stoppages at a place 突发事件与停供", READ,
        query=IncidentQuery, answer=Incidents,
    ),
    Route(
        "POST", f"{V1}/incidents", announce, "Announce one, with its master case 登记突发事件", MANAGE, body=Announcing,
        answer=Incident, statuses=(201,),
    ),
    Route(
        "PATCH", ONE, change, "Another expected end, other words 更新突发事件", MANAGE, body=Changing, answer=Incident,
    ),
    Route(
        "POST", f"{ONE}/close", close, "It is over: answer everybody at once 结束并统一答复", MANAGE, body=Ending,
        answer=Ended,
    ),
]  # fmt: skip
