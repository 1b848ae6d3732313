"""The hub: one reader of the stream a process, and everybody in this process who listens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import structlog

from dispatch.domain.errors import Unavailable
from dispatch.live.listeners import Listener
from dispatch.live.messages import DEGRADED, Message, Note, position, subscribed
from dispatch.live.stream import FAULTS, Entry, Stream
from dispatch.store.statements import load

if TYPE_CHECKING:
    from asyncpg import Pool, Record

SQL = load(__file__, "live")
# Messages kept in the process for clients that come back.
RING = 10_000
# Messages read, or replayed to a client, at once: below the bound of a connection, so that its writer gets its turn.
PAGE = 128
# A client that comes from a process some messages ahead is believed; one further ahead holds a position that never was.
AHEAD = 10_000
WAIT_MS = 1_000
RETRY_S = 0.5
POSITION_S = 15.0
LEAVING = 4410

log = structlog.get_logger()


class Position(NamedTuple):
    """A place in the stream; offsets of different epochs do not compare."""

    epoch: str
    offset: int


class Hub:
    """Holds the last messages, hands new ones to listeners, replays to those who come back.

    Offsets are without gaps. Where one shows, or where the database names another epoch, history is lost: every
    listener is told `subscribed` with `recovered` false.
    """

    def __init__(self, pool: "Pool[Record]", stream: Stream | None, *, ring: int = RING) -> None:
        """`stream` None: there is no Redis; listeners are told that the stream is degraded."""
        self._pool = pool
        self._stream = stream
        self._ring: deque[Message] = deque(maxlen=ring)
        self._epoch: str | None = None
        self._offset = 0
        self._listeners: set[Listener] = set()
        self._stats: Note | None = None
        self._leaving = False
        self.degraded = stream is None

    @property
    def listening(self) -> int:
        """Connections at this moment."""
        return len(self._listeners)

    def position(self) -> Position:
        """Where this process stands: whatever it covers was committed, so read it before the data of a snapshot.

        Raises `Unavailable` until the database was reached once.
        """
        if self._epoch is None:
            raise Unavailable(part="live", retry_after=1)
        return Position(self._epoch, self._offset)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the stream until told to stop, then send everybody away."""
        stopped = asyncio.ensure_future(stop.wait())
        clock = asyncio.get_running_loop().time
        next_position = clock() + POSITION_S
        quiet = True
        while not stop.is_set():
            if quiet and not await self._settle():
                await _pause(stop)
                continue
            quiet = not await self._read(stop, stopped)
            if clock() >= next_position:
                next_position = clock() + POSITION_S
                if not self.degraded:
                    self._tell(position(*self.position()))
        self.dismiss()

    def dismiss(self) -> None:
        """Send everybody away: this process is leaving."""
        self._leaving = True
        for listener in self._listeners:
            listener.end(LEAVING)

    def publish_stats(self, body: bytes) -> None:
        """A JSON object with `type` "stats" for the feed of that name: latest value, outside the count of offsets."""
        self._stats = Note("stats", body)
        for listener in self._listeners:
            if "stats" in listener.feeds:
                listener.offer(self._stats)

    async def start(self, since: Position | None) -> tuple[Position, Note]:
        """Where a connection starts, and the frame that says so: `since` if what came after it is kept, else the end.

        Raises `Unavailable`.
        """
        recovered = since is not None and await self._reaches(since)
        at = since if since is not None and recovered else self.position()
        return at, subscribed(at.epoch, at.offset, recovered=recovered, degraded=self.degraded)

    async def catch_up(self, listener: Listener, at: Position) -> AsyncIterator[list[Message]]:
        """Pages of what came after `at`; when they end the listener hears the rest as it happens, without a gap."""
        epoch, offset = at
        while epoch == self._epoch and offset < self._offset:
            page = await self._page(epoch, offset)
            if not page:
                break
            yield page
            offset = page[-1].offset
        # Nothing is awaited between the comparison above and this: the join has no gap.
        self._listeners.add(listener)
        if epoch != self._epoch or offset < self._offset:
            listener.restart(self._lost())
        if self._stats and "stats" in listener.feeds:
            listener.offer(self._stats)
        if self._leaving:
            listener.end(LEAVING)

    def leave(self, listener: Listener) -> None:
        """The connection is gone."""
        self._listeners.discard(listener)

    async def _reaches(self, since: Position) -> bool:
        if since.epoch != self._epoch:
            return False
        if since.offset >= self._offset:
            return since.offset - self._offset <= AHEAD
        return bool(await self._page(*since))

    async def _page(self, epoch: str, offset: int) -> list[Message]:
        """The messages behind an offset, from the ring or else from Redis; empty when the next one is kept nowhere."""
        skip = offset - (self._offset - len(self._ring))
        if skip >= 0:
            return list(islice(self._ring, skip, skip + PAGE))
        if self._stream is None:
            return []
        try:
            entries = await self._stream.after(epoch, offset, PAGE)
        except FAULTS:
            return []
        return [Message.read(*entry) for entry in entries] if entries and entries[0][0] == offset + 1 else []

    async def _settle(self) -> bool:
        """Learn the epoch from the database; false while it was never reached."""
        try:
            row = await self._pool.fetchrow(SQL.position)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning("live_position_unknown", error=type(error).__name__)
            return self._epoch is not None
        assert row is not None, "live_position holds its one row"
        epoch, offset = row["epoch"], row["offset"]
        if epoch != self._epoch:
            # A stream that lost its newest messages will get a new epoch; until then begin where it is.
            with suppress(*FAULTS):
                offset = min(offset, await self._stream.last(epoch)) if self._stream else offset
            self._restart(epoch, offset)
        return True

    async def _read(self, stop: asyncio.Event, stopped: "asyncio.Future[Any]") -> bool:
        """Hand on what the stream has next; false when it has nothing."""
        epoch, offset = self.position()
        if self._stream is None:
            await _pause(stop)
            return False
        try:
            entries = await _unless(stopped, self._stream.wait(epoch, offset, PAGE, WAIT_MS))
        except FAULTS as fault:
            if not self.degraded:
                log.warning("live_degraded", error=type(fault).__name__)
                self.degraded = True
                self._tell(DEGRADED)
            await _pause(stop)
            return False
        if self.degraded:
            self.degraded = False
            self._tell(position(epoch, offset))
        for entry in entries:
            self._publish(Message.read(*entry))
        return bool(entries)

    def _publish(self, message: Message) -> None:
        if message.offset != self._offset + 1 and self._epoch is not None:
            self._restart(self._epoch, message.offset - 1)
        self._ring.append(message)
        self._offset = message.offset
        for listener in self._listeners:
            if listener.wants(message):
                listener.offer(message)

    def _restart(self, epoch: str, offset: int) -> None:
        first = self._epoch is None
        self._epoch, self._offset = epoch, offset
        self._ring.clear()
        for listener in self._listeners:
            listener.restart(self._lost())
        if not first:
            log.warning("live_history_lost", epoch=epoch, offset=offset)

    def _lost(self) -> Note:
        return subscribed(*self.position(), recovered=False, degraded=self.degraded)

    def _tell(self, note: Note) -> None:
        for listener in self._listeners:
            listener.offer(note)


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(RETRY_S):
            await stop.wait()


async def _unless(stopped: "asyncio.Future[Any]", wait: Coroutine[Any, Any, list[Entry]]) -> list[Entry]:
    """What is waited for, or nothing once it is time to stop: who leaves does not sit out a wait of a second."""
    waiting = asyncio.ensure_future(wait)
    await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        await asyncio.wait((waiting,))  # it has a time limit of its own, whatever becomes of the cancelling
    return [] if stopped.done() and (waiting.cancelled() or waiting.exception()) else waiting.result()
