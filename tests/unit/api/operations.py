"""Operations of every sort to test the kit with, and a way to send it bytes as they are."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from dispatch.api.call import SIGNED_IN, Call, Reply, Route
from dispatch.domain.errors import KeyTaken, VersionStale

OPERATOR = {"Authorization": "Bearer operator"}


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lon: float
    lat: float


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    place: Place | None = None
    tags: list[str] = []
    attributes: dict[str, Any] = {}
    counts: dict[int, int] = {}


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: list[str] = []
    limit: int = 50


async def echo(call: Call[Sent, None]) -> Reply:
    return Reply({"title": call.body.title, "by": call.actor.name}, status=201, headers={"ETag": '"7"'})


async def listing(call: Call[None, Filter]) -> Reply:
    return Reply({"state": call.query.state, "limit": call.query.limit, "case_no": call.params.get("case_no")})


async def stale(call: Call[None, None]) -> Reply:
    raise VersionStale(current_version=4, status="not the standard's")


async def taken(call: Call[None, None]) -> Reply:
    raise KeyTaken(receipt_no="R1")


async def broken(call: Call[None, None]) -> Reply:
    raise ValueError("the caller 13800138000 said so")


async def cut_off(call: Call[None, None]) -> Reply:
    raise ConnectionRefusedError("the database is away")


async def page(call: Call[None, None]) -> web.StreamResponse:
    return web.Response(text="page")


async def made(call: Call[None, None]) -> Reply:
    return Reply(b'{"made":true}')


async def half(call: Call[None, None]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(call.request)
    await response.write(b"first half")
    raise ValueError("the source went away")


ROUTES = [
    Route("POST", "/things", echo, "Send", "submit", body=Sent, statuses=(201,)),
    Route("GET", "/things", listing, "List", None, query=Filter),
    Route("GET", "/things/{case_no}", listing, "One", None, query=Filter),
    Route("PUT", "/stale", stale, "Change", None, headers=("If-Match",)),
    Route("PUT", "/taken", taken, "Change", None),
    Route("GET", "/broken", broken, "Break", None),
    Route("GET", "/cut-off", cut_off, "Break", None),
    Route("GET", "/page", page, "Page", None),
    Route("GET", "/made", made, "Bytes", None),
    Route("GET", "/half", half, "Stream", None),
    Route("POST", "/password", made, "Change", SIGNED_IN),
]


async def raw(client: Any, sent: bytes) -> bytes:
    """What the server says to these bytes before it closes the connection."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
    return answer
