"""The only place where parts are wired together."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import asyncpg
import structlog
from aiohttp import web
from redis.asyncio import Redis

from dispatch.api import (
    appeals,
    attachments,
    audit,
    callers,
    cases,
    checks,
    city,
    desk,
    desk_calls,
    dialogue,
    dispatch_desk,
    emergencies,
    escalations,
    files,
    followups,
    handover,
    incidents,
    knowledge,
    load,
    orders,
    reports,
    requests,
    rosters,
    rulings,
    session,
    stats,
    track,
    webhooks,
)
from dispatch.api.app import build_app
from dispatch.audit.checkpoints import take
from dispatch.casework.actions import Workplace
from dispatch.casework.deadlines import Deadlines
from dispatch.casework.escalations import Escalations
from dispatch.casework.filing import Filing, sweep
from dispatch.casework.sweeping import Sweeper
from dispatch.city.versions import Cities
from dispatch.desk.knowledge import flag
from dispatch.domain.errors import Unavailable
from dispatch.files.storage import open_storage
from dispatch.indicators.keeping import Upkeep, name_forgotten
from dispatch.indicators.rules import Rulebook
from dispatch.intake.commit import Incoming
from dispatch.intake.intake import Intake
from dispatch.intake.models import Keeper
from dispatch.intake.quarantine import Quarantine
from dispatch.intake.sensors import Sensors
from dispatch.live.hub import Hub
from dispatch.live.listeners import Audience
from dispatch.live.relay import Relay
from dispatch.live.socket import Socket
from dispatch.live.stream import Stream
from dispatch.metrics import Metrics, new_metrics
from dispatch.notices import digests
from dispatch.notices.outbound import Outbound
from dispatch.notices.sending import Sender
from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.people.principal import Principal
from dispatch.people.scope import scope_of
from dispatch.settings import Settings
from dispatch.store.clock import SQL, Clock, SystemClock
from dispatch.store.pool import Sequences, open_pool
from dispatch.store.signals import Signals
from dispatch.ticks import Ticks
from sla.loop import DeadlineLoop

log = structlog.get_logger()
Check = Callable[[], Awaitable[Literal["ok", "degraded"]]]
ROUTES = [
    *session.ROUTES, *reports.ROUTES, *cases.ROUTES, *escalations.ROUTES, *desk.ROUTES, *rosters.ROUTES, *webhooks.ROUTES,
    *city.ROUTES, *knowledge.ROUTES, *incidents.ROUTES, *attachments.ROUTES, *callers.ROUTES, *desk_calls.ROUTES,
    *checks.ROUTES, *handover.ROUTES, *dispatch_desk.ROUTES,
    *rulings.ROUTES, *audit.ROUTES, *requests.ROUTES, *followups.ROUTES, *track.ROUTES, *dialogue.ROUTES,
    *stats.ROUTES, *files.ROUTES, *orders.ROUTES, *load.ROUTES,
    *emergencies.ROUTES, *appeals.ROUTES,
]  # fmt: skip

# Steps of deadlines that one process takes a second at most when it catches up after downtime.
FIRED_PER_S = 2_000.0


@dataclass(slots=True)
class Services:
    """Everything a handler may reach."""

    settings: Settings
    pool: asyncpg.Pool
    cities: Cities
    keyring: Keyring
    clock: Clock
    people: People
    metrics: Metrics
    models: Keeper
    intake: Intake
    workplace: Workplace
    filing: Filing
    quarantine: Quarantine
    sensors: Sensors
    escalations: Escalations
    deadlines: Deadlines
    hub: Hub
    socket: Socket
    relay: Relay
    loop: DeadlineLoop
    signals: Signals
    sender: Sender
    sweeper: Sweeper
    ticks: Ticks
    upkeep: Upkeep
    cursor_key: bytes
    checks: Mapping[str, Check]
    # Parts that stopped running although nobody asked them to: then the process is not ready any more.
    ended: set["asyncio.Task[None]"]

    def changed(self) -> None:
        """Something was committed: the relay, the deadline loop and the other processes are told."""
        self.signals.changed()


@asynccontextmanager
async def services(settings: Settings, keyring: Keyring, clock: Clock | None = None) -> AsyncIterator[Services]:
    """The parts of one process, connected; nothing runs yet. Raises Unavailable where no city was loaded."""
    clock = clock or SystemClock()
    pool = await open_pool(settings.database_url, size=settings.pool_size)
    redis = Redis.from_url(settings.redis_url) if settings.redis_url else None
    try:
        async with Outbound(allow_private=settings.allow_private_webhooks) as outbound:
            yield await _wire(settings, keyring, clock, pool, redis, outbound)
    finally:
        if redis is not None:
            await redis.aclose()
        await pool.close()


async def _wire(
    settings: Settings, keyring: Keyring, clock: Clock, pool: asyncpg.Pool, redis: Redis | None, outbound: Outbound
) -> Services:
    cities, metrics, ids, models = await Cities.open(pool), new_metrics(), Sequences(pool), Keeper()
    await models.refresh(pool)
    stream = Stream(redis) if redis is not None else None
    relay, hub = Relay(pool, stream), Hub(pool, stream)
    deadlines = Deadlines(pool, cities, keyring, clock, metrics, lambda: signals.changed())
    loop = DeadlineLoop(deadlines, poll_s=1.0, batch=100, per_s=FIRED_PER_S)
    sender = Sender(pool, outbound, keyring, clock, metrics.notices_sent)

    def woken() -> None:
        for part in (relay, loop, sender):
            part.hint()

    signals = Signals(pool, settings.direct_url, woken)

    def committed(batch: Sequence[Incoming], seconds: float) -> None:
        for incoming in batch:
            metrics.reports.labels("refused" if incoming.error else str(incoming.status)).inc()
        metrics.batch_size.observe(len(batch))
        metrics.commit_seconds.observe(seconds)
        signals.changed()

    intake = Intake(pool, cities, keyring, clock, ids, committed, models)
    people = People(pool, keyring, clock)
    workplace = Workplace(
        pool, cities, keyring, clock, ids, models, unusual=lambda kind: metrics.unusual_looks.labels(kind).inc()
    )

    async def authenticate(token: str) -> Principal:
        principal = await people.authenticate({"Authorization": f"Bearer {token}"}, {}, "GET")
        assert principal is not None
        return principal

    def audience(principal: Principal) -> Audience:
        scope = scope_of(principal, cities.current.units)
        inbox = frozenset((f"account:{principal.name}", f"unit:{principal.unit}"))
        return Audience(scope.units, "restricted.read" in principal.permissions, inbox)

    ended: set[asyncio.Task[None]] = set()
    return Services(
        settings, pool, cities, keyring, clock, people, metrics, models, intake, workplace, _filing(settings, workplace),
        Quarantine(pool, intake, keyring, clock), Sensors(pool, cities, intake, keyring, clock, metrics), Escalations(workplace), deadlines, hub,
        Socket(hub, authenticate, audience), relay, loop, signals, sender,
        Sweeper(pool, cities, keyring, clock, signals.changed), Ticks(pool, clock), Upkeep(pool, Rulebook(cities)),
        hmac.digest(keyring.signing.keys[keyring.signing.current], b"cursors", "sha256"), _checks(pool, clock, hub, relay, ended), ended,
    )  # fmt: skip


def _filing(settings: Settings, workplace: Workplace) -> Filing:
    if settings.files_url is None:
        log.warning("files.no_storage", detail="DISPATCH_FILES_URL is not set: no file can be added")
    return Filing(workplace, open_storage(settings.files_url) if settings.files_url else None)


def _checks(
    pool: asyncpg.Pool, clock: Clock, hub: Hub, relay: Relay, ended: set[asyncio.Task[None]]
) -> Mapping[str, Check]:
    async def database() -> Literal["ok"]:
        await pool.fetchval(SQL.database_time)
        return "ok"

    async def partitions() -> Literal["ok"]:
        if await pool.fetchval(SQL.missing_partition, clock.wall()):
            raise Unavailable(part="the partition of next month", retry_after=3600)
        return "ok"

    async def live() -> Literal["ok", "degraded"]:
        return "degraded" if hub.degraded or relay.degraded else "ok"

    async def parts() -> Literal["ok"]:
        if ended:
            raise Unavailable(part=", ".join(sorted(task.get_name() for task in ended)), retry_after=60)
        return "ok"

    return {"database": database, "partitions": partitions, "live": live, "parts": parts}


@asynccontextmanager
async def running(at: Services) -> AsyncIterator[web.Application]:
    """The application of `at` with everything that runs beside it; on leaving, what was taken in is finished first."""
    stop, drained = asyncio.Event(), asyncio.Event()
    at.ticks.here(5.0, lambda: at.cities.refresh(at.pool))
    at.ticks.here(10.0, lambda: at.models.refresh(at.pool))
    at.ticks.here(1.0, at.sensors.ripen)
    at.ticks.here(1.0, lambda: at.sweeper.run())
    at.ticks.here(5.0, lambda: _audit(at))
    at.ticks.city_wide("flag_articles", 1, flag)
    if at.settings.files_url is not None:
        at.ticks.city_wide("sweep_files", 24, lambda connection, now: sweep(connection, at.filing.storage, now))
    at.ticks.city_wide("digests", 1, digests.make)
    at.ticks.city_wide("checkpoint", 24, lambda connection, now: take(connection, at.keyring, now))
    at.ticks.city_wide("name_forgotten", 24, lambda connection, now: name_forgotten(connection))
    background = [
        asyncio.create_task(work, name=name)
        for name, work in (
            ("loop", at.loop.run(stop)), ("relay", at.relay.run(stop)), ("hub", at.hub.run(stop)), ("signals", at.signals.run(stop)),
            ("sender", at.sender.run(stop)), ("ticks", at.ticks.run(stop)), ("upkeep", at.upkeep.run(stop)),
        )
    ]  # fmt: skip
    intake = asyncio.create_task(at.intake.run(drained), name="intake")
    for task in (*background, intake):
        task.add_done_callback(at.ended.add)
        task.add_done_callback(_must_not_end)
    try:
        yield build_app(at, ROUTES, websocket_routes=city.WEBSOCKETS)
    finally:
        drained.set()
        await intake
        stop.set()
        await asyncio.gather(*background, return_exceptions=True)


def _must_not_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("service.part_ended", part=task.get_name(), exc_info=task.exception())


async def _audit(at: Services) -> None:
    late, seconds = await at.deadlines.late()
    at.metrics.deadlines_late_seconds.set(seconds)
    at.metrics.queue_depth.set(at.intake.depth)
    at.metrics.quarantine_open.set(await at.quarantine.waiting())
    at.metrics.outbox_waiting.set(at.relay.waiting)
    at.metrics.live_clients.set(at.hub.listening)
    if timedelta(seconds=seconds) > timedelta(minutes=1):
        log.error("deadlines.late", late=late, seconds=round(seconds, 1))
