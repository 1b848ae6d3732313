"""What a connection may count on that ends too early: the caller's, the server's behind, and those of a process that leaves."""

import asyncio
from typing import Any

import structlog
from aiohttp import web

from dispatch.api.app import build_app
from dispatch.api.call import Call, Reply, Route
from dispatch.api.health import DRAIN
from tests.unit.api.operations import ROUTES, raw


async def test_a_server_behind_that_hangs_up_is_not_taken_for_the_caller(serve: Any) -> None:
    client = await serve(ROUTES)
    with structlog.testing.capture_logs() as logged:
        async with client.get("/cut-off") as answer:
            assert (answer.status, len(logged)) == (503, 1)


async def test_a_stream_that_breaks_is_cut_off_rather_than_ended(serve: Any, lines: list[tuple[Any, ...]]) -> None:
    client = await serve(ROUTES)
    answer = await raw(client, b"GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"first half" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert [line[2] for line in lines] == [499]


async def test_a_caller_who_hangs_up_cancels_nothing(services: Any) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(call: Call[None, None]) -> Reply:
        begun.set()
        while call.request.transport is not None:
            await asyncio.sleep(0)
        ended.set()
        return Reply()

    # Not through aiohttp's test server: that one cancels handlers, which the service does not.
    app = build_app(services, [Route("GET", "/slow", slow, "Slow", None)], access=lambda *_: None)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with asyncio.timeout(30):
        _, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await begun.wait()
        writer.transport.abort()
        await ended.wait()
    await runner.cleanup()


async def test_a_caller_who_hangs_up_within_the_body_is_no_error_of_the_server(serve: Any, lines: Any) -> None:
    client = await serve(ROUTES)
    with structlog.testing.capture_logs() as logged:
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(
            b"POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\nContent-Length: 99\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with client.get("/made"):
            pass
    assert logged == []
    assert 500 not in [line[2] for line in lines]


async def test_a_leaving_process_closes_its_connections(serve: Any) -> None:
    client = await serve(ROUTES)
    client.app[DRAIN].set()
    for path in ("/made", "/nowhere"):
        async with client.get(path) as answer:
            assert answer.headers["Connection"] == "close"
    async with client.get("/readyz") as answer:
        assert (answer.status, await answer.json()) == (503, {"status": "failed", "parts": {"drain": "failed"}})
