"""Why each clock of a case ends when it does, in stretches that a citizen's lawyer can add up."""

from typing import Any

import asyncpg
import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.adjustments import adjusted
from dispatch.casework.clocks import calendar_of
from dispatch.city.model import City
from dispatch.insight.cases import SQL, deadline, find
from dispatch.insight.lights import light_of
from dispatch.people.principal import Principal
from sla import explanation
from sla.limits import parse_limit


async def explain_deadlines(at: Workplace, by: Principal, case_no: str) -> dict[str, Any]:
    """Each clock of a case: the limit, the policy it comes from, how it reads, the ladder that was frozen with it.

    `citation` is the law that a statutory limit quotes. `slices` are the stretches from start to due instant, counted and
    not counted; `light` is the clock's colour now, or what it was when it stopped.
    """
    row = await find(at, by, case_no)
    city, now = at.cities.current, await at.clock.now(at.pool)
    policies = (await at.cities.version(at.pool, row["city_version"])).policies
    return {
        "case_no": case_no,
        "city_version": row["city_version"],
        "deadlines": [
            deadline(d)
            | {"citation": policies.citations.get(d["rule"], "")}
            | {"slices": _slices(city, d), "light": light_of(city, d, now)}
            for d in await at.pool.fetch(SQL.deadlines, row["id"])
        ],
    }


def _slices(city: City, row: asyncpg.Record) -> list[dict[str, Any]]:
    """How the time of a clock is counted. One whose due instant was given, or moved by hand, has no slices."""
    if row["limit_text"] == "given":
        return []
    calendar, limit = calendar_of(city, row["clock"], row["unit"]), parse_limit(row["limit_text"])
    slices = explanation.explain(calendar, row["started_at"], limit, row["mode"], adjusted(row["adjustments"]))
    return [_shown(each) for each in slices] if slices[-1].end == row["due_at"] else []


def _shown(stretch: explanation.Slice) -> dict[str, Any]:
    zh, en = explanation.NAMES[stretch.kind]
    return {"counted": stretch.counted, "name": zh, "name_en": en} | msgspec.structs.asdict(stretch)
