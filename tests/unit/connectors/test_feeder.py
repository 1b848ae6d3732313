"""The feeder posts one report after another and stops when told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.generator import Generated, Truth, feed

FAST = 10_000.0


def some(count: int) -> list[Generated]:
    return [Generated({"external_id": str(number)}, Truth("m", "new", None)) for number in range(count)]


@pytest_asyncio.fixture
async def service() -> AsyncIterator[tuple[TestServer, list[tuple[str, Any]], list[int]]]:
    """A server with what it saw and the statuses it will answer (201 when they are used up)."""
    seen: list[tuple[str, Any]] = []
    statuses: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.headers["Authorization"], (await request.json())["external_id"]))
        return web.Response(status=statuses.pop(0) if statuses else 201)

    app = web.Application()
    app.router.add_post("/api/v1/reports", handler)
    server = TestServer(app)
    await server.start_server()
    yield server, seen, statuses
    await server.close()


async def test_every_report_is_posted_once_in_order_with_the_key(
    service: tuple[TestServer, list[tuple[str, Any]], list[int]],
) -> None:
    server, seen, _ = service
    async with aiohttp.ClientSession() as client:
        statuses = await feed(client, str(server.make_url("/")), "k1", FAST, some(5), asyncio.Event())
    assert statuses == {201: 5}
    assert seen == [("Bearer k1", str(number)) for number in range(5)]


async def test_a_busy_service_gets_the_same_report_again(
    service: tuple[TestServer, list[tuple[str, Any]], list[int]],
) -> None:
    server, seen, answers = service
    answers += [201, 503, 429, 201, 422]
    async with aiohttp.ClientSession() as client:
        statuses = await feed(client, str(server.make_url("/")), "k1", FAST, some(3), asyncio.Event())
    assert statuses == {201: 2, 503: 1, 429: 1, 422: 1}
    assert [number for _, number in seen] == ["0", "1", "1", "1", "2"]


@pytest.mark.parametrize("reachable", [True, False])
async def test_it_stops_at_once_when_told_though_the_next_turn_is_far(
    service: tuple[TestServer, list[tuple[str, Any]], list[int]], reachable: bool
) -> None:
    server, _, _ = service
    url = str(server.make_url("/"))
    if not reachable:
        await server.close()
    stop = asyncio.Event()
    async with aiohttp.ClientSession() as client:
        feeding = asyncio.create_task(feed(client, url, "k1", 0.0001, some(5), stop))
        stop.set()
        statuses = await asyncio.wait_for(feeding, 30)
    assert statuses.total() <= 1
