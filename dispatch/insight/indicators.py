"""Figures by unit, area, category, channel and day, from what is kept; each with what it is made of.

| dimension                      | who reads what                                          | summed up                                  |
|--------------------------------|---------------------------------------------------------|--------------------------------------------|
| `unit`                         | a unit itself and what is below it; all by a city-wide role | here, over the tree of units in force   |
| `area`                         | who watches over an area, it and what is below it       | when counted, over the case's own version  |
| `all` `category` `channel` `day` | a city-wide role                                      | when counted                               |

A restricted case is in the figures of the whole city and of its district alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

import asyncpg
from msgspec import Struct

from dispatch.casework.actions import Workplace
from dispatch.domain.errors import BadInput, NotFound
from dispatch.indicators.contribution import NOTHING, Amount
from dispatch.indicators.definitions import DEFINITIONS, TOTAL, Definition, Figure, published
from dispatch.insight.reader import Reader
from dispatch.store.statements import load

SQL = load(__file__, "indicators")
Dimension = Literal["all", "unit", "area", "category", "channel", "day"]
Parts = dict[str, Amount]
BEGINNING: Final = date(1, 1, 1)


class Keyed(Struct, frozen=True):
    """The figures of one key."""

    key: str
    figures: list[Figure]


class Summary(Struct, frozen=True):
    """One figure over all keys of a page, both ways: `pooled` from everything together, `mean_of_rates` the mean of the keys' own rates.

    They differ wherever keys are of different size; neither takes the place of the other.
    """

    indicator: str
    pooled: Figure
    mean_of_rates: float | None


class Asked(Struct, frozen=True):
    """What figures are asked for: days both included; no `key` means all that the reader may see."""

    dimension: Dimension
    key: str | None
    since: date
    until: date
    indicators: tuple[str, ...]


async def read(at: Workplace, who: Reader, asked: Asked) -> tuple[list[Keyed], list[Summary]]:
    """The figures asked for, by key, and their summary where there are several keys. Raises BadInput, NotFound."""
    wanted = [DEFINITIONS[name] for name in asked.indicators] or list(DEFINITIONS.values())
    if asked.dimension not in ("all", "day") and asked.key is None and not asked.indicators:
        raise BadInput(field="indicator", problem="is needed where no key is given")
    if asked.dimension == "day":
        _whole_city(who, asked)
        return await _by_day(at, asked, wanted), []
    keys = _keys(at, who, asked)
    kept = await _kept(at, asked, wanted, keys)
    settings = at.cities.current.indicators
    own = {key: [published(each, parts, settings) for each in wanted] for key, parts in kept.items()}
    rolled = _rolled_up(at, asked, keys, kept) if asked.dimension == "unit" else kept
    if asked.key is not None or asked.dimension == "all":
        rolled = {asked.key or "": rolled.get(asked.key or "", {})}
    shown = [Keyed(key, [published(each, parts, settings) for each in wanted]) for key, parts in sorted(rolled.items())]
    if asked.key is not None or asked.dimension in ("all", "area"):
        return shown, []
    return shown, summary(wanted, own, pooled(kept.values()), at)


def summary(
    wanted: Iterable[Definition], own: Mapping[str, list[Figure]], together: Parts, at: Workplace
) -> list[Summary]:
    """Each rate over all keys, pooled and as the mean of those keys that have one."""
    rows = []
    for nth, each in enumerate(wanted):
        if each.kind in ("ratio", "score"):
            rates = [value for figures in own.values() if (value := figures[nth].value) is not None]
            mean = round(sum(rates) / len(rates), 6) if rates else None
            rows.append(Summary(each.name, published(each, together, at.cities.current.indicators), mean))
    return rows


def pooled(kept: Iterable[Mapping[str, Amount]]) -> Parts:
    """Everything together."""
    sums: dict[str, list[int]] = {}
    for parts in kept:
        for name, amount in parts.items():
            held = sums.setdefault(name, [0, 0, 0, 0])
            for nth, value in enumerate(amount):
                held[nth] += value
    return {name: (a, b, c, d) for name, (a, b, c, d) in sums.items()}


async def _kept(
    at: Workplace, asked: Asked, wanted: Sequence[Definition], keys: Collection[str] | None
) -> dict[str, Parts]:
    """What was kept of each key in the period, and what a balance is made of since the beginning: an indexed read."""
    flows, totals = _parts(wanted)
    chosen = None if keys is None else list(keys)
    reads: list[tuple[str, list[asyncpg.Record]]] = []
    if chosen is not None and not asked.indicators:
        reads.append(("", await at.pool.fetch(SQL.of_keys, asked.dimension, chosen, asked.since, asked.until, totals)))
        totals = []
    elif flows:
        reads.append(("", await at.pool.fetch(SQL.by_key, asked.dimension, flows, asked.since, asked.until, chosen)))
    if totals:
        reads.append((TOTAL, await at.pool.fetch(SQL.by_key, asked.dimension, totals, BEGINNING, asked.until, chosen)))
    kept: dict[str, Parts] = {}
    for prefix, rows in reads:
        for row in rows:
            kept.setdefault(row["key"], {})[prefix + row["indicator"]] = _amount(row)
    return kept


async def _by_day(at: Workplace, asked: Asked, wanted: Sequence[Definition]) -> list[Keyed]:
    flows, totals = _parts(wanted)
    kept: dict[str, Parts] = {}
    for row in await at.pool.fetch(SQL.by_day, sorted({*flows, *totals}), asked.since, asked.until):
        kept.setdefault(row["key"], {})[row["indicator"]] = _amount(row)
    before = {row["indicator"]: row["numerator"] for row in await at.pool.fetch(SQL.before, totals, asked.since)}
    for parts in kept.values():
        for name in totals:
            before[name] = before.get(name, 0) + parts.get(name, NOTHING)[0]
            parts[TOTAL + name] = (before[name], 0, 0, 0)
    settings = at.cities.current.indicators
    return [Keyed(key, [published(each, parts, settings) for each in wanted]) for key, parts in kept.items()]


def _parts(wanted: Iterable[Definition]) -> tuple[list[str], list[str]]:
    """What is read of the period, and what since the beginning."""
    names = {part for each in wanted for part in each.parts}
    totals = {name.removeprefix(TOTAL) for name in names if name.startswith(TOTAL)}
    return sorted(name for name in names if not name.startswith(TOTAL)), sorted(totals)


def _keys(at: Workplace, who: Reader, asked: Asked) -> list[str] | None:
    """The keys that are read, None for all there are. Raises BadInput, NotFound for what the reader may not see."""
    if asked.dimension == "unit":
        if asked.key is None:
            return who.units
        units = at.cities.current.units
        if who.units is not None and asked.key not in who.units:
            raise NotFound(noun="unit", key=asked.key)
        return sorted(units.subtree(asked.key)) if asked.key in units else [asked.key]
    if asked.dimension == "area":
        if who.units is not None and asked.key is not None and asked.key not in who.areas:
            raise NotFound(noun="area", key=asked.key)
        return [asked.key] if asked.key is not None else None if who.units is None else who.areas
    _whole_city(who, asked)
    return [""] if asked.dimension == "all" else None if asked.key is None else [asked.key]


def _whole_city(who: Reader, asked: Asked) -> None:
    if who.units is not None:
        raise BadInput(field="dimension", problem=f"figures by {asked.dimension} need a city-wide role")


def _rolled_up(
    at: Workplace, asked: Asked, keys: Collection[str] | None, kept: Mapping[str, Parts]
) -> dict[str, Parts]:
    """Of each unit that the reader sees together with those below it."""
    if asked.key is not None:
        return {asked.key: pooled(kept.values())}
    units = at.cities.current.units
    below: dict[str, list[Parts]] = {}
    for code, parts in kept.items():
        for unit in units.path(code) if code in units else (code,):
            if keys is None or unit in keys:
                below.setdefault(unit, []).append(parts)
    return {unit: pooled(each) for unit, each in below.items()}


def _amount(row: asyncpg.Record) -> Amount:
    return row["numerator"], row["denominator"], row["excluded"], row["excluded_numerator"]
