"""Loads a city as a new dated version: shows what changes and which open cases it touches, then applies it as one transaction.

A unit or cell that the new version no longer has needs a successor; its open cases move there with an event, and their clocks
go on unchanged. Cases keep the version under which they were opened.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from dispatch.city.archive import digest, unpack
from dispatch.city.diff import Difference, difference
from dispatch.city.model import City
from dispatch.city.versions import SQL
from dispatch.domain.cases import Assignment, Change
from dispatch.domain.errors import RuleBroken
from dispatch.domain.workflow import assignment_step
from dispatch.people.keyring import Keyring
from dispatch.store import record

SWEEP = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What loading would do. `difference` is None for the first city; `touched` counts open cases that would move."""

    city: City
    archive: bytes
    difference: Difference | None
    touched: int
    orphans: tuple[tuple[str, str], ...]
    same: bool


async def plan(connection: asyncpg.Connection, archive: bytes) -> Plan:
    """Compares an archive with the version in force; changes nothing."""
    newest = await connection.fetchrow(SQL.newest)
    city = unpack(archive, newest["version"] + 1 if newest else 1)
    if newest is None:
        return Plan(city, archive, None, 0, (), False)
    if newest["digest"].hex() == digest(archive):
        return Plan(city, archive, None, 0, (), True)
    old = unpack(await connection.fetchval(SQL.archive, newest["version"]), newest["version"])
    changes = difference(old, city)
    return Plan(city, archive, changes, len(await _touched(connection, changes)), changes.orphans(city), False)


async def apply(connection: asyncpg.Connection, what: Plan, *, by: str, now: datetime, keyring: Keyring) -> int:
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
        moved = await _move(connection, what.difference, city, by, now, keyring)
    await connection.execute(SQL.announce, msgspec.json.encode({"type": "city", "version": city.version}))
    return moved


async def _touched(connection: asyncpg.Connection, changes: Difference) -> list[int]:
    by_unit = await connection.fetch(SQL.cases_of_units, list(changes.units.removed)) if changes.units.removed else []
    by_cell = await connection.fetch(SQL.cases_of_cells, list(changes.cells.removed)) if changes.cells.removed else []
    return sorted({row["id"] for row in (*by_unit, *by_cell)})


async def _move(
    connection: asyncpg.Connection, changes: Difference, city: City, by: str, now: datetime, keyring: Keyring
) -> int:
    touched = await _touched(connection, changes)
    for start in range(0, len(touched), SWEEP):
        held = await record.hold(connection, touched[start : start + SWEEP])
        crowded = [change for change in held.values() if _withdraw_doubles(change, city, by, now)]
        if crowded:
            # Written before their units move in: no unit has two live tasks in one case, not even for an instant.
            await record.save(connection, keyring, city.map.areas, crowded)
        for change in held.values():
            _move_case(change, city, by, now)
        await record.save(connection, keyring, city.map.areas, list(held.values()))
    return len(touched)


def _moves(city: City) -> dict[str, str]:
    return {code: successor for (kind, code), successor in city.successors.items() if kind == "unit"}


def _withdraw_doubles(change: Change, city: City, by: str, now: datetime) -> bool:
    """Ends tasks whose unit would get a second one in this case; the lead's stays, else the older one."""
    moves, taken, doubles = _moves(city), set[str](), list[Assignment]()
    for task in sorted(change.assignments, key=lambda each: each.role != "lead"):
        if task.ended_at is None:
            unit = moves.get(task.unit, task.unit)
            if unit in taken:
                doubles.append(task)
            taken.add(unit)
    at = change.instant(now)
    for task in doubles:
        task.state, task.ended_at = assignment_step(task.state, "withdraw").target, at
        task.version += 1
        for deadline in change.live():
            if deadline.assignment_id == task.id:
                deadline.stop(at, cancelled=True)
        change.event("withdrawn", at, by, assignment=task.id, unit=task.unit, successor=moves.get(task.unit, task.unit))
    return bool(doubles)


def _move_case(change: Change, city: City, by: str, now: datetime) -> None:
    case, at, moves = change.case, change.instant(now), _moves(city)
    before = {"owner": case.owner_unit, "cell": case.cell, "area": case.area}
    case.owner_unit = moves.get(case.owner_unit or "", case.owner_unit)
    if case.cell is not None and ("cell", case.cell) in city.successors:
        case.cell = city.successors["cell", case.cell]
        case.area = next(cell.area for cell in city.map.cells if cell.code == case.cell)
    tasks = []
    for task in change.assignments:
        if task.ended_at is None and task.unit in moves:
            tasks.append({"assignment": task.id, "from": task.unit, "to": moves[task.unit]})
            task.unit = moves[task.unit]
            task.version += 1
    for deadline in change.live():
        deadline.unit = moves.get(deadline.unit, deadline.unit)
    case.version += 1
    change.event(
        "moved", at, by, before=before, owner=case.owner_unit, cell=case.cell, area=case.area, tasks=tasks, city_version=city.version
    )
