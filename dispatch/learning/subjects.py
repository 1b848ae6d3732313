"""The model of subjects from labelled texts of a city, and from its other texts without labels.

Terms that keep company in any text share their weight: a kernel of likeness through all texts, which folds into the same one matrix.
Near-duplicates are never on both sides of a fold.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dispatch.intake.subjects import (
    Calibration,
    Classifier,
    Floats,
    Ints,
    Linear,
    Trust,
    Vocabulary,
    clean,
    leads,
    table,
)
from dispatch.learning.measures import lower_bound

LEAST_TEXTS: Final = 4
# Weight of the company that a term keeps, beside the term itself.
SMOOTHING: Final = 4.0
SVM_COST: Final = 4.0
# Jaccard likeness of pairs of characters from which texts are near-duplicates.
DUPLICATE: Final = 0.5
SEED: Final = 3
FOLDS: Final = 5


class TooFewTexts(Exception):
    """Each label needs as many texts that are no copies of one another as there are folds."""


def grams(text: str, words: frozenset[str]) -> list[str]:
    """Characters, pairs, and the listed words of three or four characters."""
    found = list(text)
    found += [text[i : i + 2] for i in range(len(text) - 1)]
    for size in (3, 4):
        found += [w for i in range(len(text) - size + 1) if (w := text[i : i + size]) in words]
    return found


def learn_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Features that stand in enough of the texts; no label is read."""
    import jieba

    jieba.setLogLevel(logging.ERROR)
    words = frozenset(w for t in texts for w in jieba.cut(t) if 3 <= len(w) <= 4)
    seen = Counter(g for t in texts for g in set(grams(t, words)))
    kept = {g: (1 + len(texts)) / (1 + n) for g, n in seen.items() if n >= LEAST_TEXTS}
    return table({g: float(np.log(share)) + 1 for g, share in kept.items()})


def matrix(vocabulary: Vocabulary, texts: Sequence[str]) -> Any:
    """Texts by features, sparse."""
    from scipy.sparse import csr_matrix

    rows = [vocabulary.encode(t) for t in texts]
    if not rows:
        return csr_matrix((0, len(vocabulary.rarity)), dtype=np.float32)
    ends = np.cumsum([0] + [len(places) for places, _ in rows])
    parts = (np.concatenate([v for _, v in rows]), np.concatenate([p for p, _ in rows]), ends)
    return csr_matrix(parts, shape=(len(texts), len(vocabulary.rarity)))


@dataclass
class Space:
    """Likeness of labelled texts, with the company of all texts mixed in."""

    all_texts: Any  # labelled rows first, sparse
    centre: Floats
    near: Floats  # labelled by all texts, centred
    kernel: Floats
    scale: tuple[float, float]


def smooth(labelled: Any, others: Any) -> Space:
    """Centre the features and let texts be alike through third texts."""
    from scipy.sparse import vstack

    everything = vstack([labelled, others]).tocsr()
    centre = np.asarray(everything.mean(0)).ravel().astype(np.float32)
    near = (labelled @ everything.T).toarray()
    near = near - (labelled @ centre)[:, None] - (everything @ centre)[None] + centre @ centre
    own, through = near[:, : labelled.shape[0]], near @ near.T
    scale = (1 / float(np.trace(own) / len(own)), SMOOTHING / float(np.trace(through) / len(own)))
    return Space(everything, centre, near, scale[0] * own + scale[1] * through, scale)


def train(space: Space, rows: Ints, truth: Ints, classes: int) -> Linear:
    """One-against-the-rest support vector machines on the rows, folded into one matrix."""
    from sklearn.svm import SVC

    kernel = space.kernel[np.ix_(rows, rows)].astype(np.float64)
    share = np.zeros((space.all_texts.shape[0], classes), np.float32)
    start = np.zeros(classes, np.float32)
    for k in range(classes):
        machine = SVC(kernel="precomputed", C=SVM_COST, cache_size=400).fit(kernel, truth == k)
        dual = np.zeros(len(rows), np.float32)
        dual[machine.support_] = machine.dual_coef_[0]
        share[rows, k] += space.scale[0] * dual
        share[:, k] += space.scale[1] * (space.near[rows].T @ dual)
        start[k] = machine.intercept_[0]
    weights = np.asarray(space.all_texts.T @ share) - np.outer(space.centre, share.sum(0))
    return Linear(weights.astype(np.float32), start - (space.centre @ weights).astype(np.float32))


def balance(margins: Floats, truth: Ints) -> Floats:
    """A start for each subject that makes softmax of unseen texts' margins likeliest."""
    from scipy.optimize import minimize

    line = np.arange(len(truth))

    def loss(x: npt.NDArray[np.float64]) -> float:
        scores = np.exp(x[0]) * (margins + x[1:])
        scores = scores - scores.max(1, keepdims=True)
        norm = np.log(np.exp(scores).sum(1))
        return float((norm - scores[line, truth]).mean() + 0.01 * (x[1:] @ x[1:]))

    start = np.r_[1.0, np.zeros(margins.shape[1])]
    return np.asarray(minimize(loss, start, method="L-BFGS-B", options={"maxiter": 30}).x[1:], np.float32)


