"""The monthly report (月报) of a unit and what is below it: from what is kept, so the same whenever it is made again."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from dispatch.casework.actions import Workplace
from dispatch.city.model import Indicators
from dispatch.domain.errors import NotFound
from dispatch.indicators.definitions import DEFINITIONS, RATES, Figure
from dispatch.insight.indicators import Asked, Keyed, Summary, read
from dispatch.insight.reader import Reader

COLUMNS = ("scope", "unit", "name", "indicator", "指标", "numerator", "denominator", "excluded", "value", "raw")


class Monthly(Struct, frozen=True):
    """A unit's month: its figures with those below it, the rates of every unit below it, and all of them summed up both ways.

    `settings` are the weights and rules that were applied.
    """

    unit: str
    name: str
    month: str
    since: date
    until: date
    settings: Indicators
    figures: list[Figure]
    units: list[Keyed]
    summary: list[Summary]


async def monthly(at: Workplace, who: Reader, unit: str, month: str) -> Monthly:
    """The report of a month such as `2026-11`. Raises NotFound for a unit that the reader may not see."""
    city = at.cities.current
    since, until = period(month, city.indicators.period_starts)
    (whole,), _ = await read(at, who, Asked("unit", unit, since, until, ()))
    if unit not in city.units:
        raise NotFound(noun="unit", key=unit)
    below = city.units.subtree(unit)
    within = Reader(who.principal, who.scope, sorted(below), [], who.restricted, who.head_of, who.above)
    each, summed = await read(at, within, Asked("unit", None, since, until, RATES))
    found = city.units.get(unit)
    assert found is not None
    rows = [keyed for keyed in each if keyed.key in below]
    return Monthly(unit, found.name, month, since, until, city.indicators, whole.figures, rows, summed)


def period(month: str, starts: int) -> tuple[date, date]:
    """First and last day of an assessment period: of the month, or from day `starts` of the month before to the day before it."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    if starts == 1:
        return first, following - timedelta(days=1)
    return (first - timedelta(days=1)).replace(day=starts), first.replace(day=starts) - timedelta(days=1)


def as_csv(report: Monthly, names: dict[str, str]) -> bytes:
    """The same as a table, one figure a line, for a spreadsheet; rates stay between 0 and 1. `names` are those of units."""
    lines = [("unit and below", report.unit, each) for each in report.figures]
    lines += [
        ("unit and below", keyed.key, each)
        for keyed in report.units
        for each in keyed.figures
        if keyed.key != report.unit
    ]
    lines += [("pooled", "", each.pooled) for each in report.summary]
    out = io.StringIO()
    # A spreadsheet knows by the mark in front that this is UTF-8.
    out.write("\ufeff")
    write = csv.writer(out)
    write.writerow(COLUMNS)
    for scope, unit, figure in lines:
        write.writerow(_line(scope, unit, names.get(unit, ""), figure))
    for each in report.summary:
        zh = DEFINITIONS[each.indicator].zh
        write.writerow(("mean of rates", "", "", each.indicator, zh, "", "", "", each.mean_of_rates, ""))
    return out.getvalue().encode()


def _line(scope: str, unit: str, name: str, figure: Figure) -> tuple[Any, ...]:
    zh = DEFINITIONS[figure.indicator].zh
    amounts = figure.numerator, figure.denominator, figure.excluded, figure.value, figure.raw
    return scope, unit, name, figure.indicator, zh, *("" if each is None else each for each in amounts)
