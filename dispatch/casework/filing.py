"""Adding a file to a case (上传附件), by who has something to do with it.

| who                                   | may add to                                                                     |
|---------------------------------------|---------------------------------------------------------------------------------|
| a unit (`case.reply`)                 | a case in which it has a task that was neither returned nor taken back          |
| a desk (`case.desk`, `case.dispatch`) | a case that it sees                                                             |
| a collector (`check.report`)          | a case that a visit of theirs, or of nobody in particular, is to be made for    |

The content goes to the storage first and the row after it, in one action: a row always has its content. What a crash or a refusal
leaves in the storage without a row is swept once it is a day old.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import asyncpg
import msgspec
import structlog

from dispatch.casework import inspections, record
from dispatch.casework.actions import Workplace, sees
from dispatch.domain.cases import Assignment, Change
from dispatch.domain.errors import BadInput, DispatchError, NotFound, RuleBroken
from dispatch.files import reading
from dispatch.files.errors import StorageAway
from dispatch.files.reading import AHEAD, PICTURES, Content, Point
from dispatch.files.storage import Storage, new_key
from dispatch.intake.locate import metres
from dispatch.people.keyring import CaseKey, aad
from dispatch.people.principal import Principal
from dispatch.people.scope import is_complained_about
from dispatch.store.pool import Connection, Executor, one
from dispatch.store.statements import load

SQL = load(__file__, "filing")
log = structlog.get_logger()
Kind = Literal["before", "after", "document"]
ORPHANED: Final = timedelta(days=1)
SWEPT_AT_ONCE: Final = 500
# Pictures that one process makes anew at a time: each may take a few hundred MB while that lasts.
_ANEW: Final = 2


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it arrived, and what its sender said of it: WGS-84 degrees, an instant."""

    content: bytes
    kind: Kind
    point: Point | None = None
    taken_at: datetime | None = None


class Added(msgspec.Struct, frozen=True):
    """A file of a case. `bytes` is what is kept, `sha256` of what was sent; the place is that of the picture, else of the sender."""

    file_id: str
    case_no: str
    kind: Kind
    type: str
    bytes: int
    sha256: str
    round: int
    taken_at: datetime | None
    placed_by: str | None
    distance_m: int | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """A held case, why this person may add to it, and the key that seals what they add."""

    change: Change
    now: datetime
    task: Assignment | None
    check_id: int | None
    key: CaseKey


class Filing:
    """Files of cases in one storage."""

    def __init__(self, at: Workplace, storage: Storage | None) -> None:
        self._at, self._storage = at, storage
        self._anew = asyncio.Semaphore(_ANEW)

    @property
    def storage(self) -> Storage:
        """Raises StorageAway where none was set up."""
        if self._storage is None:
            raise StorageAway
        return self._storage

    async def add(self, case_no: str, sent: Sent, by: Principal) -> tuple[Added, int]:
        """Keeps a file; returns it with 201, or the first one with 200 for the same bytes again.

        Raises NotPermitted, NotFound, BadInput, TooLarge, RuleBroken, StorageAway.
        """
        at, storage, digest = self._at, self.storage, hashlib.sha256(sent.content).digest()
        by.require("file.add")
        async with at.pool.acquire() as connection, connection.transaction():
            standing = await _standing(at, connection, case_no, by)
            if (first := await _first(connection, standing, digest)) is not None:
                return first, 200
            await _room_for_one_more(at, connection, standing)
        rules, city = at.cities.current.files, at.cities.current
        type_ = reading.checked(sent.content, rules.most)
        if sent.kind != "document" and type_ == "pdf":
            raise BadInput(field="kind", problem="work is shown in pictures: a pdf is a document")
        if sent.taken_at is not None and sent.taken_at > standing.now + AHEAD:
            raise BadInput(field="X-Taken-At", problem="lies in the future")
        async with self._anew:
            content = await asyncio.to_thread(reading.read, sent.content, type_, city.tz, standing.now)
        file_id, storage_key = int(await at.pool.fetchval(SQL.next_id)), new_key()
        nonce, sealed = standing.key.seal(content.data, aad("files", "content", file_id))
        await storage.put(storage_key, sealed)
        try:
            added, status = await self._enter(case_no, sent, by, content, digest, (file_id, storage_key, nonce))
        except DispatchError:
            await self._forget(storage_key)
            raise
        if status != 201:
            await self._forget(storage_key)
        return added, status

    async def _enter(
        self, case_no: str, sent: Sent, by: Principal, content: Content, digest: bytes, kept: tuple[int, str, bytes]
    ) -> tuple[Added, int]:
        """The row of a content that is in the storage, with its line in the record. Meanwhile anything may have happened."""
        at, (file_id, storage_key, nonce) = self._at, kept
        async with at.pool.acquire() as connection, connection.transaction():
            standing = await _standing(at, connection, case_no, by)
            if (first := await _first(connection, standing, digest)) is not None:
                return first, 200
            await _room_for_one_more(at, connection, standing)
            change, case = standing.change, standing.change.case
            moment = change.instant(standing.now)
            placed_by, place, distance = _placed(standing, sent, content, file_id)
            row = (
                file_id, case.id, standing.task.id if standing.task else None, standing.check_id, case.round, sent.kind, content.type,
                len(content.data), digest, storage_key, nonce, content.taken_at or sent.taken_at, placed_by, *place, distance,
                by.name, moment,
            )  # fmt: skip
            added = _added(case.case_no, await one(connection, SQL.insert, *row))
            change.event(
                "file_added", moment, by.name, file=file_id, kind=sent.kind, file_type=content.type, bytes=added.bytes, sha256=added.sha256,
                round=case.round, assignment=row[2], check=standing.check_id,
            )  # fmt: skip
            await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
            return added, 201

    async def _forget(self, storage_key: str) -> None:
        """What was refused need not wait for the sweep; if it cannot go now, it goes then."""
        try:
            await self.storage.delete(storage_key)
        except StorageAway:
            log.info("files.left_to_the_sweep")


