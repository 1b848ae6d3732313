"""Where proposals went astray (错派): whose work went to whom, and which rows of a duty book are most worth fixing."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dispatch.intake.shares import Row

# A row is worth fixing where one unit had so many of the cases that went astray there, and so large a share of all.
FEWEST: Final = 3
CLEAR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Worth:
    """Cases of one key: how many, how many of them would have gone astray, and who had most of them, with its share."""

    key: tuple[str, ...]
    cases: int
    astray: int
    unit: str
    share: float


def matrix(true: Sequence[str], first: Sequence[str]) -> Counter[tuple[str, str]]:
    """How often cases of one unit (second) would have gone to another (first)."""
    return Counter((said, unit) for said, unit in zip(first, true, strict=True) if said != unit)


def worth_fixing(rows: Sequence[Row], columns: Sequence[str], true: Sequence[str], first: Sequence[str]) -> list[Worth]:
    """The keys of these columns under which most cases went astray although one unit clearly has them; the worst first."""
    units: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    astray: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row, unit, said in zip(rows, true, first, strict=True):
        key = tuple(row[column] for column in columns)
        units[key][unit] += 1
        astray[key][unit] += said != unit
    found = []
    for key, had in units.items():
        unit, most = had.most_common(1)[0]
        cases = had.total()
        if astray[key][unit] >= FEWEST and most / cases >= CLEAR:
            found.append(Worth(key, cases, astray[key].total(), unit, most / cases))
    return sorted(found, key=lambda each: (-each.astray, each.key))
