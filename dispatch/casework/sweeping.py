"""Sweeps emergencies through open cases, and back again when they end (平急转换), beside everything else that goes on.

One process sweeps at a time (`alone`); the row of the emergency says how far it is, so that whoever comes next goes on there.
A chunk is one transaction: the emergency's row, then the cases, of which those are passed over that somebody works on; they
come in the next pass. A chunk has at most `CHUNK` cases, and fewer where it would hold them longer than `HELD_S`. After each the
sweep rests as long as it took, times `REST`, so that intake keeps its pace.

| phase      | what is swept                                             | then       | and again                                      |
|------------|-----------------------------------------------------------|------------|------------------------------------------------|
| `raising`  | open cases that are covered                                | `raised`   |                                                |
| `raised`   | what is covered since: reopened, named by hand, detached   |            | every `AGAIN`                                  |
| `lowering` | open cases that it holds for                               | `lowered`  | once after `HEARD`                             |

Whoever acts on a case without having heard of the change yet (at most `HEARD`) may start a clock by the limits of before: what
was swept by then is looked at a second time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from time import perf_counter
from typing import Final

import asyncpg
import msgspec
import structlog

from dispatch.casework import raising, record
from dispatch.casework.emergencies import SQL, message, where
from dispatch.casework.raising import Claim
from dispatch.casework.watch import watch
from dispatch.city.emergencies import Emergency
from dispatch.city.model import City
from dispatch.city.versions import SQL as VERSIONS
from dispatch.city.versions import Cities
from dispatch.domain.cases import Change
from dispatch.notices import post
from dispatch.people.keyring import Keyring
from dispatch.store.clock import Clock
from dispatch.store.pool import AWAY, Connection, one
from dispatch.store.statements import load

DEADLINES = load(__file__, "deadlines")
log = structlog.get_logger()
CHUNK: Final = 500
# Seconds for which a chunk holds its cases, about.
HELD_S: Final = 0.1
# Cases that are written without letting anything else of this process have its turn.
AT_ONCE: Final = 10
REST: Final = 1.0
# Every process reads the emergencies anew every five seconds.
HEARD: Final = timedelta(seconds=15)
AGAIN: Final = timedelta(seconds=30)
ADDRESSED: Final = ("handler", "unit_head")


@dataclass(slots=True)
class _Turn:
    """One chunk in progress: the emergency's row and, while it is in force, itself; how many cases each unit is to be told of."""

    connection: Connection
    row: asyncpg.Record
    city: City
    now: datetime
    emergency: Emergency | None
    told: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def by(self) -> str:
        return str(self.row["ended_by"] or self.row["started_by"])

    @property
    def again(self) -> bool:
        """Whether what it holds for already is looked at a second time."""
        if self.emergency is not None:
            return bool(self.row["phase"] == "raised")
        return self.row["passed_at"] is not None and bool(self.row["ended_at"] + HEARD <= self.now)

    @property
    def since(self) -> datetime:
        """What was looked at before is looked at again."""
        began: datetime = self.row["ended_at" if self.emergency is None else "started_at"]
        return began + (HEARD if self.again else timedelta())


