"""Regular house-keeping. What concerns the whole city is claimed in `job_runs`, so that one of all processes does it once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from dispatch.casework.actions import SQL as ACTIONS
from dispatch.store.clock import SQL, Clock
from dispatch.store.pool import Connection

log = structlog.get_logger()
logging.getLogger("apscheduler").setLevel(logging.WARNING)  # a line for every tick says nothing
KEEP_ANSWERS = timedelta(days=2)
WORDS_S = 5.0


class Ticks:
    """An APScheduler of this process; never used for deadlines of cases."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def here(self, every_s: float, job: Callable[[], Awaitable[object]]) -> None:
        """Runs `job` in this process every `every_s` seconds."""
        self._scheduler.add_job(_guarded(job), "interval", seconds=every_s)

    def city_wide(self, name: str, hours: int, job: Callable[[Connection, datetime], Awaitable[object]]) -> None:
        """Runs `job` once for all processes, every `hours` hours of the day; one that fails gives its claim back."""

        async def claimed() -> None:
            async with self._pool.acquire() as connection, connection.transaction():
                now = await self._clock.now(connection)
                slot = now.replace(hour=now.hour // hours * hours, minute=0, second=0, microsecond=0)
                if await connection.fetchval(SQL.claim_job, name, slot):
                    await job(connection, now)

        self._scheduler.add_job(_guarded(claimed), "interval", minutes=5, next_run_time=datetime.now().astimezone())

    async def run(self, stop: asyncio.Event) -> None:
        """Ticks until told to stop."""
        self.city_wide("make_partitions", 24, lambda at, now: at.fetchval(SQL.make_partitions, now.date(), 3))
        self.city_wide("forget_answers", 1, lambda at, now: at.execute(ACTIONS.forget_answers, now - KEEP_ANSWERS))
        self.here(WORDS_S, lambda: self._pool.execute(SQL.settle_words))
        self._scheduler.start()
        try:
            await stop.wait()
        finally:
            self._scheduler.shutdown(wait=False)


def _guarded(job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        # A tick that is under way when the process stops is simply given up.
        with suppress(asyncio.CancelledError):
            await _try(job)

    return run


async def _try(job: Callable[[], Awaitable[object]]) -> None:
    try:
        await job()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
        log.info("ticks.database_away", error=type(fault).__name__)
