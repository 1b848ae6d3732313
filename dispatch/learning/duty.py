"""A duty book (权责清单) drafted from history: for a category, or one in an area, the unit that nearly always had it.

| line                       | is drafted where                                                                                |
|----------------------------|-------------------------------------------------------------------------------------------------|
| category                   | `FEWEST` cases at least, and the unit's share of them is `SURE` at the lower end of its interval |
| category in an area        | the same of the cases there, and it is another unit than that of the category                   |

A unit that goes by another name since some day counts, under the newest name, as one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dispatch.intake.shares import Row
from dispatch.learning.measures import lower_bound
from dispatch.learning.unit_names import Rename, read_names, renames

FEWEST: Final = 5
SURE: Final = 0.7


@dataclass(frozen=True)
class Columns:
    """What the columns of a history are called."""

    category: str
    area: str
    target: str
    time: str


@dataclass(frozen=True)
class Line:
    """A drafted line: the unit, how many cases it rests on, its share of them and the least that share may be, and the next unit."""

    category: str
    area: str
    unit: str
    cases: int
    share: float
    least: float
    second: str
    second_share: float


def renamed(rows: Sequence[Row], at: Columns) -> list[Rename]:
    """Names that took over from others."""
    columns = (at.category, at.area)
    names = read_names(sorted({row[at.target] for row in rows}), {c: {row[c] for row in rows} for c in columns})
    return renames(rows, names, columns, at.target, at.time)


def newest(found: Sequence[Rename]) -> dict[str, str]:
    """For each old name the newest that leads on from it."""
    after = {each.old: each.new for each in sorted(found, key=lambda each: each.since)}
    last = {}
    for old in after:
        name, seen = old, {old}
        while (step := after.get(name)) is not None and step not in seen:
            name = step
            seen.add(step)
        last[old] = name
    return last


def draft(rows: Sequence[Row], at: Columns, names: Mapping[str, str]) -> list[Line]:
    """The lines, by category, that of the whole city first. Rows without a category are left out."""
    everywhere: dict[str, Counter[str]] = defaultdict(Counter)
    there: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        category, area, unit = row[at.category], row[at.area], names.get(row[at.target], row[at.target])
        if category:
            everywhere[category][unit] += 1
            if area:
                there[category, area][unit] += 1
    lines = {(c, ""): line for c, units in everywhere.items() if (line := _line(c, "", units))}
    for (category, area), units in there.items():
        line = _line(category, area, units)
        if line and ((category, "") not in lines or lines[category, ""].unit != line.unit):
            lines[category, area] = line
    return [lines[key] for key in sorted(lines)]


def _line(category: str, area: str, units: Counter[str]) -> Line | None:
    ranked = sorted(units.items(), key=lambda each: (-each[1], each[0]))
    (unit, cases), (second, others) = ranked[0], ranked[1] if len(ranked) > 1 else ("", 0)
    total = units.total()
    least = float(lower_bound(np.array([cases]), np.array([total]))[0])
    if total < FEWEST or least < SURE:
        return None
    return Line(category, area, unit, total, cases / total, least, second, others / total)


def judged(lines: Sequence[Line], rows: Sequence[Row], at: Columns, names: Mapping[str, str]) -> list[bool | None]:
    """For each row whether the book names its unit; None where it says nothing."""
    book = {(line.category, line.area): line.unit for line in lines}
    found: list[bool | None] = []
    for row in rows:
        said = book.get((row[at.category], row[at.area])) or book.get((row[at.category], ""))
        found.append(None if said is None else names.get(said, said) == names.get(row[at.target], row[at.target]))
    return found
