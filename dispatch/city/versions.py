"""Versions of the city as the database keeps them: read once a process, swapped when a newer one is loaded.

Emergencies in force are no version, and hold for every one: they are read anew when one begins or ends.
"""

import asyncio
from dataclasses import replace

import asyncpg
import msgspec
import structlog

from dispatch.city.archive import unpack
from dispatch.city.emergencies import Emergencies, resolved
from dispatch.city.model import City
from dispatch.domain.errors import Unavailable
from dispatch.store.pool import Executor
from dispatch.store.statements import load
from sla.limits import parse_limit

SQL = load(__file__, "versions")
log = structlog.get_logger()


class Cities:
    """Whoever needs the city asks for `current` once and keeps that for the whole of one decision."""

    def __init__(self, city: City) -> None:
        self.current = city
        self._known = {city.version: city}

    @classmethod
    async def open(cls, pool: Executor) -> "Cities":
        """The newest version. Raises Unavailable where no city was loaded yet."""
        newest = await pool.fetchrow(SQL.newest)
        if newest is None:
            raise Unavailable(part="city (run: dispatch city load DIR)", retry_after=60)
        city = await _read(pool, newest["version"])
        return cls(await _with_emergencies(pool, city, newest["changes"]))

    async def version(self, connection: Executor, number: int) -> City:
        """The version under which a case was opened, with the work calendars and the emergencies of today.

        Limits and ladder are what the case was opened under; which days are worked is no rule of a case but a fact, and so is
        an emergency.
        """
        city, today = self._known.get(number) or await _read(connection, number), self.current
        if city.calendars is not today.calendars or city.emergencies is not today.emergencies:
            city = replace(city, calendars=today.calendars, emergencies=today.emergencies)
        self._known[number] = city
        return city

    async def refresh(self, pool: asyncpg.Pool) -> bool:
        """Swaps to a newer version, and to the emergencies in force, if they are other ones; True if they are."""
        newest = await pool.fetchrow(SQL.newest)
        now = self.current.version, self.current.emergencies.changes
        if newest is None or (newest["version"], newest["changes"]) <= now:
            return False
        newer = newest["version"] > self.current.version
        city = await _read(pool, newest["version"]) if newer else self.current
        self.current = self._known[city.version] = await _with_emergencies(pool, city, newest["changes"])
        log.info("city.swapped", version=city.version, emergencies=len(self.current.emergencies.active))
        return True


async def _read(connection: Executor, number: int) -> City:
    archive: bytes = await connection.fetchval(SQL.archive, number)
    return await asyncio.to_thread(unpack, archive, number)


async def _with_emergencies(connection: Executor, city: City, changes: int) -> City:
    """The city with the emergencies in force, told apart by `changes`. It was read before them: at worst they are read again."""
    active = tuple(
        resolved(
            row["id"], row["urgency"],
            {clock: parse_limit(text) for clock, text in msgspec.json.decode(row["limits"]).items()},
            row["categories"], row["areas"], city.categories, city.map.areas,
        )
        for row in await connection.fetch(SQL.emergencies)
    )  # fmt: skip
    return replace(city, emergencies=Emergencies(active, changes))
