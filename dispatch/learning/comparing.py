"""A new model beside the one in service: by their own trainings, and on rows that neither was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dispatch.intake import addresses, located, subjects, texts, units
from dispatch.intake.alike import SAME
from dispatch.intake.allowance import Share
from dispatch.intake.located import Located
from dispatch.intake.shares import Row
from dispatch.intake.words import Words
from dispatch.learning import measures
from dispatch.learning.addresses import MACRO_F1 as OF_LABELS
from dispatch.learning.located import Named, judge
from dispatch.learning.located_blocks import FLAGGED, flagged, named_of
from dispatch.learning.measures import Figure
from dispatch.learning.pairs import Pair, groups, signs_of, weights
from dispatch.learning.register import FEWEST_NEW, Comparison, Model, Rows, Serving

MACRO_F1 = "macro-F1"
PRECISION = "average precision of same"
FIRST = "first choice 首选"


def of_subjects(
    model: Model, said: Sequence[str], asked: Sequence[str], labels: Sequence[str], serving: Serving
) -> Comparison | None:
    """By macro-F1; `said` is what the new one says of each row where it has not seen it. Raises BadModel."""
    fresh = np.flatnonzero(~serving.has_seen(model.trained_on)).tolist()
    old = subjects.unpacked(serving.body)
    before = [old.predict(asked[n])[0] for n in fresh] if len(fresh) >= FEWEST_NEW else []
    true, now, ones = [labels[n] for n in fresh], [said[n] for n in fresh], np.ones(len(fresh))

    def figure(answers: Sequence[str]) -> Figure:
        return lambda at: measures.macro_f1([true[n] for n in at], [answers[n] for n in at], ones[at])

    return _compared(MACRO_F1, model, serving, len(before), figure(now), figure(before))


@dataclass(frozen=True)
class JudgedUnits:
    """Cases that the new model was judged on before it saw them: their numbers, and whether its first choice was right."""

    cases: list[Row]
    numbers: Rows
    right: npt.NDArray[np.bool_]
    columns: Sequence[str]
    target: str


def of_units(model: Model, judged: JudgedUnits, serving: Serving) -> Comparison | None:
    """By the first choice; by their own trainings alone where the other one was learned from other columns. Raises BadModel."""
    old = units.unpacked(serving.body)
    fresh = np.flatnonzero(~serving.has_seen(judged.numbers)).tolist()
    same = set(old.columns) == set(judged.columns) and len(fresh) >= FEWEST_NEW
    asked = [judged.cases[n] for n in fresh] if same else []
    now = judged.right[fresh]
    before = np.array([b[0][0] == row[judged.target] for b, row in zip(old.rank(asked, 1), asked, strict=True)])
    return _compared(
        FIRST, model, serving, len(asked), lambda at: float(now[at].mean()), lambda at: float(before[at].mean())
    )


@dataclass(frozen=True)
class JudgedPairs:
    """Judged pairs with the words of their messages, and the belief in `same` of a model that had not seen their group."""

    pairs: list[Pair]
    said: Mapping[str, Words]
    believed: measures.Numbers


def of_pairs(model: Model, judged: JudgedPairs, serving: Serving) -> Comparison | None:
    """By the average precision of `same`. Raises BadModel."""
    old = texts.unpacked(serving.body)
    fresh = np.flatnonzero(~serving.has_seen(model.trained_on)).tolist()
    pairs = [judged.pairs[n] for n in fresh] if len(fresh) >= FEWEST_NEW else []
    true = np.array([float(pair.label == SAME) for pair in pairs])
    weight, now = weights(groups(pairs)), judged.believed[fresh]
    before = np.array([old.pairs.judge(each)[1] for each in signs_of(pairs, judged.said, old.rarity)])

    def figure(score: measures.Numbers) -> Figure:
        return lambda at: measures.average_precision(true[at], score[at], weight[at])

    return _compared(PRECISION, model, serving, len(pairs), figure(now), figure(before))


@dataclass(frozen=True)
class JudgedLocated:
    """Cases in time order, the pairs named among them, and for each pair whether its later case was flagged by a model of other times."""

    cases: Sequence[Located]
    named: Sequence[Named]
    flagged: measures.Numbers


def of_located(model: Model, judged: JudgedLocated, serving: Serving, share: Share) -> Comparison | None:
    """By how many of the later cases are flagged, of the pairs whose later case is new to the other one. Raises BadModel."""
    old = located.unpacked(serving.body)
    rows = zip(judged.cases, serving.has_seen(model.trained_on).tolist(), strict=True)
    new = {case.key for case, seen in rows if not seen}
    fresh = [n for n, pair in enumerate(judged.named) if pair.later in new]
    named = [judged.named[n] for n in fresh] if len(fresh) >= FEWEST_NEW else []
    now = judged.flagged[fresh]
    before = flagged(named_of(judge(judged.cases, old, share)) if named else {}, named)
    return _compared(
        FLAGGED, model, serving, len(named), lambda at: float(now[at].mean()), lambda at: float(before[at].mean()),
        groups([Pair(*pair) for pair in named]),
    )  # fmt: skip


@dataclass(frozen=True)
class JudgedAddresses:
    """Judged pairs of address texts, and what a model that had not seen their group said of each."""

    pairs: Sequence[Pair]
    said: Sequence[str]


def of_addresses(model: Model, judged: JudgedAddresses, serving: Serving) -> Comparison | None:
    """By macro-F1, on the groups of pairs of which the other one has seen none. Raises BadModel."""
    old, grouped = addresses.unpacked(serving.body), groups(judged.pairs)
    seen = {group for group, known in zip(grouped, serving.has_seen(model.trained_on), strict=True) if known}
    fresh = [n for n, group in enumerate(grouped) if group not in seen]
    pairs = [judged.pairs[n] for n in fresh] if len(fresh) >= FEWEST_NEW else []
    true, now, ones = [pair.label or "" for pair in pairs], [judged.said[n] for n in fresh], np.ones(len(pairs))
    before = [old.judge(old.sketch(pair.one), old.sketch(pair.other))[0] for pair in pairs]

    def figure(answers: Sequence[str]) -> Figure:
        return lambda at: measures.macro_f1([true[n] for n in at], [answers[n] for n in at], ones[at])

    return _compared(
        OF_LABELS, model, serving, len(pairs), figure(now), figure(before), groups(pairs)
    )  # fmt: skip


def _compared(
    first: str,
    model: Model,
    serving: Serving,
    rows: int,
    new: Figure,
    old: Figure,
    grouped: Sequence[int] | None = None,
) -> Comparison | None:
    """`grouped`: the group of each row, where some hang together."""
    if first not in serving.figures:
        return None
    own = model.figures[first][0], serving.figures[first][0]
    if not rows:
        return Comparison(first, *own)
    least, _ = measures.interval(range(rows) if grouped is None else grouped, lambda at: new(at) - old(at))
    every = np.arange(rows)
    return Comparison(first, *own, rows, (new(every), old(every), least))
