"""What past cases say of who handles a case: smoothed shares of units, roles and families by several keys, as features of candidates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Row = Mapping[str, str]
# Cases' worth of prior in a key's share; after so many days a case counts half among recent ones.
SMOOTHING: Final = 0.7
HALF_LIFE_DAYS: Final = 14.0
CANDIDATES: Final = 20
# Keys by which recent cases and families of names are looked at too, and roles.
RECENT, WIDE = 6, 8


@dataclass
class Names:
    """What the names of units tell: the role without its area, and the family of forms of one name."""

    units: list[str]
    role: Ints
    family: Ints


@dataclass
class Table:
    """Weighted counts of units for each key of some columns."""

    columns: tuple[str, ...]
    counts: dict[tuple[str, ...], tuple[Ints, Floats]]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Sequence[Row], units: Ints, weights: Floats) -> "Table":
        """Count the rows, each with its weight; units below zero are nobody's."""
        counts: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
        made = cls(tuple(columns), {})
        for row, unit, weight in zip(rows, units.tolist(), weights.tolist(), strict=True):
            if unit >= 0:
                held = counts[made.key(row)]
                held[unit] = held.get(unit, 0.0) + weight
        made.counts = {
            k: (np.array(list(v), np.int64), np.array(list(v.values()), np.float32)) for k, v in counts.items()
        }
        return made

    def key(self, row: Row) -> tuple[str, ...]:
        """The row's key in this table."""
        return tuple([row[c] for c in self.columns])

    def lookup(self, rows: Sequence[Row], width: int) -> Floats:
        """Counts, one line a row, one column a unit."""
        out = np.zeros((len(rows), width), np.float32)
        for i, row in enumerate(rows):
            found = self.counts.get(self.key(row))
            if found is not None:
                out[i, found[0]] = found[1]
        return out


def shares(counts: Floats, prior: Floats) -> Floats:
    """Log shares of counts smoothed towards a prior."""
    total = counts.sum(1, keepdims=True)
    smoothed: Floats = np.log((counts + SMOOTHING * prior) / (total + SMOOTHING))
    return smoothed


def members(groups: Ints) -> Floats:
    """Units by groups, one where the unit belongs."""
    return np.eye(groups.max() + 1, dtype=np.float32)[groups]


@dataclass
class Tables:
    """All counts known at one moment, and the features they give a case's candidates."""

    names: Names
    subsets: list[tuple[str, ...]]
    single: list[tuple[str, ...]]
    counted: dict[tuple[str, ...], Table] = field(default_factory=dict)
    recent: dict[tuple[str, ...], Table] = field(default_factory=dict)
    totals: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    lately: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    age: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def fill(self, rows: Sequence[Row], units: Ints, days: Ints) -> "Tables":
        """Count the rows; returns itself."""
        ones = np.ones(len(rows), np.float32)
        fading = (0.5 ** ((days.max() - days) / HALF_LIFE_DAYS)).astype(np.float32)
        for columns in dict.fromkeys((*self.subsets, *self.single)):
            self.counted[columns] = Table.of(columns, rows, units, ones)
        for columns in self.subsets[:RECENT]:
            self.recent[columns] = Table.of(columns, rows, units, fading)
        width, known = len(self.names.units), units >= 0
        self.totals = np.bincount(units[known], minlength=width).astype(np.float32)
        self.lately = np.bincount(units[known], fading[known], minlength=width).astype(np.float32)
        last = np.full(width, days.min() - 1)
        np.maximum.at(last, units[known], days[known])
        self.age = (days.max() - last).astype(np.float32)
        return self

    def evidence(self, rows: Sequence[Row]) -> tuple[list[Floats], list[Floats], list[Floats], list[Floats]]:
        """Per unit: log shares by subset, by family and recency, by role, and within the role; plus key sizes."""
        width = len(self.names.units)
        prior = (self.totals + 0.05) / (self.totals + 0.05).sum()
        counts = {c: t.lookup(rows, width) for c, t in self.counted.items()}
        direct = [shares(counts[c], prior) for c in self.subsets]
        sizes = [np.log1p(counts[c].sum(1)) for c in self.subsets]
        family, role = members(self.names.family), members(self.names.role)
        alike = [shares(counts[c] @ family, prior @ family)[:, self.names.family] for c in self.subsets[:RECENT]]
        alike += [shares(self.recent[c].lookup(rows, width), prior) for c in self.recent]
        wide = self.subsets[:WIDE] + [c for c in self.single if c not in self.subsets[:WIDE]]
        by_role = [shares(counts[c] @ role, prior @ role)[:, self.names.role] for c in wide]
        rest = self.totals + 0.1
        within = rest / (role @ (rest @ role))
        for columns in self.single:
            mine = counts[columns]
            total = (mine @ role)[:, self.names.role]
            by_role.append(np.log((mine + 0.5 * within) / (total + 0.5)))
        return direct, sizes, alike, by_role

    def features(self, rows: Sequence[Row]) -> tuple[Ints, Floats]:
        """The best candidates of each row, and rows x candidates x features."""
        direct, sizes, alike, by_role = self.evidence(rows)
        inside = by_role[-len(self.single) :]
        outside = by_role[: -len(self.single)]
        base = sum(direct) + len(direct) / 2 * (sum(outside) / len(outside) + sum(inside) / len(inside))
        chosen = np.argsort(-base, 1, kind="stable")[:, :CANDIDATES]
        line = np.arange(len(rows))[:, None]
        logs = [x[line, chosen] for x in (*direct, *alike, *by_role)]
        sure = [x[line, chosen] * (s / (s + 2))[:, None] for x, s in zip(direct, sizes, strict=True)]
        family = members(self.names.family)
        held = (self.totals + 0.1) / (family @ (self.totals @ family) + 0.1)
        now = (self.lately + 0.1) / (family @ (self.lately @ family) + 0.1)
        unit = [x[chosen] for x in (self.age, np.log1p(self.totals), held, now)]
        return chosen, np.stack([*logs, *sure, *unit, *(np.exp(x) for x in logs)], 2).astype(np.float32)
