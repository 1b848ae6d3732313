"""The websocket at /api/v1/live: a client says who it is and what it wants to hear, then listens."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import structlog
from aiohttp import WSMsgType, web

from dispatch.domain.errors import DispatchError, NotAuthenticated, Unavailable
from dispatch.live.errors import Refused
from dispatch.live.frames import BAD_FRAME, Auth, Subscribe, read_frame
from dispatch.live.hub import Hub, Position
from dispatch.live.listeners import Audience, Listener
from dispatch.people.principal import Principal

PERMISSION = "live.read"
NOT_AUTHENTICATED = 4401
OUT_OF_SCOPE = 4403
TRY_AGAIN_LATER = 1013

FIRST_FRAME_S = 10.0
HEARTBEAT_S = 20.0
# A connection outlives the token it began with by no more than this; a client that resumes misses nothing.
LIFETIME_S = 30 * 60.0
CLOSE_S = 5.0
FRAME_BYTES = 16 * 1024
# Bytes that may wait in the transport before a send waits too.
TRANSPORT_BYTES = 64 * 1024

_GONE = frozenset((WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR))
_REASONS = {4408: "too slow", 4410: "leaving"}

log = structlog.get_logger()


class Socket:
    """Serves live connections from one hub.

    `authenticate` turns a token into a principal or raises `NotAuthenticated`; `audience` says what a principal may
    hear.
    """

    def __init__(
        self,
        hub: Hub,
        authenticate: Callable[[str], Awaitable[Principal]],
        audience: Callable[[Principal], Audience],
        *,
        first_frame_s: float = FIRST_FRAME_S,
    ) -> None:
        self._hub = hub
        self._authenticate = authenticate
        self._audience = audience
        self._first_frame_s = first_frame_s

    async def live(self, request: web.Request, principal: Principal | None = None) -> web.WebSocketResponse:
        """Serve one connection to its end; `principal`: whose request it is by header or cookie, if anybody's.

        Closes with 4400 bad frame, 4401 not authenticated or to be authenticated anew, 4403 permission or scope,
        4408 too slow, 4410 leaving, 1013 not ready yet.
        """
        ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, compress=False, max_msg_size=FRAME_BYTES, writer_limit=TRANSPORT_BYTES
        )
        await ws.prepare(request)
        try:
            code, reason = await self._serve(ws, principal if _same_origin(request) else None)
        except Refused as refused:
            code, reason = refused.code, refused.reason
        except Unavailable:
            code, reason = TRY_AGAIN_LATER, "not ready yet"
        except ConnectionError:
            code, reason = 1001, "gone"
        await _close(ws, request, code, reason)
        return ws

    async def _serve(self, ws: web.WebSocketResponse, principal: Principal | None) -> tuple[int, str]:
        opening = await self._open(ws, principal)
        if opening is None:
            return 1000, ""
        asked, audience = opening
        since = Position(asked.since.epoch, asked.since.offset) if asked.since else None
        at, note = await self._hub.start(since)
        listener = Listener(audience.feeds(asked.feeds), restricted=audience.restricted, at=at.offset)
        tasks = [
            asyncio.create_task(self._send(ws, listener, note.body, at)),
            asyncio.create_task(_receive(ws)),
            asyncio.create_task(listener.ended.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, timeout=LIFETIME_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if listener.code is not None:
            return listener.code, _REASONS[listener.code]
        for task in done:
            task.result()
        return (1000, "") if done else (NOT_AUTHENTICATED, "authenticate again")

    async def _open(self, ws: web.WebSocketResponse, principal: Principal | None) -> tuple[Subscribe, Audience] | None:
        """The subscription, once it is clear who asks and that they may; None: the client left. Raises `Refused`."""
        frame = await self._frame(ws, BAD_FRAME if principal else NOT_AUTHENTICATED)
        if isinstance(frame, Auth):
            principal = await self._principal(frame.token)
            frame = await self._frame(ws, BAD_FRAME)
        if frame is None:
            return None
        if principal is None:
            raise Refused(NOT_AUTHENTICATED, "the first frame is auth")
        if not isinstance(frame, Subscribe):
            raise Refused(BAD_FRAME, "subscribe comes next")
        if principal.must_change or not principal.may(PERMISSION):
            raise Refused(OUT_OF_SCOPE, f"needs {PERMISSION}")
        audience = self._audience(principal)
        for feed in frame.feeds:
            if not audience.covers(feed):
                raise Refused(OUT_OF_SCOPE, f"{feed} is out of scope")
        return frame, audience

    async def _frame(self, ws: web.WebSocketResponse, late: int) -> Auth | Subscribe | None:
        try:
            async with asyncio.timeout(self._first_frame_s):
                message = await ws.receive()
        except TimeoutError:
            raise Refused(late, "no frame in time") from None
        return None if message.type in _GONE else read_frame(message)

    async def _principal(self, token: str) -> Principal:
        try:
            return await self._authenticate(token)
        except NotAuthenticated:
            raise Refused(NOT_AUTHENTICATED, "not authenticated") from None
        except DispatchError as error:
            raise Refused(NOT_AUTHENTICATED, error.code) from None

    async def _send(self, ws: web.WebSocketResponse, listener: Listener, first: bytes, at: Position) -> None:
        await _write(ws, [first])
        async for page in self._hub.catch_up(listener, at):
            await _write(ws, listener.frames(page))
        while True:
            await _write(ws, await listener.take())


async def _write(ws: web.WebSocketResponse, frames: list[bytes]) -> None:
    async def write() -> None:
        for frame in frames:
            await ws.send_frame(frame, WSMsgType.TEXT)

    # Cancelling a send that waits for the transport would cancel what `close` is going to wait for.
    await asyncio.shield(write())


async def _receive(ws: web.WebSocketResponse) -> None:
    """Wait for the client to leave; it has nothing more to say. Raises `Refused`."""
    if (await ws.receive()).type not in _GONE:
        raise Refused(BAD_FRAME, "subscribed already")


async def _close(ws: web.WebSocketResponse, request: web.Request, code: int, reason: str) -> None:
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSE_S):
            await ws.close(code=code, message=reason.encode()[:120])
    # Whoever does not read would otherwise hold the socket until its buffer is sent.
    if request.transport is not None:
        request.transport.abort()
    if code not in (1000, 1001):
        log.info("live_closed", code=code)


def _same_origin(request: web.Request) -> bool:
    """Whether the request's own credentials count: a page of another site must not ride on the cookie of this one."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
