"""The deadline loop and its peers, each as its documentation says it works best, in front of the same effect.

A peer's job is one deadline: its handler lets one case act, by the code with which the loop lets a batch of them act. Each
handler that has come to the end of its effect writes a line to a file, so that what ran twice is seen although the effect,
which looks at the deadline under the case's lock, did nothing the second time.

| contender     | as                                                                                                     |
|---------------|--------------------------------------------------------------------------------------------------------|
| ours          | the service's loop with its hints: batches of 100, at most a second's sleep                            |
| pgqueuer      | a connection of its own for the manager, `execute_after`, LISTEN, batches of 50, its autovacuum settings|
| procrastinate | psycopg pool, LISTEN, as many jobs at once as the pool has connections, asks for due jobs each 0.1 s   |
| APScheduler 3 | AsyncIOScheduler, SQLAlchemyJobStore that both share, no misfire limit, no coalescing                  |
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Protocol

import asyncpg
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

from dispatch import bootstrap
from dispatch.bootstrap import Services
from dispatch.settings import Settings
from tests.harness.town import KEYRING

POOL = 8
POLL_S = 0.1
BATCH = 50
STOPPED = "stopped"
Planned = Sequence[tuple[int, datetime]]
Ready = Callable[[], None]


class Contender(Protocol):
    """One way to let deadlines act when they are due."""

    name: str

    async def prepare(self, url: str) -> None:
        """What it needs in the database, once."""

    async def plan(self, url: str, planned: Planned) -> None:
        """Schedules (case, instant) pairs and forgets those of the run before; the workers start afterwards."""

    async def work(self, url: str, ran: Path, ready: Ready) -> None:
        """One worker process, until it is ended."""


def settings(url: str) -> Settings:
    """Of the service in a worker process."""
    return Settings(url, url, None, pool_size=POOL)


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done when the deadline of one case is due."""

    services: Services
    ran: int

    @classmethod
    def of(cls, services: Services, ran: Path) -> "Effect":
        """With a file of the process's own to which its runs are written."""
        return cls(services, os.open(ran, os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    async def __call__(self, case_id: int) -> None:
        """One case acts, in a transaction of its own, and the run is put down."""
        at = self.services
        async with at.pool.acquire() as connection, connection.transaction():
            await at.deadlines._fire_cases(connection, [case_id], await at.clock.now(connection))
        os.write(self.ran, b"%d\n" % case_id)

    def stopped(self) -> None:
        """Nothing is fired by this process any more."""
        os.write(self.ran, f"{STOPPED}\n".encode())


async def _warm(services: Services) -> None:
    """Opens every connection of the pool, so that no contender opens one while it is measured."""
    held = [await services.pool.acquire() for _ in range(POOL)]
    for connection in held:
        await services.pool.release(connection)


class Ours:
    """The service's own loop."""

    name = "ours"

    async def prepare(self, url: str) -> None:
        return None

    async def plan(self, url: str, planned: Planned) -> None:
        return None  # what is due stands in the table of deadlines

    async def work(self, url: str, ran: Path, ready: Ready) -> None:
        async with bootstrap.services(settings(url), KEYRING) as services:
            await _warm(services)
            stop = asyncio.Event()
            ready()
            await asyncio.gather(services.loop.run(stop), services.signals.run(stop))


class PgQueuerPeer:
    """pgqueuer."""

    name = "pgqueuer"

    async def prepare(self, url: str) -> None:
        connection = await asyncpg.connect(url)
        queries = Queries.from_asyncpg_connection(connection)
        await queries.install()
        await queries.optimize_autovacuum()
        await connection.close()

    async def plan(self, url: str, planned: Planned) -> None:
        connection = await asyncpg.connect(url)
        queries = Queries.from_asyncpg_connection(connection)
        await queries.clear_queue()
        # What it takes is a distance from the transaction's beginning.
        async with connection.transaction():
            now: datetime = await connection.fetchval("SELECT now()")
            count = len(planned)
            await queries.enqueue(
                ["fire"] * count,
                [b"%d" % case_id for case_id, _ in planned],
                [0] * count,
                execute_after=[at - now for _, at in planned],
            )
        await connection.execute("VACUUM ANALYZE pgqueuer")
        await connection.close()

    async def work(self, url: str, ran: Path, ready: Ready) -> None:
        connection = await asyncpg.connect(url)
        async with bootstrap.services(settings(url), KEYRING) as services:
            await _warm(services)
            fire = Effect.of(services, ran)
            manager = PgQueuer.from_asyncpg_connection(connection)

            @manager.entrypoint("fire")
            async def handle(job: Job) -> None:
                await fire(int(job.payload or b""))

            ready()
            await manager.run(batch_size=BATCH)


class ProcrastinatePeer:
    """procrastinate."""

    name = "procrastinate"

    async def prepare(self, url: str) -> None:
        async with _app(url).open_async() as app:
            await app.schema_manager.apply_schema_async()

    async def plan(self, url: str, planned: Planned) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("TRUNCATE procrastinate_jobs CASCADE")
        async with _app(url).open_async() as app:
            for at, due in groupby(planned, key=lambda one: one[1]):
                jobs = app.configure_task("fire", schedule_at=at)
                each: list[JSONDict] = [{"case_id": case_id} for case_id, _ in due]
                await jobs.batch_defer_async(*each)
        await connection.execute("VACUUM ANALYZE procrastinate_jobs")
        await connection.close()

    async def work(self, url: str, ran: Path, ready: Ready) -> None:
        app = _app(url)
        async with app.open_async(), bootstrap.services(settings(url), KEYRING) as services:
            await _warm(services)
            fire: Callable[[int], Awaitable[None]] = Effect.of(services, ran)

            @app.task(name="fire")
            async def handle(case_id: int) -> None:
                await fire(case_id)

            ready()
            await app.run_worker_async(
                concurrency=POOL, fetch_job_polling_interval=POLL_S, delete_jobs="always", install_signal_handlers=False
            )


def _app(url: str) -> App:
    return App(connector=PsycopgConnector(conninfo=url, min_size=2, max_size=POOL))


class SchedulerPeer:
    """APScheduler 3, two schedulers on one store."""

    name = "APScheduler"

    async def prepare(self, url: str) -> None:
        return None

    async def plan(self, url: str, planned: Planned) -> None:
        scheduler = _scheduler(url)
        scheduler.start(paused=True)
        scheduler.remove_all_jobs()
        for case_id, at in planned:
            scheduler.add_job(scheduled, "date", run_date=at, args=[case_id], id=str(case_id))
        scheduler.shutdown(wait=False)

    async def work(self, url: str, ran: Path, ready: Ready) -> None:
        global _scheduled
        async with bootstrap.services(settings(url), KEYRING) as services:
            await _warm(services)
            _scheduled = Effect.of(services, ran)
            # What goes wrong in its timer ends there: no error reaches anybody, and nothing fires any more.
            asyncio.get_running_loop().set_exception_handler(lambda *_: _scheduled.stopped())
            _scheduler(url).start()
            ready()
            await asyncio.Event().wait()


_scheduled: Effect


async def scheduled(case_id: int) -> None:
    """What the store names: the handler of the process that runs it."""
    await _scheduled(case_id)


def _scheduler(url: str) -> AsyncIOScheduler:
    store = SQLAlchemyJobStore(url=url.replace("postgresql://", "postgresql+psycopg://", 1))
    return AsyncIOScheduler(
        jobstores={"default": store}, job_defaults={"misfire_grace_time": None, "coalesce": False}, timezone="UTC"
    )


PEERS: tuple[Contender, ...] = (PgQueuerPeer(), ProcrastinatePeer(), SchedulerPeer())
