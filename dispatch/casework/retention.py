"""Retention (留存期限): what is past its period is erased, under a role of the database that may do that and nobody else (b12).

| what            | after `[retention]` months from | what is done                                                                  |
|-----------------|--------------------------------|-------------------------------------------------------------------------------|
| words           | the end of the case             | its key and what search keeps of it are destroyed, its callers detached         |
| quarantine      | the end of the entry (as words)  | the entry goes, with what it could not be read from                             |
| notices         | their making                    | they go, but for those that still have to be sent                               |
| action_keys     | the answer                      | they go                                                                        |
| access_log      | the end of the month            | the partition is dropped by a function with bounds of its own                    |

A case that is open, that an appeal or an order waits about, or that is held (`holds`) is left alone. What happened stays: the events
of a case, with one more, `redacted`; its figures; and how much was erased, in `retention_runs`. A caller of whom no case is left is
erased in place: who called is then nobody, and nothing points there. Work is done in chunks, each a transaction: what was broken off goes
on where it stopped, for what is done is found no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from dispatch.casework import record
from dispatch.casework.actions import Workplace
from dispatch.casework.moving import lock
from dispatch.city.model import Retention
from dispatch.store.pool import Connection, Executor, one
from dispatch.store.statements import load

SQL = load(__file__, "retention")
ROLE: Final = "dispatch_retention"
ACTOR: Final = "retention"
CASES, ROWS = 100, 5_000


@dataclass(frozen=True, slots=True)
class Due:
    """How much is past its period: cases, rows, and months of the access log."""

    words: int
    quarantine: int
    notices: int
    action_keys: int
    access_log: tuple[date, ...]

    @property
    def total(self) -> int:
        return self.words + self.quarantine + self.notices + self.action_keys + len(self.access_log)


@dataclass(slots=True)
class Erased:
    """What a run has erased; months of the access log that the database kept, with the constraint that did."""

    words: int = 0
    callers: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    access_log: list[date] = field(default_factory=list)
    kept: dict[date, str] = field(default_factory=dict)


async def due(connection: Executor, periods: Retention, now: datetime) -> Due:
    """What a run at `now` would erase; changes nothing."""
    counted = await one(connection, SQL.due, now, periods.words, periods.notices, periods.action_keys)
    months = await connection.fetch(SQL.months_due, now, periods.access_log)
    return Due(**counted, access_log=tuple(row["month"] for row in months))


async def run(at: Workplace, *, done: Callable[[int], Any] = lambda erased: None) -> Erased:
    """Erases everything that is past its period by the city in force; `done` hears of what is gone. `at.pool` works as `ROLE`."""
    periods, erased = at.cities.current.retention, Erased()
    await _words(at, periods, erased, done)
    for what, statement, months in (
        ("quarantine", SQL.erase_quarantine, periods.words),
        ("notices", SQL.erase_notices, periods.notices),
        ("action_keys", SQL.erase_action_keys, periods.action_keys),
    ):
        erased.rows[what] = await _rows(at, what, statement, months, done)
    await _access_log(at, periods.access_log, erased, done)
    return erased


async def _words(at: Workplace, periods: Retention, erased: Erased, done: Callable[[int], Any]) -> None:
    behind = 0
    while True:
        async with at.pool.acquire() as connection, connection.transaction():
            now = await at.clock.now(connection)
            found = [row["id"] for row in await connection.fetch(SQL.cases_due, now, periods.words, behind, CASES)]
            if not found:
                return
            callers, redacted = await _redact(at, connection, found, periods.words, now)
        behind = found[-1]
        erased.words += redacted
        erased.callers += callers
        done(redacted)


async def _redact(
    at: Workplace, connection: Connection, found: Sequence[int], months: int, now: datetime
) -> tuple[int, int]:
    """Erases the words and callers of those of the cases that are still due once they are held; callers and cases erased."""
    # Keys of reports, then neighbourhoods, then cases, as everybody: nobody who calls just now is taken for one who is erased.
    await lock(connection, found)
    held = await record.hold(connection, found)
    ids = [row["id"] for row in await connection.fetch(SQL.still_due, now, months, found)]
    if not ids:
        return 0, 0
    city = at.cities.current
    for id in ids:
        change = held[id]
        moment = change.instant(now)
        change.event("redacted", moment, ACTOR, what=["words", "callers"], period=months, policy=city.version)
    people = [row["caller_id"] for row in await connection.fetch(SQL.callers_of, ids)]
    for statement in (
        SQL.destroy_signatures,
        SQL.destroy_keys,
        SQL.detach_people,
        SQL.detach_reports,
        SQL.forget_object,
    ):
        await connection.execute(statement, ids)
    gone = await connection.fetch(SQL.erase_callers, people)
    await record.save(connection, at.keyring, city.map.areas, [held[id] for id in ids])
    await connection.execute(SQL.keep_run, now, "words", "", len(ids), months)
    return len(gone), len(ids)


async def _rows(at: Workplace, what: str, statement: str, months: int, done: Callable[[int], Any]) -> int:
    erased = 0
    while True:
        async with at.pool.acquire() as connection, connection.transaction():
            now = await at.clock.now(connection)
            gone = len(await connection.fetch(statement, now, months, ROWS))
            if not gone:
                return erased
            await connection.execute(SQL.keep_run, now, what, "", gone, months)
        erased += gone
        done(gone)


async def _access_log(at: Workplace, months: int, erased: Erased, done: Callable[[int], Any]) -> None:
    """Drops months one by one; the database, which goes by its own clock, may keep one longer."""
    now = await at.clock.now(at.pool)
    for row in await at.pool.fetch(SQL.months_due, now, months):
        try:
            await at.pool.execute(SQL.drop_access_log, row["month"], months)
            erased.access_log.append(row["month"])
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.LockNotAvailableError) as kept:
            erased.kept[row["month"]] = getattr(kept, "constraint_name", None) or "busy"
        done(1)
