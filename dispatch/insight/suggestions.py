"""What matching only suggested (疑似重复), for a person to decide, and how those decisions went by score."""

from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.insight.reader import reader
from dispatch.insight.words import summaries
from dispatch.intake.locate import metres
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "suggestions")


async def undecided(at: Workplace, by: Principal, before: tuple[int, int] | None, limit: int) -> list[dict[str, Any]]:
    """Pairs of open cases in scope that were suggested and that nobody has decided, newest first; `_key` is the next page's."""
    who = reader(by, at.cities.current)
    rows = await at.pool.fetch(SQL.undecided, *(before or (2**62, 2**62)), who.units, who.areas, who.above, limit)
    briefly = await summaries(at, [id for row in rows for id in (row["case_id"], row["other_id"])])
    return [
        {
            "case_no": row["case_no"],
            "other": row["other_no"],
            "score": row["score"],
            "category": row["category"],
            "other_category": row["other_category"],
            "opened_at": row["opened_at"],
            "other_opened_at": row["other_opened_at"],
            "distance_m": None
            if None in (row["lon"], row["other_lon"])
            else round(metres(row["lon"], row["lat"], row["other_lon"], row["other_lat"]), 1),
            "summary": briefly.get(row["case_id"], ""),
            "other_summary": briefly.get(row["other_id"], ""),
            "_key": (row["case_id"], row["other_id"]),
        }
        for row in rows
    ]


async def decided(at: Workplace) -> list[dict[str, Any]]:
    """Decisions by band of the score: whether what was suggested more strongly was one matter more often."""
    return [dict(row) for row in await at.pool.fetch(SQL.by_score)]
