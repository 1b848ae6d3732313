"""Whether two address texts name one place, learned from pairs that people judged (地址比对).

Pairs that hang together by a text are one group and stay on one side of every fold: an address with five alternatives is one lesson.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.learning import tables
from dispatch.learning.measures import Figure, Numbers, average_precision, macro_f1
from dispatch.learning.pairs import Pair, groups
from gridmap.address_pairs import LABELS, LEAVES, SAME, AddressModel, Trees, packed
from gridmap.address_signs import signs
from gridmap.address_sketch import Rarity, Sketch, counted

FOLDS: Final = 5
MACRO_F1: Final = "macro-F1 of the labels"
# Chosen by five folds on four fifths of the groups.
SETTINGS: Final = {
    "max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 15, "min_samples_leaf": 30, "l2_regularization": 10.0,
    "max_features": 0.15, "early_stopping": False,
}  # fmt: skip
SEEDS: Final = (0, 1)
TILTS: Final = np.exp(np.linspace(-1.2, 1.2, 25))
ALL_LEAVES: Final = 0xFFFF


class TooFewPairs(Exception):
    """Pairs of each label must hang together in at least as many groups as there are folds."""


def read(path: Path, names: tables.Names = tables.NO_NAMES, *, judged: bool) -> list[Pair]:
    """Pairs of texts, in order, with the label where the file has one. Raises FaultyTable; `judged` asks for labels."""
    found = []
    labelled = judged or tables.has(path, "label", names)
    for line, row in tables.rows(path, ("a", "b", *(("label",) if labelled else ())), names):
        label = row.get("label") or None
        if label is not None and label not in LABELS:
            raise tables.FaultyTable(path.name, line, "label", f"{label} is none of {', '.join(LABELS)}")
        if judged and label is None:
            raise tables.FaultyTable(path.name, line, "label", "is empty")
        found.append(Pair(row["a"], row["b"], label))
    return found


def folds(pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """A fold for each pair, by the smallest text of its group: the order of the rows changes nothing."""
    grouped, smallest = groups(pairs), dict[int, str]()
    for group, pair in zip(grouped, pairs, strict=True):
        smallest[group] = min(smallest.get(group, pair.one), pair.one, pair.other)
    chosen = {group: int(sha256(text.encode()).hexdigest(), 16) // FOLDS % FOLDS for group, text in smallest.items()}
    return np.array([chosen[group] for group in grouped], np.int64)


def train(pairs: Sequence[Pair]) -> AddressModel:
    """A model from judged pairs. Raises TooFewPairs."""
    truth, fold = _divided(pairs)
    rarity = counted(text for pair in pairs for text in (pair.one, pair.other))
    found = _signs(pairs, rarity)
    unseen = np.zeros((len(pairs), len(LABELS)))
    for n in sorted(set(fold.tolist())):
        for forest in _grown(found[fold != n], truth[fold != n]):
            unseen[fold == n] += forest.predict_proba(found[fold == n])
    start, trees = _exported(_grown(found, truth))
    return AddressModel(packed(rarity), trees, start, tuple(tilt(unseen, truth).tolist()))


def unseen(pairs: Sequence[Pair]) -> tuple[list[str], Numbers]:
    """For each pair what a model that has not seen its group says of it: the label, and the belief in `same`. Raises TooFewPairs.

    Rarity too is counted without the fold, and beliefs are tilted by those of the other folds.
    """
    truth, fold = _divided(pairs)
    names, beliefs, said = np.array(LABELS), np.zeros((len(pairs), len(LABELS))), np.zeros(len(pairs), np.int64)
    for n in sorted(set(fold.tolist())):
        rarity = counted(
            text for pair, of in zip(pairs, fold, strict=True) if of != n for text in (pair.one, pair.other)
        )
        found = _signs(pairs, rarity)
        forests = _grown(found[fold != n], truth[fold != n])
        beliefs[fold == n] = sum(forest.predict_proba(found[fold == n]) for forest in forests) / len(forests)
    for n in sorted(set(fold.tolist())):
        tilted = beliefs[fold == n] * tilt(beliefs[fold != n], truth[fold != n])
        said[fold == n] = tilted.argmax(1)
    return names[said].tolist(), beliefs[:, LABELS.index(SAME)]


def figures(labels: Sequence[str], said: Sequence[str], score: Numbers) -> dict[str, Figure]:
    """How far what was said of pairs is what people judged; `score` is the belief in `same`."""
    true, verdicts, ones = np.array(labels), np.array(said), np.ones(len(labels))
    same = (true == SAME).astype(float)
    return {
        MACRO_F1: lambda at: macro_f1(true[at].tolist(), verdicts[at].tolist(), ones[at]),
        "accuracy 准确率": lambda at: float((true[at] == verdicts[at]).mean()),
        "average precision of same": lambda at: average_precision(same[at], score[at], ones[at]),
    }


def _divided(pairs: Sequence[Pair]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The label of each pair as its place in LABELS, and its fold. Raises TooFewPairs."""
    truth = np.array([LABELS.index(pair.label or "") for pair in pairs], np.int64)
    fold = folds(pairs)
    if any(len(set(truth[fold != n])) < len(LABELS) for n in range(FOLDS)):
        raise TooFewPairs
    return truth, fold


