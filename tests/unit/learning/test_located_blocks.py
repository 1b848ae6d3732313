"""Models of located cases are measured by blocks of time, and nothing of a block is known to the model that judges it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dispatch.intake.allowance import Share
from dispatch.intake.located import Located, LocatedModel
from dispatch.learning import located_blocks
from dispatch.learning.located import Named, judge
from dispatch.learning.located_blocks import BLOCKS, FLAGGED, FOUND, figures, flagged, named_of, unseen
from dispatch.learning.located_fit import train
from tests.unit.learning.test_located import history

ALL = Share(most=1.0, usual=0.5)


def test_a_pair_that_reaches_into_a_block_teaches_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, named = history()
    size = len(cases) // BLOCKS
    # One that begins before the second block and ends in it.
    across = Named(cases[size].key, cases[size - 1].key)
    given = list[tuple[set[str], Sequence[Named]]]()

    def watched(told: Sequence[Located], pairs: Sequence[Named]) -> LocatedModel:
        given.append(({case.key for case in told}, pairs))
        return train(told, pairs)

    monkeypatch.setattr(located_blocks, "train", watched)
    judged = list(unseen(cases, [*named, across], Share()))
    assert [each.case.key for each in judged] == [case.key for case in cases]
    assert len(given) == BLOCKS
    for n, (told, pairs) in enumerate(given):
        inside = {case.key for case in cases[n * size : (n + 1) * size]}
        assert told == {case.key for case in cases} - inside
        assert {key for pair in pairs for key in pair} <= told
        assert (across in pairs) == (n not in (0, 1))
        assert len(pairs) > len(named) / 2


def test_what_is_named_in_one_block_only_is_not_believed_there() -> None:
    cases, named = history()
    middle = range(len(cases) * 2 // BLOCKS, len(cases) * 3 // BLOCKS)
    kinds = {"lamp": "kiosk", "pole": "kiosk"}
    odd = [replace(case, kind=kinds.get(case.kind, case.kind)) if n in middle else case for n, case in enumerate(cases)]
    kiosks = {case.key for case in odd if case.kind == "kiosk"}
    by_all = {each.case.key: each.belief for each in judge(odd, train(odd, named), ALL) if each.earlier}
    by_others = {each.case.key: each.belief for each in unseen(odd, named, ALL) if each.earlier}
    pairs = [pair for pair in named if set(pair) <= kiosks]
    assert len(pairs) > 10
    assert sum(by_all[pair.later] for pair in pairs) > 1.5 * sum(by_others[pair.later] for pair in pairs)


def test_the_share_holds_over_the_whole_stream_and_a_case_may_mean_one_before_its_block() -> None:
    cases, named = history()
    judged = list(unseen(cases, named, Share()))
    assert 0 < sum(each.flagged for each in judged) <= 0.12 * len(cases)
    # The border of two blocks runs between a case and what is said again of it.
    odd = [replace(cases[0], key="first", opened_at=cases[0].opened_at), *cases]
    starts = {odd[len(odd) * n // BLOCKS].key for n in range(1, BLOCKS)}
    meant = [each for each in unseen(odd, named, ALL) if each.case.key in starts and each.earlier]
    assert meant


def test_figures_are_shares_of_the_named_pairs() -> None:
    cases, named = history()
    said = named_of(judge(cases, train(cases, named), ALL))
    found = figures(said, named)
    every = np.arange(len(named))
    assert found[FLAGGED](every) == flagged(said, named).mean()
    right = sum(said.get(pair.later) == pair.earlier for pair in named) / len(named)
    assert found[FOUND](every) == pytest.approx(right)
    assert found[FOUND](np.array([0])) in (0, 1)
