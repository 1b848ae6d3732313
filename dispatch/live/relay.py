"""The relay: takes committed messages from the outbox to the stream, each once and in one order for all."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import structlog

from dispatch.live.stream import FAULTS, KEPT, Stream
from dispatch.store.statements import load

if TYPE_CHECKING:
    from asyncpg import Pool, Record
    from asyncpg.pool import PoolConnectionProxy

SQL = load(__file__, "live")
BATCH = 1_000
# Passes are at least so far apart: what commits meanwhile goes together, and intake keeps the processor.
SPACING_S = 0.05

log = structlog.get_logger()


class Relay:
    """Every process runs one; a lock in the database lets one at a time work.

    A pass has two transactions. The first gives committed rows their positions: presence decides, not a cursor over
    ids, so a row that commits late with a low id is numbered late and never skipped. The second puts numbered rows on
    the stream and deletes them; a crash in between repeats positions that the stream knows already.

    A new epoch starts when the stream does not hold what was sent (Redis came back empty, or is another one) and when
    more than `backlog` messages wait: what is waiting is dropped, and every client is told to load a snapshot.
    """

    def __init__(
        self,
        pool: "Pool[Record]",
        stream: Stream | None,
        *,
        poll_s: float = 0.5,
        backlog: int = KEPT,
        batch: int = BATCH,
    ) -> None:
        """`stream` None: there is no Redis, messages wait up to the backlog."""
        self._pool = pool
        self._stream = stream
        self._poll_s = poll_s
        self._backlog = backlog
        self._batch = batch
        self._hinted = asyncio.Event()
        self.degraded = stream is None
        self.waiting = 0

    def hint(self) -> None:
        """Something was committed: do not wait for the next poll."""
        self._hinted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop; outages are waited out."""
        while not stop.is_set():
            self._hinted.clear()
            more = False
            try:
                more = await self.once()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("relay_interrupted", error=type(error).__name__)
            await _first_of(stop, None, SPACING_S)
            if not more:
                await _first_of(stop, self._hinted, self._poll_s)

    async def once(self) -> bool:
        """One pass; true when there is more to send at once. An absent Redis makes it `degraded`.

        Raises what the database raises.
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                if not await connection.fetchval(SQL.hold):
                    return False
                await connection.execute(SQL.number)
            async with connection.transaction():
                return bool(await connection.fetchval(SQL.hold)) and await self._send(connection)

    async def _send(self, connection: "PoolConnectionProxy[Record]") -> bool:
        standing = await connection.fetchrow(SQL.standing)
        assert standing is not None, "live_position holds its one row"
        epoch, offset = standing["epoch"], standing["offset"]
        first = offset + 1 if standing["first"] is None else standing["first"]
        self.waiting = offset + 1 - first
        if self.waiting > self._backlog:
            await self._start_epoch(connection, "backlog")
            return True
        if self._stream is None:
            return False
        try:
            # Everything before `first` was sent; a crash may have left some that were sent in the outbox.
            if not first - 1 <= await self._stream.last(epoch) <= offset:
                await self._start_epoch(connection, "stream lost")
                return True
            rows = await connection.fetch(SQL.numbered, self._batch)
            if rows:
                await self._stream.add(epoch, [(row["position"], row["message"]) for row in rows])
        except FAULTS as fault:
            if not self.degraded:
                log.warning("relay_degraded", error=type(fault).__name__)
            self.degraded = True
            return False
        self.degraded = False
        await connection.execute(SQL.sent, [row["id"] for row in rows])
        self.waiting -= len(rows)
        return self.waiting > 0

    async def _start_epoch(self, connection: "PoolConnectionProxy[Record]", reason: str) -> None:
        epoch = await connection.fetchval(SQL.new_epoch)
        log.warning("live_epoch_started", epoch=epoch, reason=reason, dropped=self.waiting)
        self.waiting = 0


async def _first_of(stop: asyncio.Event, other: asyncio.Event | None, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, other) if event is not None]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
