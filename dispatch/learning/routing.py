"""Whose a case is, learned from cases that were handled: a conditional logit over the best candidates.

Its weights are fitted on cases that come later than those its tables were counted from (rolling origin), so that what is new each
month is weighed as it will be met. Learning needs scipy; ranking is plain arithmetic.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from dispatch.intake.shares import Floats, Ints, Row, Table, Tables, shares
from dispatch.intake.units import UnitModel, softmax
from dispatch.learning.unit_names import read_names

SUBSETS: Final = 16
# Tables from the part before a cut explain the part up to the next.
CUTS: Final = (0.4, 0.55, 0.7, 0.85, 1.0)
PENALTY: Final = 50.0
ORIGINS: Final = (0.8, 0.9, 1.0)


def choose_subsets(rows: Sequence[Row], units: Ints, features: Sequence[str], width: int) -> list[tuple[str, ...]]:
    """Key subsets that together explain the last quarter of the rows best, greedily."""
    cut = int(len(rows) * 0.75)
    held = np.flatnonzero(units[cut:] >= 0) + cut
    judged, truth = [rows[i] for i in held.tolist()], units[held]
    prior = np.bincount(units[:cut][units[:cut] >= 0], minlength=width) + 0.1
    prior = (prior / prior.sum()).astype(np.float32)
    options = [c for k in range(4) for c in itertools.combinations(features, k)] + [tuple(features)]
    ones = np.ones(cut, np.float32)
    logs = {c: shares(Table.of(c, rows[:cut], units[:cut], ones).lookup(judged, width), prior) for c in options}
    pool, chosen = np.zeros_like(logs[()]), []
    for step in range(min(SUBSETS, len(logs))):
        weight = (1 if step < 2 else 2) / (step + 1)
        loss = {c: log_loss(weight * (pool + logs[c]), truth) for c in logs if c not in chosen}
        chosen.append(min(loss, key=lambda c: loss[c]))
        pool += logs[chosen[-1]]
    return chosen


def log_loss(scores: Floats, truth: Ints) -> float:
    """Mean negative log share of the truth."""
    top = scores.max(1, keepdims=True)
    norm = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
    return float((norm - scores[np.arange(len(truth)), truth]).mean())


def fit_weights(features: Floats, place: Ints) -> npt.NDArray[np.float64]:
    """Conditional logit: weights that make the candidate at `place` likely."""
    from scipy.optimize import minimize

    line = np.arange(len(place))

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        chance = softmax(features @ weights.astype(np.float32))
        value = -np.log(chance[line, place] + 1e-12).sum() + PENALTY * (weights @ weights) / 2
        chance[line, place] -= 1
        return float(value), np.tensordot(chance, features, 2) + PENALTY * weights

    start = np.zeros(features.shape[2])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150}).x)


@dataclass(frozen=True)
class Judged:
    """Rows at the end of a history, and what a model of those before them proposed."""

    rows: list[Row]
    ranked: list[list[tuple[str, float]]]

    @property
    def judged(self) -> Iterator[tuple[Row, list[tuple[str, float]]]]:
        """Each row with three proposals, of no unit where there are fewer."""
        for row, best in zip(self.rows, self.ranked, strict=True):
            yield row, [*best, *[("", 0.0)] * (3 - len(best))]


def rolling(rows: Sequence[Row], features: Sequence[str], target: str, time: str) -> Iterator[Judged]:
    """The last fifth in two parts, each judged by what came before it."""
    ordered = sorted((r for r in rows if r[target]), key=lambda r: r[time])
    for begin, end in itertools.pairwise(int(len(ordered) * share) for share in ORIGINS):
        yield Judged(ordered[begin:end], fit(ordered[:begin], features, target, time).rank(ordered[begin:end]))


def fit(rows: Sequence[Row], features: Sequence[str], target: str, time: str) -> UnitModel:
    """Learn from handled cases: who handled one stands in `target`, when it came in (beginning YYYY-MM-DD) in `time`."""
    rows = sorted((r for r in rows if r[target]), key=lambda r: r[time])
    columns = tuple(features)
    listed = sorted({r[target] for r in rows})
    index = {u: i for i, u in enumerate(listed)}
    units = np.array([index[r[target]] for r in rows], np.int64)
    days = np.array([date.fromisoformat(r[time][:10]).toordinal() for r in rows], np.int64)
    names = read_names(listed, {c: {r[c] for r in rows} for c in columns})
    subsets = choose_subsets(rows, units, columns, len(listed))

    def tables() -> Tables:
        return Tables(names, subsets, [(c,) for c in columns])

    ends = [int(len(rows) * c) for c in CUTS]
    parts = [
        (tables().fill(rows[:a], units[:a], days[:a]).features(rows[a:b]), units[a:b])
        for a, b in itertools.pairwise(ends)
    ]
    chosen = np.concatenate([p[0][0] for p in parts])
    values = np.concatenate([p[0][1] for p in parts])
    hit = chosen == np.concatenate([p[1] for p in parts])[:, None]
    mean, scale = values.mean((0, 1)), values.std((0, 1)) + 1e-6
    known = hit.any(1)
    weights = fit_weights(((values - mean) / scale)[known], hit[known].argmax(1))
    return UnitModel(columns, tables().fill(rows, units, days), mean, scale, weights.astype(np.float32))
