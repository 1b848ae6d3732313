"""The port over HTTP: NDJSON both ways, order kept, a busy service asked again."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.history.http import REPORTS, SETTLE, HttpReplayPort, ServiceAway, ServiceRefused

Handler = Callable[[web.Request], Awaitable[web.Response]]
Ask = Callable[[Handler], Awaitable[HttpReplayPort]]


async def no_sleep(_: float) -> None:
    return


@pytest_asyncio.fixture
async def port_to() -> AsyncIterator[Ask]:
    servers: list[TestServer] = []
    async with aiohttp.ClientSession() as client:

        async def start(handler: Handler) -> HttpReplayPort:
            app = web.Application()
            app.router.add_post(REPORTS, handler)
            app.router.add_post(SETTLE, handler)
            server = TestServer(app)
            await server.start_server()
            servers.append(server)
            return HttpReplayPort(client, f"{server.make_url('/')}", "k1", tries=3, sleep=no_sleep)

        yield start
    for server in servers:
        await server.close()


def lines(body: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in body.splitlines()]


def ndjson(answers: list[dict[str, Any]]) -> web.Response:
    body = b"".join(msgspec.json.encode(answer) + b"\n" for answer in answers)
    return web.Response(body=body, content_type="application/x-ndjson")


async def test_reports_and_closings_go_as_lines_and_come_back_in_order(port_to: Ask) -> None:
    seen: list[tuple[str, str, list[dict[str, Any]]]] = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers["Idempotency-Key"] == hashlib.sha256(request.path.encode() + body).hexdigest()
        seen.append((request.path, request.headers["Authorization"], lines(body)))
        return ndjson(
            [{"index": 1, "status": 201, "body": {"n": "b"}}, {"index": 0, "status": 200, "body": {"n": "a"}}]
        )

    port = await port_to(handler)
    answers = await port.submit([{"text": "灯"}, {"text": "水"}])
    assert [answer["body"]["n"] for answer in answers] == ["a", "b"]
    at = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    await port.close([("h", "1", at), ("h", "2", at)])
    assert seen[0] == (REPORTS, "Bearer k1", [{"text": "灯"}, {"text": "水"}])
    assert seen[1][0] == SETTLE
    assert seen[1][2][1] == {"channel": "h", "external_id": "2", "at": "2026-01-05T08:00:00+00:00"}


async def test_only_lines_answered_busy_are_sent_again(port_to: Ask) -> None:
    asked: list[list[str]] = []

    async def handler(request: web.Request) -> web.Response:
        names = [line["n"] for line in lines(await request.read())]
        asked.append(names)
        status = 503 if len(asked) == 1 else 201
        return ndjson(
            [{"index": i, "status": status if n == "b" else 201, "body": {"n": n}} for i, n in enumerate(names)]
        )

    answers = await (await port_to(handler)).submit([{"n": "a"}, {"n": "b"}, {"n": "c"}])
    assert asked == [["a", "b", "c"], ["b"]]
    assert [(answer["index"], answer["status"], answer["body"]["n"]) for answer in answers] == [
        (0, 201, "a"),
        (1, 201, "b"),
        (2, 201, "c"),
    ]


async def test_a_service_that_stays_busy_is_given_up_after_the_tries(port_to: Ask) -> None:
    asked = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=503, headers={"Retry-After": "2"})

    with pytest.raises(ServiceAway, match="3 tries"):
        await (await port_to(handler)).submit([{"n": "a"}])
    assert asked == 3


async def test_a_service_that_refuses_the_whole_batch_is_an_error(port_to: Ask) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=403, text="no permission backfill")

    with pytest.raises(ServiceRefused, match="answered 403: no permission backfill"):
        await (await port_to(handler)).submit([{"n": "a"}])
