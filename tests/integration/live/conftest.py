"""A live stream on real servers: an outbox to write to, relays, hubs and websockets to listen with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import msgspec
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from dispatch.domain.errors import NotAuthenticated
from dispatch.live.hub import Hub
from dispatch.live.listeners import Audience
from dispatch.live.relay import Relay
from dispatch.live.socket import Socket
from dispatch.live.stream import Stream
from dispatch.people.principal import Principal
from dispatch.store.pool import open_pool

# What a token is worth in these tests: the scope of its holder, and whether restricted cases are for them.
AUDIENCES = {
    "commander": Audience(None, restricted=False),
    "named-reader": Audience(None, restricted=True),
    "handler": Audience(frozenset({"U1", "U1-1"}), restricted=False),
    "nobody": Audience(None, restricted=False),
}


def principal(name: str) -> Principal:
    permissions = frozenset() if name == "nobody" else frozenset({"live.read"})
    return Principal(name, "account", "U1", frozenset(), permissions)


async def authenticate(token: str) -> Principal:
    if token not in AUDIENCES:
        raise NotAuthenticated(problem="unknown token")
    return principal(token)


def message(number: int, **fields: Any) -> bytes:
    """A case message as the unit of work writes it."""
    body = {"type": "case", "case_no": f"C{number}", "seq": 1, "event": "opened", "state": "to_sign", "units": ["U1"]}
    return msgspec.json.encode(body | {"area": ["110101", "1101"], "restricted": False, "number": number} | fields)


class Ear:
    """A websocket client."""

    def __init__(self, ws: "ClientWebSocketResponse[bool]") -> None:
        self.ws = ws
        self.epoch = ""

    async def send(self, **frame: Any) -> None:
        await self.ws.send_str(msgspec.json.encode(frame).decode())

    async def frame(self) -> dict[str, Any]:
        """The next frame; fails after 10 s."""
        got = await asyncio.wait_for(self.ws.receive(), 10)
        assert got.type is WSMsgType.TEXT, (got, self.ws.close_code)
        frame: dict[str, Any] = msgspec.json.decode(got.data)
        return frame

    async def frames(self, count: int) -> list[dict[str, Any]]:
        return [await self.frame() for _ in range(count)]

    async def closed(self) -> int | None:
        """The code with which the server closes, whatever it sends before; fails after 10 s."""
        while (await asyncio.wait_for(self.ws.receive(), 10)).type is WSMsgType.TEXT:
            pass
        return self.ws.close_code


class Scene:
    """Relay and hub are run step by step or in the background, as the test likes."""

    def __init__(self, pool: asyncpg.Pool, redis: "Redis", stack: AsyncExitStack) -> None:
        self.pool = pool
        self.redis = redis
        self.stream = Stream(redis)
        self.relay = Relay(pool, self.stream, poll_s=0.02)
        self._stack = stack
        self._written = 0

    async def write(self, count: int, **fields: Any) -> list[int]:
        """Commit so many messages, numbered through the test."""
        numbers = list(range(self._written, self._written + count))
        self._written += count
        rows = [(number, message(number, **fields)) for number in numbers]
        await self.pool.executemany("INSERT INTO outbox (case_id, case_seq, message) VALUES ($1, 1, $2)", rows)
        return numbers

    async def relayed(self, relay: Relay | None = None) -> None:
        """Let the relay work until nothing waits that it could send."""
        while await (relay or self.relay).once():
            pass

    async def on_stream(self) -> list[tuple[int, int]]:
        """Offset and number of every message of the current epoch's stream."""
        entries = await self.stream.after(await self.epoch(), 0, 100_000)
        return [(offset, msgspec.json.decode(body)["number"]) for offset, body in entries]

    async def epoch(self) -> str:
        return str(await self.pool.fetchval("SELECT epoch FROM live_position"))

    async def waiting(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM outbox"))

    async def in_background(self, run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        """Run a loop until the end of the test."""
        stop = asyncio.Event()
        task = asyncio.ensure_future(run(stop))

        async def end() -> None:
            stop.set()
            await task

        self._stack.push_async_callback(end)

    async def hub(self, stream: Stream | None = None, **options: Any) -> Hub:
        """A running hub that knows its position."""
        hub = Hub(self.pool, stream or self.stream, **options)
        await self.in_background(hub.run)
        await self.until(lambda: hub._epoch is not None)
        return hub

    async def until(self, condition: Callable[[], bool]) -> None:
        async def held() -> bool:
            return condition()

        await until(held)

    async def sent(self, count: int = 0) -> None:
        """Wait until no message waits and so many have been numbered in all."""

        async def held() -> bool:
            numbered = await self.pool.fetchval('SELECT "offset" FROM live_position')
            return numbered >= count and not await self.waiting()

        await until(held)

    async def serve(self, hub: Hub, **options: Any) -> "TestClient[web.Request, web.Application]":
        """An HTTP server with the hub's websocket; the header X-Signed-In stands for a session's cookie."""
        socket = Socket(hub, authenticate, lambda asking: AUDIENCES[asking.name], **options)

        async def live(request: web.Request) -> web.WebSocketResponse:
            name = request.headers.get("X-Signed-In")
            return await socket.live(request, principal(name) if name else None)

        app = web.Application()
        app.router.add_get("/api/v1/live", live)
        return await self._stack.enter_async_context(TestClient(TestServer(app)))

    async def connect(self, client: "TestClient[web.Request, web.Application]", **headers: str) -> Ear:
        ws = await client.ws_connect("/api/v1/live", headers=headers)
        self._stack.push_async_callback(ws.close)
        return Ear(ws)

    async def listen(
        self,
        client: "TestClient[web.Request, web.Application]",
        *feeds: str,
        who: str = "commander",
        since: tuple[str, int] | None = None,
    ) -> tuple[Ear, dict[str, Any]]:
        """A connection that has subscribed, and the answer it got."""
        ear = await self.connect(client)
        await ear.send(type="auth", token=who)
        position = {"since": {"epoch": since[0], "offset": since[1]}} if since else {}
        await ear.send(type="subscribe", feeds=feeds, **position)
        return ear, await ear.frame()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that will happen; fails after 20 s."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def nowhere() -> AsyncIterator["Redis"]:
    """A Redis that is away."""
    async with Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as redis:
        yield redis


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    async with (
        await open_pool(database_url) as pool,
        Redis.from_url(redis_url) as redis,
        AsyncExitStack() as stack,
    ):
        yield Scene(pool, redis, stack)
