"""Whom the hotline has to ask (回访), from when on they may be called, and what was said about a case."""

from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.casework.followups import callable_from
from dispatch.insight.lights import lights
from dispatch.insight.reader import LONG_AGO, reader
from dispatch.insight.words import summaries
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "followups")


async def waiting(
    at: Workplace, by: Principal, after: tuple[Any, ...] | None, limit: int, *, now_only: bool
) -> list[dict[str, Any]]:
    """Cases in the reader's scope, the earliest deadline first, each with the instant from which its citizen may be called.

    `now_only`: without those that are to be tried at another hour. In quiet hours nobody may be called now.
    """
    city, now = at.cities.current, await at.clock.now(at.pool)
    who = reader(by, city)
    scope = who.units, who.areas, who.restricted, who.above
    rows = await at.pool.fetch(SQL.waiting, *(after or (LONG_AGO, 0)), now if now_only else None, *scope, limit)
    ids = [row["id"] for row in rows]
    briefly, colours = await summaries(at, ids), await lights(at, ids)
    return [
        {
            **row,
            "callable_from": callable_from(city, max(now, row["next_at"] or now)),
            "light": colours.get(row["id"]),
            "summary": briefly.get(row["id"], ""),
        }
        for row in rows
    ]


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """Every try and every result of a case, in order."""
    return [dict(row) for row in await at.pool.fetch(SQL.of_case, case_id)]
