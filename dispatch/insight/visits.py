"""Visits to the place of a case (核查、核实): who looked, and what was found."""

from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.store.statements import load

SQL = load(__file__, "visits")


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """The visits that answered or will answer for a case, the oldest first."""
    return [dict(row) for row in await at.pool.fetch(SQL.of_case, case_id)]
