"""The relay: takes committed messages from the outbox to the stream, each once and in one order for all."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import structlog

from dispatch.live.stream import FAULTS, KEPT, Stream
from dispatch.store.pool import one
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

    A pass is one transaction: what is committed is read in order of id, put on the stream under the next positions, and
    deleted while the position moves on. Presence decides, not a cursor over ids, so a row that commits late with a low
    id is numbered late and never skipped. After a crash between stream and commit the stream is ahead of the database;
    its entries name their rows, and those leave the outbox without being sent again.

    A new epoch starts when the stream does not hold what was sent, or holds what was never written (Redis came back
    empty, or is another one, or the database was set back), and when more than `backlog` messages wait: what is waiting
    is dropped, and every client is told to load a snapshot.
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
            except Exception:
                # A driver in the middle of losing its server can fail in ways of its own: the next pass begins anew.
                log.exception("relay_failed")
            await _first_of(stop, None, SPACING_S)
            if not more:
                await _first_of(stop, self._hinted, self._poll_s)

    async def once(self) -> bool:
        """One pass; true when there is more to send at once. An absent Redis makes it `degraded`.

        Raises what the database raises.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            return bool(await connection.fetchval(SQL.hold)) and await self._pass(connection)

    async def _pass(self, connection: "PoolConnectionProxy[Record]") -> bool:
        epoch, offset = await one(connection, SQL.position)
        rows = await connection.fetch(SQL.waiting, self._batch)
        self.waiting = len(rows) if len(rows) < self._batch else await connection.fetchval(SQL.how_many)
        if self.waiting > self._backlog:
            await self._start_epoch(connection, "backlog")
            return True
        if self._stream is None:
            return False
        try:
            ahead = await self._stream.last(epoch) - offset
            if ahead:
                known = ahead > 0 and await self._sent_before(connection, epoch, offset)
                if not known:
                    await self._start_epoch(connection, "stream lost")
                return True
            if rows:
                await self._stream.add(epoch, offset, [(row["id"], row["message"]) for row in rows])
        except FAULTS as fault:
            if not self.degraded:
                log.warning("relay_degraded", error=type(fault).__name__)
            self.degraded = True
            return False
        self.degraded = False
        if rows:
            await connection.execute(SQL.sent, [row["id"] for row in rows], offset + len(rows))
        self.waiting -= len(rows)
        return self.waiting > 0

    async def _sent_before(self, connection: "PoolConnectionProxy[Record]", epoch: str, offset: int) -> bool:
        """Takes out of the outbox what a crashed pass put on the stream; false where the stream holds anything else."""
        assert self._stream is not None
        entries = await self._stream.sent_after(epoch, offset, self._batch)
        rows = [entry.row for entry in entries]
        if [entry.offset for entry in entries] != list(range(offset + 1, offset + 1 + len(rows))):
            return False
        gone = await connection.fetchval(SQL.sent_before, rows, [entry.message for entry in entries])
        await connection.execute(SQL.sent, rows, offset + len(rows))
        return bool(gone == len(rows))

    async def _start_epoch(self, connection: "PoolConnectionProxy[Record]", reason: str) -> None:
        epoch = await connection.fetchval(SQL.new_epoch)
        log.warning("live_epoch_started", epoch=epoch, reason=reason, dropped=self.waiting)
        self.waiting = 0


async def _first_of(stop: asyncio.Event, other: asyncio.Event | None, timeout_s: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, other) if event is not None]
    await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
