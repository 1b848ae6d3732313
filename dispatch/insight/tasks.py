"""Tasks by the hands they are in, and how calls of streets were answered."""

from datetime import datetime
from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.casework.tasks import SQL
from dispatch.insight.lights import lights
from dispatch.insight.words import summaries
from dispatch.people.principal import Principal


async def mine(at: Workplace, by: Principal, limit: int) -> list[dict[str, Any]]:
    """Live tasks of `by`, and of those on leave whom they stand in for (`for`), in priority order."""
    now = await at.clock.now(at.pool)
    units = at.cities.current.units
    complained = list(units.path(by.unit)) if by.unit in units else [by.unit]
    rows = await at.pool.fetch(SQL.mine, by.name, now, "restricted.read" in by.permissions, limit, complained)
    ids = [row["case_id"] for row in rows]
    briefly, colours = await summaries(at, ids), await lights(at, ids)
    return [
        {k: v for k, v in row.items() if k not in ("case_id", "rank")}
        | {"light": colours.get(row["case_id"]), "summary": briefly.get(row["case_id"], "")}
        for row in rows
    ]


async def whistles(at: Workplace, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Of each street and department: calls of the period, and the share answered in time of those that had to be by now."""
    rows = await at.pool.fetch(SQL.whistles, since, until)
    return [_measured(dict(row)) for row in rows]


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    excluded = row["waiting"] + row["taken_back"]
    denominator = row["called"] - excluded
    return {
        "street": row["called_by"],
        "department": row["unit"],
        "called": row["called"],
        "answered_in_time": {
            "numerator": row["in_time"],
            "denominator": denominator,
            "excluded": excluded,
            "value": round(row["in_time"] / denominator, 4) if denominator else None,
        },
    }
