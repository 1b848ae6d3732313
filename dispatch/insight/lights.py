"""The traffic light (红黄绿灯) of clocks and of cases: one function, wherever a colour is shown."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from dispatch.casework.actions import Workplace
from dispatch.casework.adjustments import adjusted
from dispatch.casework.clocks import calendar_of
from dispatch.city.model import City
from dispatch.store.statements import load
from sla.light import Light, light, used
from sla.limits import parse_limit

SQL = load(__file__, "lights")


def light_of(city: City, clock: asyncpg.Record, now: datetime) -> Light:
    """The colour of a row of `deadlines` at `now`, or what it was when the clock stopped."""
    natural = clock["limit_text"] == "given" or parse_limit(clock["limit_text"]).natural
    return light(
        used(
            calendar_of(city, clock["clock"], clock["unit"]),
            clock["started_at"],
            clock["due_at"],
            clock["stopped_at"] or now,
            natural=natural,
            pauses=adjusted(clock["adjustments"]).pauses,
        )
    )


async def lights(at: Workplace, case_ids: Sequence[int]) -> dict[int, Light]:
    """The colour of each case: that of its clock which is due first. A case without a live clock has none."""
    rows, city = await at.pool.fetch(SQL.due_first, case_ids) if case_ids else [], at.cities.current
    return {row["case_id"]: light_of(city, row, at.clock.when(row["told"])) for row in rows}
