"""Whether two messages say one thing, learned from pairs that people judged (查重).

A message that stands in many pairs makes them all alike: pairs that hang together by a message are one group, and every group
counts once, in training and in figures.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dispatch.intake.alike import Linear, PairModel, Signs, signs
from dispatch.intake.rarity import Rarity
from dispatch.intake.words import Words
from dispatch.learning.measures import Numbers

SAME: Final = "same"
LABELS: Final = (SAME, "facet", "topic", "diff")
# How strongly weights are held back: chosen by ten folds of groups, five times, on four fifths of the groups.
HELD_BACK, HELD_BACK_LABELS = 0.03, 0.05


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
    return [signs(said[pair.one], said[pair.other], rarity) for pair in pairs]


def train(pairs: Sequence[Pair], found: Sequence[Signs]) -> PairModel:
    """A model from judged pairs and their signs. Raises ValueError where only one label was given."""
    # Imported here: whoever only serves or judges does without it.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    labels = np.array([pair.label for pair in pairs])
    weight = weights(groups(pairs))
    scaler = StandardScaler().fit(np.array(found), sample_weight=weight)
    scaled = scaler.transform(np.array(found))
    same = LogisticRegression(C=HELD_BACK).fit(scaled, labels == SAME, sample_weight=weight)
    # Labels are told apart as if each were as frequent as the others: few pairs are `diff`, and none would ever be said.
    of_label = {label: weight[labels == label].sum() for label in set(labels)}
    evened = weight * np.array([1 / of_label[label] for label in labels]) * weight.sum() / len(of_label)
    told = LogisticRegression(C=HELD_BACK_LABELS, max_iter=1_000).fit(scaled, labels, sample_weight=evened)
    rows = told.coef_ if len(told.classes_) > 2 else np.vstack([-told.coef_, told.coef_])
    biases = told.intercept_ if len(told.classes_) > 2 else np.hstack([-told.intercept_, told.intercept_])
    return PairModel(
        tuple(scaler.mean_.tolist()), tuple(scaler.scale_.tolist()), Linear(tuple(same.coef_[0].tolist()), float(same.intercept_[0])),
        {
            str(label): Linear(tuple(row.tolist()), float(bias))
            for label, row, bias in zip(told.classes_, rows, biases, strict=True)
        },
    )  # fmt: skip
