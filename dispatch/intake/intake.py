"""The counter of the service: takes reports, groups those that wait into one transaction, and answers after the commit."""

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

import asyncpg
import structlog

from dispatch.city.versions import Cities
from dispatch.domain.errors import BadInput, DispatchError, NothingToActOn, OutcomeUnknown, Overloaded, Unavailable
from dispatch.domain.reports import Report, UnsuitedView
from dispatch.intake.by_place import Pace
from dispatch.intake.candidates import Candidates, Prepared
from dispatch.intake.commit import CityChanged, Held, Incoming, commit
from dispatch.intake.desk import Desk
from dispatch.intake.directive import NONE, Directive
from dispatch.intake.lessons import Teacher
from dispatch.intake.match import Match, match
from dispatch.intake.models import Keeper
from dispatch.intake.planning import candidates
from dispatch.intake.prepare import prepare
from dispatch.intake.read import fingerprint
from dispatch.intake.route import UNSUITED, Route, route
from dispatch.intake.unsuited import unsuited
from dispatch.people.keyring import Keyring
from dispatch.people.principal import Principal
from dispatch.store.clock import Clock
from dispatch.store.pool import AWAY, NO_IDS, Ids, Sequences

log = structlog.get_logger()
BATCH = 128
QUEUE = 2048
# Batches under way at once: while PostgreSQL works on one, the other is decided here.
LANES = 2
# A batch of fewer is not begun beside a larger one: it waits for that commit, no longer, and shares the next.
WORTHWHILE = 16
# How far into the queue a lane looks for what it may take: a storm of one matter must not make each look longer.
LOOK = 4 * BATCH
# How often, and how far apart in seconds, a batch is tried again while the database is away or two batches got in each other's way.
RETRIES = (0.05, 0.2, 0.5, 1.0, 2.0, 2.0)
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
AT_FAULT = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)


@dataclass(frozen=True, slots=True)
class Received:
    """What the sender is told: the answer as JSON and whether it is the first time (201) or a replay (200)."""

    answer: bytes
    status: int


