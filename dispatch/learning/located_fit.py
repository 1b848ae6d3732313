"""A model of located cases from the pairs that people named: one logistic regression, held back more for what is rarer."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from dispatch.intake.located import SLOPED, Effect, Located, LocatedModel, Signs, best, signs
from dispatch.learning.located import Named, met
from dispatch.learning.measures import Numbers

# How freely weights may move: of signs, of kinds, and the slopes of kinds for the first signs; chosen by blocks of time.
FREE, FREE_KINDS, FREE_SLOPES = 0.7, 0.5, (0.4, 0.4, 0.3)
# Beliefs of the cases learned from that are kept, to know how high is high.
USUAL: Final = 200
DIGITS: Final = 4


class NothingNamed(ValueError):
    """No two cases that were named together lie within reach of one another, or there are no others to tell them from."""


class _Pairs(msgspec.Struct):
    """What is learned from: for each case and earlier case the signs, the kin, both kinds, and whether people named it."""

    signs: list[Signs] = []
    kins: list[str] = []
    later: list[str] = []
    earlier: list[str] = []
    named: list[bool] = []


def train(cases: Sequence[Located], named: Sequence[Named], *, by_kind: bool = True) -> LocatedModel:
    """A model from cases in time order and the pairs named among them. Raises NothingNamed.

    Without `by_kind` it knows no kind by its name, and so says less, but of any city.
    """
    zeros = (0.0,) * len(Signs._fields)
    after = _named_together(cases, named) if by_kind else {}
    model = LocatedModel(zeros, (1.0,) * len(zeros), zeros, 0.0, (0.0,), after=after)
    pairs = _pairs(cases, named, model)
    if len(set(pairs.named)) < 2:
        raise NothingNamed
    model = _fitted(pairs, model, by_kind=by_kind)
    beliefs = [best(model, case, found)[1] for case, found in met(cases, model)]
    usual = np.quantile(beliefs, (np.arange(USUAL) + 0.5) / USUAL)
    return msgspec.structs.replace(model, usual=tuple(usual.round(6).tolist()))


def _named_together(cases: Iterable[Located], named: Iterable[Named]) -> dict[str, dict[str, float]]:
    """Kinds of which one was named after the other, both ways."""
    kinds = {case.key: case.kind for case in cases}
    after: dict[str, dict[str, float]] = {}
    for pair in named:
        one, other = kinds[pair.later], kinds[pair.earlier]
        after.setdefault(one, {})[other] = after.setdefault(other, {})[one] = 0.0
    return after


def _pairs(cases: Iterable[Located], named: Iterable[Named], model: LocatedModel) -> _Pairs:
    true, pairs = set(named), _Pairs()
    for case, found in met(cases, model):
        pairs.signs += signs(case, found)
        for near in found:
            pairs.kins.append(case.kin)
            pairs.later.append(case.kind)
            pairs.earlier.append(near.case.kind)
            pairs.named.append(Named(case.key, near.case.key) in true)
    return pairs


def _fitted(pairs: _Pairs, model: LocatedModel, *, by_kind: bool) -> LocatedModel:
    # Imported here: whoever only serves or judges does without them.
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    values = np.array(pairs.signs)
    centre, scale = values.mean(0), values.std(0)
    scale[scale < 1e-9] = 1.0
    scaled = (values - centre) / scale
    groups = _groups(pairs) if by_kind else []
    columns = [sparse.csr_matrix(scaled * FREE)]
    for _, places, sloped in groups:
        ones = sparse.csr_matrix((np.full(len(places), FREE_KINDS), (np.arange(len(places)), places)))
        columns.append(ones)
        columns += [sparse.diags(scaled[:, n] * FREE_SLOPES[n] / FREE_KINDS) @ ones for n in range(SLOPED) if sloped]
    told = LogisticRegression(solver="liblinear", max_iter=300).fit(sparse.hstack(columns).tocsr(), pairs.named)
    weights = iter(np.split(told.coef_[0], np.cumsum([each.shape[1] for each in columns])[:-1]))
    learned: dict[str, Any] = {"weights": _plain(next(weights) * FREE)}
    effects = []
    for names, _, sloped in groups:
        rows = [next(weights) * FREE_KINDS, *(next(weights) * FREE_SLOPES[n] for n in range(SLOPED) if sloped)]
        effects.append(dict(zip(names, np.column_stack(rows), strict=True)))
    if by_kind:
        kins, kinds, directed, either = effects
        learned |= {"kins": _effects(kins), "kinds": _effects(kinds), "after": _after(directed, either)}
    return msgspec.structs.replace(
        model, centre=_plain(centre), scale=_plain(scale), bias=round(float(told.intercept_[0]), DIGITS), **learned
    )


def _groups(pairs: _Pairs) -> list[tuple[list[Any], NDArray[np.int64], bool]]:
    """What has an effect of its own: its names, the place of each pair's name among them, and whether it has slopes."""
    ways = list(zip(pairs.later, pairs.earlier, strict=True))
    named: list[tuple[Sequence[Any], bool]] = [
        (pairs.kins, True), (pairs.later, True), (ways, False), ([tuple(sorted(way)) for way in ways], False),
    ]  # fmt: skip
    groups = []
    for of_pairs, sloped in named:
        names = sorted(set(of_pairs))
        place = {name: n for n, name in enumerate(names)}
        groups.append((names, np.array([place[name] for name in of_pairs]), sloped))
    return groups


def _effects(rows: dict[str, Numbers]) -> dict[str, Effect]:
    return {name: Effect(round(float(row[0]), DIGITS), _plain(row[1:])) for name, row in rows.items()}


def _after(
    directed: dict[tuple[str, str], Numbers], either: dict[tuple[str, str], Numbers]
) -> dict[str, dict[str, float]]:
    """What a kind after another adds: that order by itself, and the two in any order."""
    found: dict[str, dict[str, float]] = {}
    for (one, other), row in either.items():
        for way in {(one, other), (other, one)}:
            of_way = float(directed[way][0]) if way in directed else 0.0
            found.setdefault(way[0], {})[way[1]] = round(float(row[0]) + of_way, DIGITS)
    return found


def _plain(values: Numbers) -> tuple[float, ...]:
    return tuple(np.round(values, DIGITS).tolist())
