"""Hints between processes: NOTIFY after a commit, rate-limited; whoever misses one polls anyway."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import asyncpg
import structlog

from dispatch.store.statements import load

SQL = load(__file__, "store")
CHANNEL = "dispatch_changed"
# A busy intake commits hundreds of times a second; one hint in this many seconds wakes the others soon enough.
SPACING_S = 0.05
RECONNECT_S = 2.0
log = structlog.get_logger()


class Signals:
    """Sends and receives the hint that something was committed."""

    def __init__(self, pool: asyncpg.Pool, direct_url: str, woken: Callable[[], None]) -> None:
        self._pool, self._url, self._woken = pool, direct_url, woken
        self._pending: asyncio.Task[None] | None = None
        self._last = 0.0
        self._untold = False

    def changed(self) -> None:
        """Something was committed here: wakes this process and the others, at once after a pause, else with what follows."""
        self._untold = True
        if self._pending is None or self._pending.done():
            self._pending = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            await asyncio.sleep(max(0.0, self._last + SPACING_S - monotonic()))
            self._last, self._untold = monotonic(), False
            self._woken()
            await self._notify()

    async def _notify(self) -> None:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._pool.execute(SQL.notify, CHANNEL, "")

    async def run(self, stop: asyncio.Event) -> None:
        """Listens until told to stop; a lost connection is made anew."""
        while not stop.is_set():
            try:
                connection = await asyncpg.connect(self._url, server_settings={"application_name": "dispatch-listen"})
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
                log.info("signals.database_away", error=type(fault).__name__)
                await _either(stop, asyncio.sleep(RECONNECT_S))
                continue
            closed = asyncio.Event()
            connection.add_termination_listener(lambda _: closed.set())  # noqa: B023
            try:
                await connection.add_listener(CHANNEL, lambda *_: self._woken())
                self._woken()
                await _either(stop, closed.wait())
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
                log.info("signals.database_away", error=type(fault).__name__)
            finally:
                connection.terminate()


async def _either(stop: asyncio.Event, other: object) -> None:
    tasks = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(other)]  # type: ignore[call-overload]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
