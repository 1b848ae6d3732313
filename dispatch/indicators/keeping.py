"""Keeps figures up to date beside the service: one process of all at a time takes changed cases and counts them again.

| what happens                      | why no figure is lost or doubled                                                      |
|-----------------------------------|----------------------------------------------------------------------------------------|
| a case changes                    | the relay names it as it sends its message; until then it is found by that message       |
| two processes count               | they cannot: whoever counts holds the one row of `figures_upkeep`                        |
| a process dies while it counts    | the list, what the case added and the figures change in one transaction                |
| a case changes while it is counted | it is named again; what was counted is as of the last event read                       |
| a relay of former code sends      | once a day every case that is not counted up to its last event is named                |
| merging, undoing, late commits    | the whole case is counted again from its events, whatever was counted before            |

While many reports come in, counting rests in proportion to the time it took, all processes together, and catches up when it is quiet.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from time import perf_counter
from typing import Any, Final

import asyncpg
import structlog

from dispatch.indicators.contribution import Amount, Contribution, Name, Sums, contribution, pack, unpack
from dispatch.indicators.rules import Rulebook
from dispatch.indicators.story import tell
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "indicators")
log = structlog.get_logger()
CHUNK: Final = 50
POLL_S: Final = 1.0
# From so many changed cases a second on counting gives way, and rests so many times as long as it worked.
BUSY_PER_S: Final = 10.0
RESTS: Final = 30.0


class Upkeep:
    """Every process runs one; the database lets one at a time count."""

    def __init__(self, pool: asyncpg.Pool, book: Rulebook, *, chunk: int = CHUNK) -> None:
        self._pool, self._book, self._chunk = pool, book, chunk

    async def run(self, stop: asyncio.Event) -> None:
        """Counts until told to stop; outages are waited out."""
        while not stop.is_set():
            wait = POLL_S
            try:
                wait = await self.once()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
                log.warning("indicators.interrupted", error=type(fault).__name__)
            except Exception:
                # A driver in the middle of losing its server can fail in ways of its own: the next turn begins anew.
                log.exception("indicators.failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(wait, 0.001))

    async def once(self) -> float:
        """Counts the next cases, unless another process does or it is time to rest; in how many seconds to come again."""
        began = perf_counter()
        async with self._pool.acquire() as connection, connection.transaction():
            turn = await connection.fetchrow(SQL.hold)
            if turn is None or turn["wait"] > 0:
                return POLL_S if turn is None else min(POLL_S, turn["wait"])
            if not await count_changed(connection, self._book, self._chunk):
                return POLL_S
            busy = turn["fresh"] > BUSY_PER_S * max(turn["seconds"], POLL_S)
            rest = RESTS * (perf_counter() - began) if busy else 0.0
            await connection.execute(SQL.rest, rest, turn["named"])
        return rest

    async def catch_up(self) -> int:
        """Counts everything that was committed before, without rest, waiting for whoever counts; how many cases were looked at."""
        looked = 0
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(SQL.hold_waiting)
                found = await count_changed(connection, self._book, self._chunk)
            looked += found
            if not found:
                return looked


async def count_changed(connection: Connection, book: Rulebook, limit: int) -> int:
    """Looks at the next cases that were named or wait for the relay, and counts anew what changed; how many were looked at.

    The caller holds the row of the upkeep in the running transaction.
    """
    named = await _ids(connection, SQL.take_due, limit)
    ids = named or await _ids(connection, SQL.unsent, limit)
    if not ids:  # what the relay sent between these two looks is named by now
        ids = named = await _ids(connection, SQL.take_due, limit)
    cases = await connection.fetch(SQL.changed, sorted(ids)) if ids else []
    counted = 0
    if cases:
        counted = await _count(connection, book, cases)
    return len(named) or counted


async def _ids(connection: Connection, statement: str, limit: int) -> set[int]:
    return {row["case_id"] for row in await connection.fetch(statement, limit)}


async def _count(connection: Connection, book: Rulebook, cases: Sequence[asyncpg.Record]) -> int:
    """Takes out what these cases had added, and puts in what they add now; how many could be counted."""
    sums = Sums()
    kept: list[tuple[int, int, bytes]] = []
    events = await bodies_of(connection, cases)
    for case in cases:
        bodies = events.get(case["id"], [])
        try:
            made = await contribution_of(connection, book, bodies)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            # The others are counted all the same; a comparison tells of this one as waiting.
            log.exception("indicators.case_not_counted", case_id=case["id"])
            continue
        if case["contribution"] is not None:
            sums.add(unpack(case["contribution"]), -1)
        sums.add(made)
        kept.append((case["id"], len(bodies), pack(made)))
    if kept:
        await connection.execute(SQL.keep_cases, *zip(*kept, strict=True))
        await add(connection, sums.changed())
    return len(kept)


async def name_forgotten(connection: Connection) -> None:
    """Names what is not counted up to its last event, whoever forgot it; the service does so daily."""
    await connection.execute(SQL.name_forgotten)


async def bodies_of(connection: Connection, cases: Sequence[asyncpg.Record]) -> dict[int, list[bytes]]:
    """The events of these cases, in order."""
    ids, months = [case["id"] for case in cases], [case["opened_month"] for case in cases]
    rows = await connection.fetch(SQL.bodies_of, ids, months)
    by_case: Callable[[Any], int] = itemgetter("case_id")
    return {id: [row["body"] for row in each] for id, each in groupby(rows, key=by_case)}


async def contribution_of(connection: Connection, book: Rulebook, bodies: Sequence[bytes]) -> Contribution:
    """What a case adds by its events; nothing where they do not say what they wrote."""
    story = tell(bodies)
    if story is None:
        return Contribution((), "", "", True, ())
    return contribution(story, await book.of(connection, story.case.city_version))


async def add(connection: Connection, changed: Mapping[Name, Amount]) -> None:
    """Adds amounts to the figures of these names."""
    if changed:
        rows = [(*name, *amount) for name, amount in sorted(changed.items())]
        await connection.execute(SQL.add, *zip(*rows, strict=True))