def calibrate(margins: Floats, truth: Ints) -> Calibration:
    """Fit on margins of texts that the model did not see."""
    from sklearn.linear_model import LogisticRegression

    right, lead = margins.argmax(1) == truth, leads(margins)
    # One text more that is right and one that is not: nothing is ever quite sure.
    lead, right = np.append(lead, [lead.mean()] * 2), np.append(right, [True, False])
    line = LogisticRegression(C=100.0).fit(lead[:, None], right)
    return Calibration(float(line.coef_[0, 0]), float(line.intercept_[0]))


def folds(truth: Ints, groups: Ints, seed: int) -> list[tuple[Ints, Ints]]:
    """Five folds with like shares of subjects; a group stays whole."""
    from sklearn.model_selection import StratifiedGroupKFold

    split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    return list(split.split(truth, truth, groups))


def out_of_fold(space: Space, rows: Ints, truth: Ints, groups: Ints, seed: int) -> Floats:
    """Margins of each of the rows by a model that did not see its group."""
    classes = int(truth.max()) + 1
    margins = np.zeros((len(rows), classes), np.float32)
    for seen, unseen in folds(truth[rows], groups[rows], seed):
        model = train(space, rows[seen], truth[rows[seen]], classes)
        margins[unseen] = space.all_texts[rows[unseen]] @ model.weights + model.start
    return margins


@dataclass(frozen=True)
class Learned:
    """A classifier, and what it says of the labelled texts where it has not seen them or their copies."""

    classifier: Classifier
    said: list[str]
    sure: Floats


def often_enough(texts: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Places of the texts whose label has as many, copies aside, as there are folds."""
    if not texts:
        return []
    groups = duplicate_groups([clean(text) for text in texts]).tolist()
    there: dict[str, set[int]] = {}
    for label, group in zip(labels, groups, strict=True):
        there.setdefault(label, set()).add(group)
    return [n for n, label in enumerate(labels) if len(there[label]) >= FOLDS]


def fit(texts: Sequence[str], labels: Sequence[str], others: Sequence[str]) -> Learned:
    """Learn from labelled texts and from others without labels. Raises TooFewTexts."""
    subjects = sorted(set(labels))
    truth = np.array([subjects.index(x) for x in labels], np.int64)
    cleaned, plain = [clean(t) for t in texts], [clean(t) for t in others]
    vocabulary = learn_vocabulary([*cleaned, *plain])
    space = smooth(matrix(vocabulary, cleaned), matrix(vocabulary, plain))
    groups = duplicate_groups(cleaned)
    if min(len(set(groups[truth == n].tolist())) for n in range(len(subjects))) < FOLDS:
        raise TooFewTexts
    margins = out_of_fold(space, np.arange(len(truth)), truth, groups, SEED)
    said, sure = unseen(margins, truth, groups)
    starts = balance(margins, truth)
    model = train(space, np.arange(len(truth)), truth, margins.shape[1])
    model = Linear(model.weights, model.start + starts)
    trusted = trust(sure, said == truth)
    classifier = Classifier(subjects, vocabulary, model, calibrate(margins + starts, truth), trusted)
    return Learned(classifier, [subjects[n] for n in said.tolist()], sure)


def unseen(margins: Floats, truth: Ints, groups: Ints) -> tuple[Ints, Floats]:
    """Subject and confidence of each text, starts and calibration too from the folds that it is not in."""
    said, sure = np.zeros(len(truth), np.int64), np.zeros(len(truth), np.float32)
    for seen, held in folds(truth, groups, SEED):
        starts = balance(margins[seen], truth[seen])
        line = calibrate(margins[seen] + starts, truth[seen])
        said[held] = (margins[held] + starts).argmax(1)
        sure[held] = [line.of_lead(lead) for lead in leads(margins[held] + starts).tolist()]
    return said, sure


def trust(sure: Floats, right: npt.NDArray[np.bool_]) -> Trust:
    """From which confidence on how much is right at least: only steps that ask more confidence for more."""
    order = np.argsort(-sure, kind="stable")
    ordered, ranks = sure[order], np.arange(1.0, len(sure) + 1)
    low = lower_bound(np.cumsum(right[order]).astype(np.float64), ranks)
    last = np.append(ordered[1:] != ordered[:-1], True)
    steps: list[tuple[float, float]] = []
    for confidence, share in zip(ordered[last][::-1].tolist(), low[last][::-1].tolist(), strict=True):
        if not steps or share > steps[-1][1]:
            steps.append((confidence, share))
    return Trust([confidence for confidence, _ in steps], [share for _, share in steps])


def duplicate_groups(texts: Sequence[str]) -> Ints:
    """One number for texts that are near-duplicates, also through others."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.feature_extraction.text import CountVectorizer

    pairs = CountVectorizer(analyzer="char", ngram_range=(2, 2), binary=True, dtype=np.float32).fit_transform(texts)
    size = np.asarray(pairs.sum(1)).ravel()
    both = (pairs @ pairs.T).tocoo()
    both.data = (both.data >= DUPLICATE * (size[both.row] + size[both.col] - both.data)).astype(np.float32)
    linked = both.tocsr()
    linked.eliminate_zeros()
    return np.asarray(connected_components(linked, directed=False)[1], np.int64)
