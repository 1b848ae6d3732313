"""Versions of the city as the database keeps them: read once a process, swapped when a newer one is loaded."""

import asyncio
from dataclasses import replace

import asyncpg
import structlog

from dispatch.city.archive import unpack
from dispatch.city.model import City
from dispatch.domain.errors import Unavailable
from dispatch.store.pool import Executor
from dispatch.store.statements import load

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
        return cls(await _read(pool, newest["version"]))

    async def version(self, connection: Executor, number: int) -> City:
        """The version under which a case was opened, with the work calendars of today.

        Limits and ladder are what the case was opened under; which days are worked is no rule of a case but a fact.
        """
        city = self._known.get(number) or await _read(connection, number)
        if city.calendars is not self.current.calendars:
            city = replace(city, calendars=self.current.calendars)
        self._known[number] = city
        return city

    async def refresh(self, pool: asyncpg.Pool) -> bool:
        """Swaps to a newer version if there is one; True if there was."""
        newest = await pool.fetchrow(SQL.newest)
        if newest is None or newest["version"] <= self.current.version:
            return False
        self.current = self._known[newest["version"]] = await _read(pool, newest["version"])
        log.info("city.swapped", version=self.current.version)
        return True


async def _read(connection: Executor, number: int) -> City:
    archive: bytes = await connection.fetchval(SQL.archive, number)
    return await asyncio.to_thread(unpack, archive, number)
