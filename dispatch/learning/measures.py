"""Figures of a judgement on labelled data, each item with its weight, and bootstrap intervals over groups of items."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Figure = Callable[[NDArray[np.int64]], float]
ROUNDS: Final = 1_000
SEED: Final = 20_261_126


def average_precision(true: Numbers, score: Numbers, weight: Numbers) -> float:
    """The mean precision over what is true, the best score first; equal scores are one step."""
    precision, recall = _curve(true, score, weight)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at(precision_asked: float, true: Numbers, score: Numbers, weight: Numbers) -> float:
    """The most that is found while at least so much of what is named is true; 0 where that is never so."""
    precision, recall = _curve(true, score, weight)
    return float(max(recall[precision >= precision_asked], default=0.0))


def _curve(true: Numbers, score: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    order = np.argsort(-score, kind="stable")
    found, named = np.cumsum((weight * true)[order]), np.cumsum(weight[order])
    last = np.append(np.diff(score[order]) != 0, True)
    most = found[-1] if len(found) and found[-1] else 1.0
    return (found / named)[last], (found / most)[last]


def macro_f1(true: Sequence[str], said: Sequence[str], weight: Numbers) -> float:
    """The plain mean of F1 over every label that is true of something."""
    truth, answer = np.array(true), np.array(said)
    scores = []
    for label in sorted(set(true)):
        hit = weight[(truth == label) & (answer == label)].sum()
        both = weight[truth == label].sum() + weight[answer == label].sum()
        scores.append(2 * hit / both)
    return float(np.mean(scores))


def of_surest(share: float, right: Numbers, sure: Numbers) -> float:
    """How much is right of the share that is surest."""
    return float(right[np.argsort(-sure, kind="stable")[: int(share * len(sure))]].mean())


def calibration_error(right: Numbers, sure: Numbers, bins: int = 10) -> float:
    """Mean gap between how sure and how often right, over bins of equal width."""
    places = np.minimum((sure * bins).astype(np.int64), bins - 1)
    return float(sum(abs((sure - right)[places == n].sum()) for n in range(bins)) / len(sure))


def lower_bound(right: Numbers, of: Numbers) -> Numbers:
    """The lower end of the 95 % interval (Wilson) of a share of which `right` are right among `of`."""
    share, z = right / of, 1.959964
    middle = share + z * z / (2 * of)
    margin = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    found: Numbers = (middle - margin) / (1 + z * z / of)
    return found


def interval(groups: Sequence[int], figure: Figure) -> tuple[float, float]:
    """The middle 95 % of a figure over samples of whole groups; `figure` gets the places of the items drawn."""
    members: dict[int, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    drawn, ways = list(members.values()), np.random.default_rng(SEED)
    found = []
    for _ in range(ROUNDS):
        picked = ways.integers(len(drawn), size=len(drawn))
        # Where every item is a group of its own, what was drawn are the places: on ten thousands of items this is what costs.
        alone = len(drawn) == len(groups)
        found.append(figure(picked if alone else np.array([place for each in picked for place in drawn[each]])))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def measured(groups: Sequence[int], figures: Mapping[str, Figure]) -> dict[str, tuple[float, float, float]]:
    """Each figure over all items, with the ends of its interval over groups of items."""
    return {name: (figure(np.arange(len(groups))), *interval(groups, figure)) for name, figure in figures.items()}
