"""Where a dashboard starts from, and figures: each with what it is made of."""

from datetime import datetime
from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.insight.cases import brief
from dispatch.insight.lights import lights
from dispatch.insight.reader import Reader
from dispatch.store.pool import one
from dispatch.store.statements import load

SQL = load(__file__, "cases")


async def snapshot(at: Workplace, who: Reader, limit: int) -> dict[str, Any]:
    """What a dashboard starts from; the caller has read the live position before."""
    now = at.clock.wall()
    counts = await at.pool.fetch(SQL.snapshot_counts, now, who.units, who.areas, who.restricted, who.above, who.head_of)
    cases = await at.pool.fetch(SQL.snapshot_cases, who.units, who.areas, who.restricted, who.above, limit, who.head_of)
    colours = await lights(at, [row["id"] for row in cases])
    return {"counts": [dict(row) for row in counts], "cases": [brief(at, row, colours) for row in cases]}


async def overview(at: Workplace, since: datetime, until: datetime) -> dict[str, Any]:
    """Figures of a period, each with numerator and denominator; a ratio without a denominator is null."""
    cases = await one(at.pool, SQL.overview, since, until)
    reports = {row["outcome"]: row["reports"] for row in await at.pool.fetch(SQL.overview_reports, since, until)}
    clocks = await at.pool.fetch(SQL.overview_deadlines, since, until)
    return {
        "since": since,
        "until": until,
        "reports": reports,
        "opened": cases["opened"],
        "open": cases["still_open"],
        "solved": ratio(cases["solved"], cases["asked"], excluded=cases["closed"] - cases["asked"]),
        "on_time": {row["clock"]: ratio(row["met"], row["met"] + row["missed"]) for row in clocks},
    }


def ratio(numerator: int, denominator: int, *, excluded: int = 0) -> dict[str, Any]:
    """A figure with what it is made of."""
    return {
        "numerator": numerator,
        "denominator": denominator,
        "excluded": excluded,
        "value": numerator / denominator if denominator else None,
    }