class Sweeper:
    """`run` is called again and again, by the service and by the command line; they are safe together."""

    def __init__(
        self, pool: asyncpg.Pool, cities: Cities, keyring: Keyring, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """`changed` is told after each commit."""
        self._pool, self._cities, self._keyring, self._clock, self._changed = pool, cities, keyring, clock, changed
        self._size = 4 * AT_ONCE

    async def run(self) -> int:
        """Sweeps what there is to sweep; cases looked at. None while another process sweeps."""
        swept = 0
        if not await self._waiting():
            return 0
        async with self._pool.acquire() as guard, guard.transaction():
            # A statement that is fetched stays open until the next one, and a snapshot with it, by which nothing that is deleted
            # anywhere could be cleared away until the sweep is over; one that is only executed does not.
            if await guard.execute(SQL.alone) == "SELECT 1":
                for id in await self._waiting():
                    while count := await self._paced(id):
                        swept += count
        return swept

    async def _waiting(self) -> list[int]:
        now = await self._clock.now(self._pool)
        return [row["id"] for row in await self._pool.fetch(SQL.waiting, now - AGAIN, now - HEARD)]

    async def _paced(self, id: int) -> int:
        began = perf_counter()
        count = await self.chunk(id)
        if count:
            took = perf_counter() - began
            self._size = min(CHUNK, max(AT_ONCE, int(count * HELD_S / took)))
            await asyncio.sleep(REST * took)
        return count

    async def chunk(self, id: int) -> int:
        """Sweeps the next chunk of an emergency; how many cases, none at the end of a pass."""
        await self._cities.refresh(self._pool)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.hold_free, id)
            if row is None:
                return 0
            city = self._cities.current
            emergency = next((each for each in city.emergencies.active if each.id == id), None)
            if (emergency is None) != (row["ended_at"] is not None):
                return 0  # it began or ended this moment: the next turn has heard of it
            turn = _Turn(connection, row, city, await self._clock.now(connection), emergency)
            ids = await _next(turn, min(CHUNK, self._size))
            if ids:
                done = await self._fenced(turn, ids)
                told = msgspec.json.encode(_told(row) + turn.told).decode()
                await connection.execute(SQL.move_on, id, ids[-1], done, told)
            if ids or await _pass_ends(turn):
                await connection.execute(VERSIONS.announce, message(await one(connection, SQL.one, id), turn.now))
        self._changed()
        return len(ids)

    async def _fenced(self, turn: _Turn, ids: Sequence[int]) -> int:
        """A chunk behind a savepoint; where that fails its halves, and a case that fails alone is passed over."""
        told, done = Counter[str](), 0
        try:
            async with turn.connection.transaction():
                await turn.connection.execute(DEADLINES.check_later)
                for first in range(0, len(ids), AT_ONCE):
                    units, swept = await self._part(turn, ids[first : first + AT_ONCE])
                    told, done = told + units, done + swept
                await turn.connection.execute(DEADLINES.check_now)
        except AWAY:
            raise
        except Exception as fault:
            if len(ids) > 1:
                middle = len(ids) // 2
                return await self._fenced(turn, ids[:middle]) + await self._fenced(turn, ids[middle:])
            log.error("emergency.case_passed_over", emergency=turn.id, case_id=ids[0], error=type(fault).__name__)
            await turn.connection.execute(SQL.pass_over, turn.id, ids, turn.now)
            if turn.emergency is None:
                await turn.connection.execute(SQL.keep_lowered, turn.id, ids, turn.now)
            return 1
        turn.told += told
        return done

    async def _part(self, turn: _Turn, ids: Sequence[int]) -> tuple[Counter[str], int]:
        connection, city = turn.connection, turn.city
        held = await record.hold(connection, ids)
        claims = await known(connection, city, list(held.values()), turn.id)
        bases: dict[int, str] = {}
        for case_id, change in held.items():
            await asyncio.sleep(0)  # whatever else this process does has its turn
            opened_under = await self._cities.version(connection, change.case.city_version)
            at, mine = change.instant(turn.now), claims.get(case_id, {})
            if turn.emergency is None:
                active = {each.id: each.urgency for each in city.emergencies.active}
                raising.lower(change, turn.id, mine, active, opened_under, turn.by, at)
            else:
                bases[case_id] = raising.lift(change, turn.emergency, mine, opened_under, turn.by, at)
            if change.events:
                await watch(connection, change, opened_under, turn.now)
        changed = [change for change in held.values() if change.events]
        told = _notices(turn, changed)
        if changed:
            await record.save(connection, self._keyring, city.map.areas, changed)
        done = sum(turn.id not in claims.get(case_id, {}) for case_id in held)
        if turn.emergency is None:
            done = sum(not claims[case_id][turn.id].lowered for case_id in held)
            await connection.execute(SQL.keep_lowered, turn.id, list(held), turn.now)
        else:
            seqs = [held[case_id].case.seq for case_id in bases]
            await connection.execute(SQL.keep_raised, turn.id, list(bases), list(bases.values()), seqs, turn.now)
        return told, done


