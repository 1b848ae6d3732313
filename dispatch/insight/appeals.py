"""Appeals (考核申诉) in a reader's scope and those of a case; the raw fact and the exemption stand side by side."""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from dispatch.casework.actions import Workplace
from dispatch.insight.reader import reader
from dispatch.insight.words import summaries
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "appeals")
NEWEST: Final = 2**62
STEPS: Final = ("first", "second")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of appeals is narrowed to; nothing given means no narrowing."""

    kind: str | None = None
    unit: str | None = None
    status: str | None = None


async def listed(
    at: Workplace, by: Principal, filters: Filters, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Appeals in the reader's scope, newest first, each with its `id`; with the words of the case, masked."""
    who = reader(by, at.cities.current)
    scope = who.units, who.areas, who.restricted, who.above, who.head_of
    narrowed = filters.kind, filters.unit, filters.status
    rows = await at.pool.fetch(SQL.listed, NEWEST if before is None else before, *scope, *narrowed, limit)
    briefly = await summaries(at, {row["case_id"] for row in rows})
    return [
        {"id": row["id"], "case_no": row["case_no"], "version": row["version"], **_shown(row), "summary": briefly.get(row["case_id"], "")}
        for row in rows
    ]  # fmt: skip


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """What the units of a case appealed against, and what became of it."""
    return [_shown(row) for row in await at.pool.fetch(SQL.of_case, case_id)]


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    """`late` is what the clocks say and never changes; `exempt` is that both steps approved."""
    plain = ("kind", "unit", "round", "assignment_id", "status", "asked_by", "asked_at", "due_at", "late")
    decided = [
        {"step": nth, "approved": row[f"{step}_approved"], "by": row[f"{step}_by"], "at": row[f"{step}_at"]}
        for nth, step in enumerate(STEPS, 1)
        if row[f"{step}_approved"] is not None
    ]
    return {name: row[name] for name in plain} | {"exempt": row["status"] == "approved", "decisions": decided}
