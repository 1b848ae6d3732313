"""Emergency mode: declaring it, seeing how far its sweep is, ending it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.moments import moment
from dispatch.casework import emergencies, impacts
from dispatch.casework.emergencies import MANAGE, Declared, Declaring
from dispatch.casework.impacts import Impact
from dispatch.domain.errors import NotFound


class Start(Declaring, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An emergency as it is declared; with `dry_run` nothing is written, and what would change is counted."""

    dry_run: bool = False


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """With `dry_run` nothing is written, and what would change is counted."""

    dry_run: bool = False


class Ordered(Struct, frozen=True, omit_defaults=True):
    """What was done, or with `dry_run` what would be."""

    emergency: Declared | None = None
    impact: Impact | None = None


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """Those in force, or all that there were."""

    active: bool = True


class Emergencies(Struct, frozen=True):
    """The newest first, at most 200."""

    items: list[Declared]


async def start(call: Call[Start, None]) -> Reply:
    services, body = call.services, call.body
    until = moment("expected_end", body.expected_end)
    names = [name for name in Declaring.__struct_fields__ if name != "expected_end"]
    new = Declaring(**{name: getattr(body, name) for name in names}, expected_end=until)
    if body.dry_run:
        return Reply(Ordered(impact=await impacts.of_start(services.workplace, new, call.actor)))
    made = await _whole(call, emergencies.start(services.workplace, new, call.actor))
    return Reply(Ordered(emergency=made), 201)


async def end(call: Call[End, None]) -> Reply:
    at, id = call.services.workplace, _id(call)
    if call.body.dry_run:
        return Reply(Ordered(impact=await impacts.of_end(at, id, call.actor)))
    return Reply(Ordered(emergency=await _whole(call, emergencies.end(at, id, call.actor))))


async def listed(call: Call[None, Wanted]) -> Reply:
    return Reply(Emergencies(await emergencies.listed(call.services.pool, active=call.query.active)))


async def show(call: Call[None, None]) -> Reply:
    return Reply(await emergencies.show(call.services.pool, _id(call)))


async def _whole(call: Call[Any, Any], work: Awaitable[Declared]) -> Declared:
    """What was begun is finished if the person hangs up; everybody is told."""
    done = await asyncio.shield(asyncio.ensure_future(work))
    call.services.changed()
    return done


def _id(call: Call[Any, Any]) -> int:
    raw = call.params["emergency"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="emergency", key=raw)
    return int(raw)


ALL = "/api/v1/emergencies"
ONE = f"{ALL}/{{emergency}}"
READ = "emergency.read"
ROUTES = [
    Route(
        "POST", ALL, start, "Declare an emergency, or see what it would do 启动应急状态（可预演）", MANAGE, body=Start,
        answer=Ordered, statuses=(200, 201),
    ),
    Route("GET", ALL, listed, "Emergencies 应急状态", READ, query=Wanted, answer=Emergencies),
    Route("GET", ONE, show, "One, with the progress of its sweep 应急状态与进度", READ, answer=Declared),
    Route(
        "POST", f"{ONE}/end", end, "End it, or see what that would do 结束应急状态（可预演）", MANAGE, body=End,
        answer=Ordered, body_optional=True,
    ),
]  # fmt: skip
