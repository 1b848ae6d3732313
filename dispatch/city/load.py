"""Loads a city as a new dated version: shows what changes and which open cases it touches, then applies it as one transaction.

A unit or cell that the new version no longer has needs a successor; its open cases move there with an event, and their clocks
go on unchanged. Cases keep the version under which they were opened.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch.city.archive import digest, unpack
from dispatch.city.diff import Difference, difference
from dispatch.city.model import City
from dispatch.city.versions import SQL
from dispatch.domain.errors import RuleBroken
from dispatch.store.pool import Connection

# Moves these open cases to their successors under the new version, in the running transaction; returns how many.
Mover = Callable[[Connection, Sequence[int], City, str, datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What loading would do. `difference` is None for the first city; `touched` counts open cases that would move."""

    city: City
    archive: bytes
    difference: Difference | None
    touched: int
    orphans: tuple[tuple[str, str], ...]
    same: bool


async def plan(connection: Connection, archive: bytes) -> Plan:
    """Compares an archive with the version in force; changes nothing."""
    newest = await connection.fetchrow(SQL.newest)
    city = unpack(archive, newest["version"] + 1 if newest else 1)
    if newest is None:
        return Plan(city, archive, None, 0, (), False)
    if newest["digest"].hex() == digest(archive):
        return Plan(city, archive, None, 0, (), True)
    old = unpack(await connection.fetchval(SQL.archive, newest["version"]), newest["version"])
    changes = difference(old, city)
    return Plan(city, archive, changes, len(await touched(connection, changes)), changes.orphans(city), False)


async def apply(connection: Connection, what: Plan, *, by: str, now: datetime, move: Mover) -> int:
    """Puts the planned version in force within the caller's transaction; returns how many open cases moved.

    Raises RuleBroken if a removed unit or cell has no successor, or if another version was loaded meanwhile.
    """
    if what.orphans:
        names = ", ".join(f"{kind} {code}" for kind, code in what.orphans[:20])
        raise RuleBroken(problem=f"removed without a successor: {names}", orphans=len(what.orphans))
    await connection.execute(SQL.lock_loading)
    newest = await connection.fetchrow(SQL.newest)
    if (newest["version"] if newest else 0) + 1 != what.city.version:
        raise RuleBroken(problem="another version was loaded meanwhile; compare again")
    city = what.city
    await connection.execute(
        SQL.insert_version, city.version, city.name, bytes.fromhex(digest(what.archive)), what.archive, now, by
    )
    units = sorted(city.units, key=lambda unit: len(city.units.path(unit.code)))
    await connection.execute(
        SQL.upsert_units, [u.code for u in units], [u.name for u in units], [u.parent for u in units]
    )
    moved = 0
    if what.difference is not None:
        gone = what.difference.units.removed
        await connection.execute(SQL.retire_units, list(gone), [city.successors["unit", code] for code in gone], now)
        await connection.execute(SQL.move_complaints, list(gone))
        moved = await move(connection, await touched(connection, what.difference), city, by, now)
    await connection.execute(SQL.announce, msgspec.json.encode({"type": "city", "version": city.version}))
    return moved


async def touched(connection: Connection, changes: Difference) -> list[int]:
    """Open cases that a change of units and cells moves, by id."""
    by_unit = await connection.fetch(SQL.cases_of_units, list(changes.units.removed)) if changes.units.removed else []
    by_cell = await connection.fetch(SQL.cases_of_cells, list(changes.cells.removed)) if changes.cells.removed else []
    return sorted({row["id"] for row in (*by_unit, *by_cell)})