async def known(
    connection: Connection, city: City, changes: Sequence[Change], id: int
) -> dict[int, dict[int, Claim]]:  # fmt: skip
    """What the emergencies in force, and `id`, know of these cases: by case, then by emergency."""
    asked = sorted({id, *(each.id for each in city.emergencies.active)})
    rows = await connection.fetch(SQL.claims, [change.case.id for change in changes], asked)
    first: dict[int, int] = {}
    for row in rows:
        first[row["case_id"]] = min(row["seq"], first.get(row["case_id"], row["seq"]))
    months = {change.case.id: change.case.opened_month for change in changes}
    said = (
        await connection.fetch(SQL.said_since, list(first), [months[c] for c in first], list(first.values()))
        if first
        else ()
    )
    later = {
        case_id: [(e["seq"], e["body"]) for e in events] for case_id, events in groupby(said, lambda e: e["case_id"])
    }
    found: dict[int, dict[int, Claim]] = {}
    for row in rows:
        events = later.get(row["case_id"], ())
        found.setdefault(row["case_id"], {})[row["emergency_id"]] = raising.claim(row, events, city.categories)
    return found


async def _next(turn: _Turn, limit: int) -> list[int]:
    """The ids of the next chunk, at most so many, held."""
    if turn.emergency is None:
        rows = await turn.connection.fetch(SQL.to_lower, turn.id, turn.row["cursor"], turn.since, limit)
    else:
        rows = await turn.connection.fetch(
            SQL.to_raise, *where(turn.emergency), turn.row["cursor"], turn.id, turn.since, limit
        )
    return [row["id"] for row in rows]


async def _pass_ends(turn: _Turn) -> bool:
    """Nothing is left, or only what somebody holds: then the next pass begins. True if screens are to hear that it is done."""
    connection, row = turn.connection, turn.row
    if turn.emergency is None:
        if turn.again:
            await connection.execute(SQL.adopt, turn.id, turn.now)
        left = await connection.fetchval(SQL.left_to_lower, turn.id, turn.since)
        phase = "lowered" if turn.again else "lowering"
    else:
        left = await connection.fetchval(SQL.left_to_raise, *where(turn.emergency), turn.id, turn.since)
        phase = "raised"
    if left:
        await connection.execute(SQL.begin_again, turn.id)
        return False
    await connection.execute(SQL.passed, turn.id, phase, turn.now)
    await _tell(turn)
    log.info("emergency.swept", emergency=turn.id, phase=phase, cases=row["done"])
    return not turn.again


def _notices(turn: _Turn, changed: Sequence[Change]) -> Counter[str]:
    """Of how many cases each unit is to be told together; of a restricted one its unit hears as of everything else about it."""
    told: Counter[str] = Counter()
    for change in changed:
        unit = change.lead.unit if change.lead else change.case.owner_unit
        if unit is None or not change.events[0].type.startswith("emergency_"):
            continue
        if change.case.restricted:
            change.post(unit, ADDRESSED, change.events[0].type, emergency=turn.id)
        else:
            told[unit] += 1
    return told


def _told(row: asyncpg.Record) -> Counter[str]:
    """Of how many cases each unit is to be told at the end of the pass, as the emergency's row has it."""
    return Counter(msgspec.json.decode(row["told"], type=dict[str, int]))


async def _tell(turn: _Turn) -> None:
    """One notice a unit for the whole pass, however many chunks it had."""
    topic = "emergency_lowered" if turn.emergency is None else "emergency_raised"
    subject = f"emergency:{turn.id}:{turn.row['chunks']}"
    notices = [
        post.Told(
            subject, unit, ADDRESSED, topic, {"emergency": turn.id, "urgency": turn.row["urgency"], "cases": cases}
        )
        for unit, cases in sorted(_told(turn.row).items())
    ]
    await post.tell(turn.connection, notices, turn.now)
