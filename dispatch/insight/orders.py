"""Orders (督办单) as those who watch and those who must answer see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from dispatch.casework.actions import Workplace
from dispatch.insight.reader import reader
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "orders")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of orders is narrowed to; `open`: not done yet, `unread`: nobody of the unit has opened it."""

    unit: str | None = None
    colour: str | None = None
    open: bool | None = None
    unread: bool | None = None


async def listed(
    at: Workplace, by: Principal, filters: Filters, after: tuple[datetime, int], limit: int
) -> list[dict[str, Any]]:
    """Orders to the reader's units or about cases in their scope, newest first, behind `after`."""
    who = reader(by, at.cities.current)
    scope = who.units, who.areas, who.restricted, who.above, who.head_of
    narrowed = filters.unit, filters.colour, filters.open, filters.unread
    return [_shown(row) for row in await at.pool.fetch(SQL.listed, *after, *scope, *narrowed, limit)]


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """Every order about a case in the order of issue; `said` and `reason` are ids among the case's texts."""
    return [_shown(row) for row in await at.pool.fetch(SQL.of_case, case_id)]


async def urges_of(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """Who urged about a case, and into which earlier reminder it was merged."""
    return [dict(row) for row in await at.pool.fetch(SQL.urges_of, case_id)]


async def units_of(at: Workplace, case_id: int) -> set[str]:
    """The units that are ordered to answer something about a case: they may read it."""
    return {row["unit"] for row in await at.pool.fetch(SQL.units_of, case_id)}


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    return {**row, "reads": msgspec.Raw(row["reads"].encode()), "answers": msgspec.Raw(row["answers"].encode())}
