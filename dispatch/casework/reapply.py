"""Gives open cases the limits and the ladder of the city version in force (重新套用时限规则).

A case keeps the policies of its opening. When a city wants new ones to hold for what is open already, it says so by name:

| of an open case opened under an earlier version | what happens                                                            |
|-------------------------------------------------|-------------------------------------------------------------------------|
| running clocks                                  | limit, due instant, ladder anew from the original start, less suspensions |
| clocks that ran out                             | stay missed; the levels ahead are those of the new ladder                 |
| given by a superior                             | nothing                                                                   |

Each case gets an event with the name, and each clock that changed one more. The sweep goes in chunks, each its own
transaction holding its cases; where it was broken off it goes on when it is started again.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from dispatch.casework import clocks, record
from dispatch.casework.provisional import CHUNK, Moved
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain.cases import Change
from dispatch.people.keyring import Keyring
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "reapply")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is done under which name; `categories` are codes, None for all. A dry run writes nothing."""

    name: str
    by: str
    categories: list[str] | None
    dry_run: bool


async def how_many(pool: asyncpg.Pool, city: City, categories: list[str] | None) -> int:
    """Open cases that a sweep would look at."""
    found: int = await pool.fetchval(SQL.how_many_before, city.version, categories)
    return found


async def reapply(
    pool: asyncpg.Pool, cities: Cities, keyring: Keyring, clock: Clock, sweep: Sweep, *, done: Callable[[int], Any]
) -> AsyncIterator[Moved]:
    """Each clock whose limit or due instant changes, once its chunk is written. `done` hears of each chunk of cases."""
    city, behind, swept = cities.current, 0, 0
    while rows := await pool.fetch(SQL.cases_before, behind, city.version, sweep.categories, CHUNK):
        ids = [row["id"] for row in rows]
        moved: list[Moved] = []
        async with pool.acquire() as connection, connection.transaction():
            held = await record.hold(connection, ids)
            now = await clock.now(connection)
            # What was closed, or swept by another run, since the look is left alone.
            changes = [c for c in held.values() if c.case.is_open and c.case.city_version < city.version]
            for change in changes:
                moved += _reapply(change, city, sweep, change.instant(now))
            if changes and not sweep.dry_run:
                await record.save(connection, keyring, city.map.areas, changes)
        for each in moved:
            yield each
        behind, swept = ids[-1], swept + len(changes)
        done(len(ids))
    log.info(
        "policies.reapplied", name=sweep.name, by=sweep.by, version=city.version, cases=swept, dry_run=sweep.dry_run
    )


def _reapply(change: Change, city: City, sweep: Sweep, at: datetime) -> list[Moved]:
    case, moved = change.case, list[Moved]()
    change.event(
        "policies_reapplied", at, sweep.by, name=sweep.name, before=case.city_version, city_version=city.version
    )
    case.city_version = city.version
    case.version += 1
    for deadline in change.live():
        before = deadline.due_at
        if clocks.reread(city, case, deadline):
            clocks.recomputed(change, deadline, before, sweep.by, at)
            moved.append(
                Moved(case.case_no, deadline.clock, deadline.unit, deadline.limit_text, before, deadline.due_at)
            )
    return moved
