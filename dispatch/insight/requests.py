"""Requests for suspension and extension (挂账、延期申请) that wait for a decision, and those of a case."""

from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.insight.lights import lights
from dispatch.insight.reader import LONG_AGO, reader
from dispatch.insight.words import summaries
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "requests")


async def waiting(at: Workplace, by: Principal, after: tuple[Any, ...] | None, limit: int) -> list[dict[str, Any]]:
    """Requests in the reader's scope, the one that has to be decided first first; with the words of the case, masked."""
    who = reader(by, at.cities.current)
    scope = who.units, who.areas, who.restricted, who.above
    rows = await at.pool.fetch(SQL.waiting, *(after or (LONG_AGO, 0, 0)), *scope, limit)
    ids = [row["id"] for row in rows]
    briefly, colours = await summaries(at, ids), await lights(at, ids)
    return [{**row, "light": colours.get(row["id"]), "summary": briefly.get(row["id"], "")} for row in rows]


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """What the units of a case asked for, and what became of it."""
    return [dict(row) for row in await at.pool.fetch(SQL.of_case, case_id)]
