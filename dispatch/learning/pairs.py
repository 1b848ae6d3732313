"""Whether two messages say one thing, learned from pairs that people judged (查重).

A message that stands in many pairs makes them all alike: pairs that hang together by a message are one group, and every group
counts once, in training and in figures.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.intake.alike import SAME, Linear, PairModel, Signs, Texts, signs
from dispatch.intake.rarity import Rarity, counted
from dispatch.intake.texts import packed, shipped, unpacked
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import Words
from dispatch.learning.measures import Numbers

LABELS: Final = (SAME, "facet", "topic", "diff")
# How strongly weights are held back, and how far rare labels are made as frequent as the others (1: quite): chosen by ten folds of groups,
# five times, on four fifths of the groups.
HELD_BACK, HELD_BACK_LABELS, EVENED = 0.1, 1.0, 0.75
# How far the odds that two messages are one matter are made even before such a pair is called the same.
EVENED_SAME: Final = 0.5
# What tells the labels of two matters apart: there are too few such pairs for more signs.
TELLING: Final = ("shared", "name", "title")
FOLDS: Final = 10
SEED: Final = 20_261_126
# From where on a pair may be taken for one matter by itself: as many of a hundred that were named must have been.
PRECISION: Final = 0.98


@dataclass(frozen=True, slots=True)
class Pair:
    """Two messages by their numbers, and what people judged, where they did."""

    one: str
    other: str
    label: str | None = None


def groups(pairs: Sequence[Pair]) -> list[int]:
    """For each pair the group that it hangs together with, as the place of one of its pairs."""
    above: dict[str, str] = {}

    def root(key: str) -> str:
        while above.setdefault(key, key) != key:
            above[key] = key = above[above[key]]
        return key

    for pair in pairs:
        above[root(pair.one)] = root(pair.other)
    first: dict[str, int] = {}
    return [first.setdefault(root(pair.one), place) for place, pair in enumerate(pairs)]


def weights(groups_: Sequence[int]) -> Numbers:
    """One for each group, shared out among its pairs."""
    sizes = Counter(groups_)
    return np.array([1 / sizes[group] for group in groups_])


def signs_of(pairs: Sequence[Pair], said: Mapping[str, Words], rarity: Rarity) -> list[Signs]:
    """What is compared of each pair."""
    weighed = {
        each: Weighed(said[each], rarity) for each in {number for pair in pairs for number in (pair.one, pair.other)}
    }
    return [signs(weighed[pair.one], weighed[pair.other]) for pair in pairs]


def learned(before: Mapping[str, Words], taught: Sequence[Pair], said: Mapping[str, Words]) -> Texts:
    """How a city's messages are compared: rarity in all of them, and the weights that judged pairs of `before` taught, else the shipped.

    Raises ValueError where not some are same and some are not.
    """
    rarity = counted(each.runs for each in {**before, **said}.values())
    model = train(taught, signs_of(taught, before, rarity)) if taught else shipped().pairs
    return unpacked(packed(Texts(model, rarity, "")))


def train(pairs: Sequence[Pair], found: Sequence[Signs]) -> PairModel:
    """A model from judged pairs and their signs. Raises ValueError where not some are same and some are not."""
    # Imported here: whoever only serves or judges does without it.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    labels, grouped = np.array([pair.label for pair in pairs]), groups(pairs)
    weight, true = weights(grouped), (labels == SAME).astype(np.float64)
    if len(set(true)) < 2:
        raise ValueError("some pairs must be same, and some not")
    scaler = StandardScaler().fit(np.array(found), sample_weight=weight)
    scaled: Numbers = scaler.transform(np.array(found))
    unseen = _unseen(scaled, true, weight, grouped)
    slope, start = _believed(unseen, true, weight)
    same = LogisticRegression(C=HELD_BACK).fit(scaled, true, sample_weight=weight)
    odds = float(weight @ true) / float(weight @ (1 - true))
    return PairModel(
        tuple(scaler.mean_.tolist()), tuple(scaler.scale_.tolist()),
        Linear(tuple((slope * same.coef_[0]).tolist()), float(slope * same.intercept_[0] + start)),
        _told(scaled[true == 0], labels[true == 0], weight[true == 0]),
        _surely(1 / (1 + np.exp(-(slope * unseen + start))), true, weight),
        # As if both were more evenly frequent, like the labels.
        1 / (1 + odds**-EVENED_SAME),
    )  # fmt: skip


def _told(scaled: Numbers, labels: NDArray[np.str_], weight: Numbers) -> dict[str, Linear]:
    """By what the labels of pairs that are not one matter are told apart, the rare ones made more frequent."""
    from sklearn.linear_model import LogisticRegression

    every, places = sorted(set(labels.tolist())), [Signs._fields.index(name) for name in TELLING]
    rows, biases = np.zeros((len(every), scaled.shape[1])), np.zeros(len(every))
    if len(every) > 1:
        evened = weight * np.array([weight[labels == label].sum() ** -EVENED for label in labels])
        told = LogisticRegression(C=HELD_BACK_LABELS, max_iter=2_000)
        told.fit(scaled[:, places], labels, sample_weight=evened * weight.sum() / evened.sum())
        two = len(every) == 2
        rows[:, places] = np.vstack([-told.coef_, told.coef_]) if two else told.coef_
        biases = np.hstack([-told.intercept_, told.intercept_]) if two else told.intercept_
    return {
        label: Linear(tuple(row.tolist()), float(bias)) for label, row, bias in zip(every, rows, biases, strict=True)
    }


def beliefs(pairs: Sequence[Pair], found: Sequence[Signs]) -> Numbers:
    """For each pair the belief in `same`, weighed by what was learned without its group; with few groups, as little as that says."""
    from sklearn.preprocessing import StandardScaler

    grouped = groups(pairs)
    weight, true = weights(grouped), np.array([float(pair.label == SAME) for pair in pairs])
    scaled: Numbers = StandardScaler().fit_transform(np.array(found), sample_weight=weight)
    sums = _unseen(scaled, true, weight, grouped)
    slope, start = _believed(sums, true, weight)
    believed: Numbers = 1 / (1 + np.exp(-(slope * sums + start)))
    return believed


def _unseen(scaled: Numbers, true: Numbers, weight: Numbers, grouped: Sequence[int]) -> Numbers:
    """For each pair the sum by weights that were learned without its group."""
    from sklearn.linear_model import LogisticRegression

    each = sorted(set(grouped))
    order = np.random.default_rng(SEED).permutation(len(each))
    fold_of = {each[place]: turn % FOLDS for turn, place in enumerate(order.tolist())}
    fold = np.array([fold_of[group] for group in grouped])
    sums = np.zeros(len(true))
    for turn in range(FOLDS):
        seen = fold != turn
        if len(set(true[seen])) == 2 and not seen.all():
            model = LogisticRegression(C=HELD_BACK).fit(scaled[seen], true[seen], sample_weight=weight[seen])
            sums[~seen] = model.decision_function(scaled[~seen])
    return sums


def _believed(sums: Numbers, true: Numbers, weight: Numbers) -> tuple[float, float]:
    """By what a sum is multiplied, and what is added, to make it a belief that holds of pairs that were not seen."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=100.0).fit(sums[:, None], true, sample_weight=weight)
    return max(float(line.coef_[0, 0]), 1e-3), float(line.intercept_[0])


def _surely(belief: Numbers, true: Numbers, weight: Numbers) -> float:
    """The least belief from which on PRECISION of the pairs were one matter; above 1, which nothing reaches, where that is never so."""
    order = np.argsort(-belief, kind="stable")
    share = np.cumsum((weight * true)[order]) / np.cumsum(weight[order])
    good = np.flatnonzero(share >= PRECISION)
    return float(belief[order][good[-1]]) if len(good) else 1.01
