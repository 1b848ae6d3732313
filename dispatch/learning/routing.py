"""Whose a case is, learned from cases that were handled: a conditional logit over the best candidates.

Its weights are fitted on cases that come later than those its tables were counted from (rolling origin), so that what is new each
month is weighed as it will be met. Learning needs scipy; ranking is plain arithmetic.
"""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from dispatch.learning.shares import Floats, Table, Tables, shares
from dispatch.learning.unit_names import Ints, Row, read_names

SUBSETS: Final = 16
# Tables from the part before a cut explain the part up to the next.
CUTS: Final = (0.4, 0.55, 0.7, 0.85, 1.0)
PENALTY: Final = 50.0
AT_ONCE: Final = 1_000


def softmax(scores: Floats) -> Floats:
    """Shares of one, along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    found: Floats = powers / powers.sum(-1, keepdims=True)
    return found


def choose_subsets(rows: Sequence[Row], units: Ints, features: Sequence[str], width: int) -> list[tuple[str, ...]]:
    """Key subsets that together explain the last quarter of the rows best, greedily."""
    cut = int(len(rows) * 0.75)
    held = np.flatnonzero(units[cut:] >= 0) + cut
    judged, truth = [rows[i] for i in held.tolist()], units[held]
    prior = np.bincount(units[:cut][units[:cut] >= 0], minlength=width) + 0.1
    prior = (prior / prior.sum()).astype(np.float32)
    options = [c for k in range(4) for c in itertools.combinations(features, k)] + [tuple(features)]
    ones = np.ones(cut, np.float32)
    logs = {c: shares(Table(c, rows[:cut], units[:cut], ones).lookup(judged, width), prior) for c in options}
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


class Router:
    """Ranks units for cases; `fit` once, `rank` many times."""

    def __init__(self, features: Sequence[str], target: str, time: str) -> None:
        self.columns, self.target, self.time = tuple(features), target, time

    def fit(self, rows: Sequence[Row]) -> "Router":
        """Learn from handled cases; returns itself."""
        rows = sorted((r for r in rows if r[self.target]), key=lambda r: r[self.time])
        names = sorted({r[self.target] for r in rows})
        index = {u: i for i, u in enumerate(names)}
        units = np.array([index[r[self.target]] for r in rows], np.int64)
        days = np.array([date.fromisoformat(r[self.time][:10]).toordinal() for r in rows], np.int64)
        self.names = read_names(names, {c: {r[c] for r in rows} for c in self.columns})
        self.subsets = choose_subsets(rows, units, self.columns, len(names))
        ends = [int(len(rows) * c) for c in CUTS]
        parts = [
            (self._tables().fill(rows[:a], units[:a], days[:a]).features(rows[a:b]), units[a:b])
            for a, b in itertools.pairwise(ends)
        ]
        chosen = np.concatenate([p[0][0] for p in parts])
        values = np.concatenate([p[0][1] for p in parts])
        hit = chosen == np.concatenate([p[1] for p in parts])[:, None]
        self.mean, self.scale = values.mean((0, 1)), values.std((0, 1)) + 1e-6
        known = hit.any(1)
        self.weights = fit_weights(((values - self.mean) / self.scale)[known], hit[known].argmax(1))
        self.tables = self._tables().fill(rows, units, days)
        return self

    def _tables(self) -> Tables:
        return Tables(self.names, self.subsets, [(c,) for c in self.columns])

    def rank(self, rows: Sequence[Row], best: int = 3) -> list[list[tuple[str, float]]]:
        """For each row the likeliest units with their probability, best first."""
        ranked: list[list[tuple[str, float]]] = []
        for start in range(0, len(rows), AT_ONCE):
            chosen, values = self.tables.features(rows[start : start + AT_ONCE])
            chance = softmax(((values - self.mean) / self.scale) @ self.weights.astype(np.float32))
            order = np.argsort(-chance, 1, kind="stable")[:, :best]
            for i, places in enumerate(order):
                ranked.append([(self.names.units[chosen[i, j]], float(chance[i, j])) for j in places])
        return ranked