def _signs(pairs: Sequence[Pair], rarity: Rarity) -> Numbers:
    return np.array([signs(Sketch(pair.one, rarity), Sketch(pair.other, rarity)) for pair in pairs])


def tilt(beliefs: Numbers, truth: NDArray[np.int64]) -> Numbers:
    """What beliefs in each label are multiplied with, so that macro-F1 of the likeliest is best: `same` is rare and would hardly be said."""
    names, ones = np.array(LABELS), np.ones(len(truth))
    tilted = np.ones(len(LABELS))
    for _ in range(3):
        for place in range(1, len(LABELS)):
            scores = []
            for share in TILTS:
                tilted[place] = share
                said = names[(beliefs * tilted).argmax(1)]
                scores.append(macro_f1(names[truth].tolist(), said.tolist(), ones))
            smooth = np.convolve(np.pad(scores, 1, mode="edge"), np.ones(3) / 3, "valid")
            tilted[place] = TILTS[int(smooth.argmax())]
    return tilted


def _grown(found: Numbers, truth: NDArray[np.int64]) -> list[Any]:
    # Imported here: whoever only serves or judges does without it.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    # Small trees: threads would wait for one another, on a busy machine for many times as long as the work takes.
    with threadpool_limits(1, "openmp"):
        return [HistGradientBoostingClassifier(random_state=seed, **SETTINGS).fit(found, truth) for seed in SEEDS]


@dataclass
class _Table:
    nodes: list[int] = field(default_factory=list)
    signs: list[int] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    remain: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, nodes: Any, share: float) -> None:
        """One tree, its leaves numbered from the left."""
        before, leaves = len(self.signs), len(self.values)

        def walk(place: int) -> int:
            node = nodes[place]
            if node["is_leaf"]:
                self.values.append(round(float(node["value"]) * share, 4))
                return 1 << (len(self.values) - leaves - 1)
            at = len(self.signs)
            self.signs.append(int(node["feature_idx"]))
            self.most.append(round(float(node["num_threshold"]), 4))
            self.remain.append(0)
            left = walk(int(node["left"]))
            self.remain[at] = ALL_LEAVES & ~left
            return left | walk(int(node["right"]))

        walk(0)
        if len(self.signs) == before:
            # A tree that asks nothing: a question that removes no leaf, and a second leaf that nobody reaches.
            self.signs.append(0)
            self.most.append(0.0)
            self.remain.append(ALL_LEAVES)
            self.values.append(0.0)
        self.nodes.append(len(self.signs) - before)


def _exported(forests: Sequence[Any]) -> tuple[tuple[float, ...], Trees]:
    """The mean of forests as one table."""
    assert SETTINGS["max_leaf_nodes"] <= LEAVES
    table = _Table()
    for forest in forests:
        for turn in forest._predictors:
            for tree in turn:
                table.add(tree.nodes, 1 / len(forests))
    start = sum(forest._baseline_prediction.ravel() for forest in forests) / len(forests)
    return tuple(start.tolist()), Trees(table.nodes, table.signs, table.most, table.remain, table.values)
