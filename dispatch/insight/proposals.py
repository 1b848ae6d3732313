"""Whose a case may be by history, where the duty book is silent or falls back: never dispatched by itself.

| a unit that the model names                                  | what follows                                   |
|--------------------------------------------------------------|------------------------------------------------|
| is no unit of this city today, by code or by its only name   | left out                                       |
| is complained about, or returned this case                   | left out                                       |
| gave back n cases of this kind and area in the last 30 days  | its share is divided by n + 1, from at once on |
| any other                                                    | proposed with its share, the three likeliest   |
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import asyncpg

from dispatch.casework.actions import Workplace
from dispatch.casework.levels import HANDED_UP
from dispatch.city.model import City
from dispatch.intake.known import FIELDS, Known
from dispatch.intake.route import Route, excluded_units
from dispatch.intake.shares import CANDIDATES
from dispatch.store.statements import load

SQL = load(__file__, "proposals")
PROPOSED: Final = 3
LATELY: Final = timedelta(days=30)
# What the duty book says where no rule of it speaks.
_SILENT: Final = frozenset({"unclassified", "no_place", "fallback", "nobody_else"})


def is_silent(route: Route) -> bool:
    """Whether no rule of the duty book said whose it is: it fell back on the place, or on whoever is left."""
    return route.rule in _SILENT or route.rule.startswith("local:")


async def by_history(at: Workplace, row: asyncpg.Record, returned: Sequence[str]) -> dict[str, Any] | None:
    """What the model of units proposes for a case, what it was asked with, and whom it may not name; None without a model."""
    models, city = at.models.current, at.cities.current
    if models.units is None:
        return None
    asked = {column: value for column, value in known(row, city).items() if column in models.units.columns}
    asked |= dict.fromkeys(set(models.units.columns) - set(FIELDS), "")
    ranked = models.units.rank([asked], CANDIDATES)[0]
    out = dict.fromkeys(excluded_units(row["about_unit"], city), "complained_about")
    out |= {unit: "returned" for unit in returned if unit not in out}
    named = [(_unit(name, city), name, share) for name, share in ranked]
    possible = {unit: share for unit, _, share in named if unit is not None and unit not in out}
    back = {r["unit"]: r["cases"] for r in await _returned_lately(at, row, list(possible))}
    lowered = {unit: share / (1 + back.get(unit, 0)) for unit, share in possible.items()}
    best = sorted(lowered.items(), key=lambda each: -each[1])[:PROPOSED]
    return {
        "version": models.versions["units"],
        "asked": asked,
        "units": [
            {"unit": unit, "confidence": round(share, 4), "reasons": _reasons(possible[unit], back.get(unit, 0), share)}
            for unit, share in best
        ],
        "left_out": [
            {"unit": unit or name, "why": out[unit] if unit else "no_such_unit", "confidence": round(share, 4)}
            for unit, name, share in named[:PROPOSED]
            if unit is None or unit in out
        ],
    }


def known(row: asyncpg.Record, city: City) -> dict[str, str]:
    """A case as models of units are asked about it."""
    category = city.categories.get(row["category"], row["category_table"]) if row["category"] else None
    return Known(category, row["area"], row["channel"], row["kind"], row["urgency"]).row(city)


def _unit(name: str, city: City) -> str | None:
    """The unit of this code, or the only one of this name."""
    if name in city.units:
        return name
    named = [unit.code for unit in city.units if unit.name == name]
    return named[0] if len(named) == 1 else None


async def _returned_lately(at: Workplace, row: asyncpg.Record, units: list[str]) -> list[asyncpg.Record]:
    since = at.clock.wall() - LATELY
    return list(await at.pool.fetch(SQL.returned_lately, units, since, row["category"], row["area"], HANDED_UP))


def _reasons(share: float, returned: int, lowered: float) -> list[str]:
    found = [f"{share:.0%} of such cases by history"]
    if returned:
        times = "once" if returned == 1 else f"{returned} times"
        found.append(f"gave such a case back {times} in {LATELY.days} days: {lowered:.0%}")
    return found