Waiting = tuple[Incoming, asyncio.Future[None]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Reports that are committed together, and what no other batch may touch meanwhile."""

    entries: list[Waiting]
    keys: set[tuple[str, str]]
    neighbourhoods: set[int]


class Intake:
    """`submit` is awaited by the API and by every connector; `run` commits what waits, batch by batch.

    Batches that are under way together share no key and no neighbourhood, so neither waits for the other in the database.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        city: Cities,
        keyring: Keyring,
        clock: Clock,
        ids: Sequences,
        committed: Callable[[Sequence[Incoming], float], None],
        models: Keeper,
    ) -> None:
        self._pool, self._city, self._keyring, self._clock, self._ids = pool, city, keyring, clock, ids
        self._committed, self._models = committed, models
        self._teacher, self._pace = Teacher(), Pace()
        self._waiting: deque[Waiting] = deque()
        self._under_way: list[Batch] = []
        self._wake = asyncio.Event()
        self._space = asyncio.Condition()

    @property
    def depth(self) -> int:
        """Reports waiting for a commit."""
        return len(self._waiting)

    def prepare(self, report: Report, by: Principal, directive: Directive = NONE) -> Prepared | Held:
        """The first half alone; also what a preview shows."""
        return prepare(
            report, city=self._city.current, keyring=self._keyring, by=by, wall=self._clock.wall(), directive=directive,
            models=self._models.current,
        )  # fmt: skip

    async def preview(self, report: Report, by: Principal) -> tuple[Prepared, Match, Route, list[UnsuitedView]]:
        """What would become of a report, and which endings are suggested; stores nothing. Raises the errors of `prepare`."""
        item = self.prepare(report, by)
        if isinstance(item, Held):
            raise NothingToActOn(field=item.field)
        desk = await self._desk(NO_IDS)
        known = await candidates(self._pool, desk, [item])
        at = item.reading.received_at or self._clock.wall()
        found = match(item, Candidates(known, [item]), desk.city, at, desk.lessons, desk.asked)
        suggested = unsuited(item, found, desk.city)
        return item, found, UNSUITED if suggested else route(item, desk.city, at), suggested

    async def submit(self, report: Report, by: Principal, directive: Directive = NONE) -> Received:
        """Takes one report in as `directive` says; returns after its commit.

        Raises the errors of `prepare`, KeyTaken, Overloaded when too many wait, OutcomeUnknown or Unavailable without a database.
        """
        if len(self._waiting) >= QUEUE:
            raise Overloaded(retry_after=1)
        return await self._take(Incoming(self.prepare(report, by, directive), by))

    async def submit_all(
        self, reports: Sequence[Report | DispatchError], by: Principal
    ) -> list[Received | DispatchError]:
        """Takes many in, in order, waiting for room; a bad one harms no neighbour."""
        fates: list[Received | DispatchError | asyncio.Task[Received]] = []
        for report in reports:
            if isinstance(report, DispatchError):
                fates.append(report)
                continue
            while len(self._waiting) >= QUEUE // 2:
                async with self._space:
                    await self._space.wait()
            try:
                fates.append(asyncio.ensure_future(self._take(Incoming(self.prepare(report, by), by))))
            except DispatchError as refusal:
                fates.append(refusal)
            await asyncio.sleep(0)
        return [await _fate(fate) for fate in fates]

    async def set_aside(self, report: Report, reason: str, field: str, by: Principal) -> Received:
        """Puts a report in quarantine that its source cannot be asked about."""
        return await self._take(Incoming(Held(report, fingerprint(report), reason, field, by.name)))

    async def release(self, report: Report, by: Principal, released_by: str) -> Received:
        """Takes a corrected report out of quarantine. Raises what `submit` raises: the desk reads errors, whoever sent it."""
        item = self.prepare(report, by)
        if isinstance(item, Held):
            raise BadInput(field=item.field, problem=f"still cannot be taken in ({item.reason})")
        return await self._take(Incoming(item, by, released_by=released_by))

    async def _take(self, incoming: Incoming) -> Received:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, done))
        self._wake.set()
        # Whoever hangs up cancels only their own waiting, never the report.
        await asyncio.shield(done)
        if incoming.error is not None:
            raise incoming.error
        return Received(incoming.answer, incoming.status)

    async def run(self, stop: asyncio.Event) -> None:
        """Commits batches until `stop` is set and nothing waits any more."""
        stopping = asyncio.ensure_future(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        lanes = [asyncio.ensure_future(self._work(stop)) for _ in range(LANES)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for task in (stopping, *lanes):
                task.cancel()

    async def _work(self, stop: asyncio.Event) -> None:
        while not (stop.is_set() and not self._waiting):
            batch = self._next_batch()
            if batch is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            self._under_way.append(batch)
            reports = [incoming for incoming, _ in batch.entries]
            try:
                await self._commit(reports)
            except Exception:  # the batch's callers are told; the counter stays open
                log.exception("intake.batch_failed", reports=len(batch.entries))
                _refuse([i for i, _ in batch.entries if not i.answer], Unavailable(part="intake", retry_after=5))
            self._under_way.remove(batch)
            for _, done in batch.entries:
                if not done.done():
                    done.set_result(None)
            self._wake.set()
            async with self._space:
                self._space.notify_all()
        self._wake.set()

    def _next_batch(self) -> Batch | None:
        """Those that came first and whose matters are not being decided already; None if it is better to wait for a commit.

        A report that has to wait holds up what came after it with the same key (which will find its first answer) or in the
        same neighbourhood, so that reports of one matter are decided in the order in which they came.
        """
        batch, later = Batch([], set(), set()), list[Waiting]()
        keys = {key for other in self._under_way for key in other.keys}
        taken = {n for other in self._under_way for n in other.neighbourhoods}
        for entry in islice(self._waiting, LOOK):
            if len(batch.entries) == BATCH:
                break
            incoming = entry[0]
            near = incoming.item.neighbourhoods if isinstance(incoming.item, Prepared) else ()
            if incoming.key in keys or not taken.isdisjoint(near):
                taken.update(near)
                later.append(entry)
            else:
                batch.entries.append(entry)
                batch.keys.add(incoming.key)
                batch.neighbourhoods.update(near)
            keys.add(incoming.key)
        busiest = max((len(other.entries) for other in self._under_way), default=1)
        if len(batch.entries) < min(WORTHWHILE, busiest):
            return None
        self._waiting = deque((*later, *islice(self._waiting, len(batch.entries) + len(later), None)))
        return batch

    async def _commit(self, batch: list[Incoming]) -> None:
        """One transaction, tried again after a lost connection or a collision; a guilty report is found by halving.

        Every report has its fate afterwards: an answer or an error.
        """
        refusal: DispatchError = Overloaded(retry_after=1)
        for pause in (*RETRIES, None):
            began = perf_counter()
            try:
                await self._attempt(batch)
            except CityChanged:
                await self._under_new_city(batch)
                refusal = Overloaded(retry_after=1)
            except AGAIN:
                log.info("intake.collision", reports=len(batch))
                refusal = Overloaded(retry_after=1)
            except AWAY as fault:
                log.warning("intake.database_away", error=type(fault).__name__, reports=len(batch))
                refusal = OutcomeUnknown(retry_after=2)
                for incoming in batch:
                    incoming.tried.append(incoming.receipt_no)
            except Exception as fault:
                return await self._narrow(batch, fault)
            else:
                return self._committed(batch, perf_counter() - began)
            if pause is not None:
                await asyncio.sleep(pause)
        _refuse(batch, refusal)

    async def _under_new_city(self, batch: list[Incoming]) -> None:
        """Prepares what waits anew, because places, kinds and units may have changed; what the new city refuses leaves the batch."""
        await self._city.refresh(self._pool)
        log.info("intake.city_changed", version=self._city.current.version, reports=len(batch))
        for incoming in list(batch):
            if incoming.by is None or isinstance(incoming.item, Held):
                continue
            try:
                incoming.item = self.prepare(incoming.report, incoming.by, incoming.item.directive)
            except DispatchError as refusal:
                _refuse([incoming], refusal)
                batch.remove(incoming)

    async def _narrow(self, batch: list[Incoming], fault: Exception) -> None:
        """A fault of one report: its neighbours live; alone it is refused, or quarantined where its source reads no errors."""
        if not _of_one_report(fault):
            log.error("intake.storage_failed", reports=len(batch), error=type(fault).__name__)
            return _refuse(batch, Unavailable(part="storage", retry_after=5))
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._commit(batch[:middle])
            return await self._commit(batch[middle:])
        incoming, problem = batch[0], getattr(fault, "constraint_name", None) or type(fault).__name__
        where = traceback.extract_tb(fault.__traceback__)[-1]
        log.error(
            "intake.report_refused",
            problem=problem,
            receipt_no=incoming.receipt_no,
            where=f"{where.name}:{where.lineno}",
        )
        if isinstance(incoming.item, Prepared) and incoming.item.backfill:
            incoming.item = Held(
                incoming.report, incoming.fingerprint, "refused-by-schema", problem, incoming.item.by, backfill=True
            )
            return await self._commit(batch)
        if isinstance(fault, DispatchError):
            return _refuse(batch, fault)
        if isinstance(fault, AT_FAULT):
            return _refuse(batch, BadInput(field="report", problem=f"the database refused it ({problem})"))
        _refuse(batch, Unavailable(part="intake", retry_after=5))

    async def _attempt(self, batch: list[Incoming]) -> None:
        count = len(batch)
        for incoming in batch:
            incoming.answer, incoming.status, incoming.error = b"", 0, None
        ids = await self._ids.reserve(case=count, report=count, text=count, assignment=8 * count)
        desk = await self._desk(ids)
        async with self._pool.acquire() as connection, connection.transaction():
            await commit(connection, desk, batch)
        self._pace.note([i.item for i in batch if isinstance(i.item, Prepared) and i.status == 201])

    async def _desk(self, ids: Ids) -> Desk:
        lessons, asked = await self._teacher.lessons(self._pool), self._pace.asked(self._models.current.located)
        return Desk(self._city.current, self._keyring, self._clock, ids, lessons, asked)


def _of_one_report(fault: Exception) -> bool:
    """Whether what went wrong can be one report's doing; a missing partition or a full disk is nobody's."""
    if isinstance(fault, asyncpg.CheckViolationError):
        return bool(fault.constraint_name)
    return isinstance(fault, AT_FAULT) or not isinstance(fault, asyncpg.PostgresError)


def _refuse(batch: Sequence[Incoming], refusal: DispatchError) -> None:
    for incoming in batch:
        incoming.answer, incoming.status, incoming.error = b"", 0, refusal


async def _fate(fate: Received | DispatchError | asyncio.Task[Received]) -> Received | DispatchError:
    if not isinstance(fate, asyncio.Task):
        return fate
    try:
        return await fate
    except DispatchError as refusal:
        return refusal