async def _standing(at: Workplace, connection: Connection, case_no: str, by: Principal) -> _Standing:
    """Holds the case. Raises NotFound for who may not see it, RuleBroken for who has nothing to do with it or where none can be added."""
    change, told = await record.hold_numbered(connection, case_no)
    if change is None or told is None:
        raise NotFound(noun="case", key=case_no)
    task, check_id = _task_of(change, by, at), await _visit_of(at, connection, change, by)
    seen = by.may("case.read") and sees(change, by, at.cities.current)
    if not seen and check_id is None:
        raise NotFound(noun="case", key=case_no)
    if check_id is None and not (task or by.may("case.desk") or by.may("case.dispatch")):
        raise RuleBroken(problem="your unit has no task in this case", field="assignment")
    keys = await record.case_keys(connection, at.keyring, [change.case.id])
    if change.case.state == "merged" or change.case.id not in keys:
        raise RuleBroken(problem="nothing can be added: it is part of another case, or was erased", field="case_no")
    return _Standing(change, at.clock.when(told), task if seen else None, check_id, keys[change.case.id])


def _task_of(change: Change, by: Principal, at: Workplace) -> Assignment | None:
    """The task for which the unit of `by`, or one below it, adds something: its own first, the newest."""
    units = at.cities.current.units
    below = units.subtree(by.unit) if by.may("case.reply") and by.unit in units else frozenset[str]()
    tasks = [a for a in change.assignments if a.unit in below and a.state not in ("returned", "withdrawn")]
    return max(tasks, key=lambda a: (a.unit == by.unit, a.id), default=None)


async def _visit_of(at: Workplace, connection: Connection, change: Change, by: Principal) -> int | None:
    """The visit for which a collector adds something."""
    city, case = at.cities.current, change.case
    if not by.may("check.report") or case.restricted or is_complained_about(by, case.about_unit, city.units):
        return None
    row = await connection.fetchrow(SQL.visit, case.id, by.name)
    if row is None or (row["kind"] == inspections.KIND and by.unit in inspections.concerned(change, city)):
        return None
    return int(row["id"])


async def _first(connection: Connection, standing: _Standing, digest: bytes) -> Added | None:
    """The same bytes, if the case has them already."""
    case = standing.change.case
    row = await connection.fetchrow(SQL.same, case.id, digest)
    return None if row is None else _added(case.case_no, row)


async def _room_for_one_more(at: Workplace, connection: Connection, standing: _Standing) -> None:
    most = at.cities.current.files.max_per_case
    if await connection.fetchval(SQL.how_many, standing.change.case.id) >= most:
        raise RuleBroken(problem=f"the case has {most} files already, and no more are taken", field="files")


def _placed(
    standing: _Standing, sent: Sent, content: Content, file_id: int
) -> tuple[str | None, tuple[bytes | None, bytes | None], int | None]:
    """Who says where it was taken, the place sealed, and how far that is from the case's, in metres."""
    point, placed_by = (content.point, "picture") if content.point is not None else (sent.point, "sender")
    if point is None or content.type not in (*PICTURES, "mp4"):
        return None, (None, None), None
    case = standing.change.case
    away = None if case.lon is None or case.lat is None else round(metres(case.lon, case.lat, *point))
    return placed_by, standing.key.seal(msgspec.json.encode(point), aad("files", "place", file_id)), away


def _added(case_no: str, row: asyncpg.Record) -> Added:
    return Added(
        str(row["id"]), case_no, row["kind"], row["type"], row["bytes"], row["sha256"].hex(), row["round"], row["taken_at"],
        row["placed_by"], row["distance_m"],
    )  # fmt: skip


async def sweep(executor: Executor, storage: Storage, now: datetime) -> int:
    """Removes what the storage has kept for a day without a row of its own; returns how many."""
    swept, waiting = 0, list[str]()
    async for key, written in storage.kept():
        if written < now - ORPHANED:
            waiting.append(key)
        if len(waiting) >= SWEPT_AT_ONCE:
            swept += await _swept(executor, storage, waiting)
            waiting = []
    return swept + await _swept(executor, storage, waiting)


async def _swept(executor: Executor, storage: Storage, keys: Sequence[str]) -> int:
    orphans = [row["key"] for row in await executor.fetch(SQL.without_row, keys)] if keys else []
    for key in orphans:
        await storage.delete(key)
    return len(orphans)
