"""A worse model never takes over: judged on rows new to both, and by what each was worth at its own training."""

import numpy as np
import pytest

from dispatch.intake import addresses, located
from dispatch.intake.addresses import shipped
from dispatch.intake.allowance import Share
from dispatch.learning import addresses as addresses_learning
from dispatch.learning import comparing
from dispatch.learning.located import judge
from dispatch.learning.located_blocks import FLAGGED, flagged, named_of
from dispatch.learning.located_fit import train
from dispatch.learning.pairs import Pair
from dispatch.learning.register import Comparison, Model, Rows, Serving, hashed, numbered
from dispatch.learning.subjects import Learned, fit
from tests.unit.learning.test_located import history
from tests.unit.learning.test_subjects import texts


@pytest.mark.parametrize(
    ("comparison", "worse"),
    [
        (Comparison("f", 0.80, 0.81), True),
        (Comparison("f", 0.81, 0.81), False),
        (Comparison("f", 0.90, 0.80, 60, (0.70, 0.71, -0.05)), True),
        (Comparison("f", 0.90, 0.80, 60, (0.71, 0.71, -0.05)), False),
        (Comparison("f", 0.80, 0.90, 60, (0.75, 0.70, 0.01)), False),
        (Comparison("f", 0.80, 0.90, 60, (0.75, 0.70, -0.01)), True),
    ],
    ids=[
        "own worse",
        "own equal",
        "worse where new to both",
        "equal there",
        "own worse, clearly better there",
        "own worse, hardly better",
    ],
)
def test_which_model_takes_over(comparison: Comparison, worse: bool) -> None:
    assert comparison.worse == worse


def registered(found: tuple[list[str], list[str]]) -> tuple[Model, Learned]:
    learned = fit(*found, [])
    f1 = float(np.mean([a == b for a, b in zip(found[1], learned.said, strict=True)]))
    rows = [[text] for text in found[0]]
    return Model(
        "subjects", learned.classifier.packed(), numbered(rows), hashed(rows), {comparing.MACRO_F1: (f1, f1, f1)}
    ), learned


def as_serving(model: Model) -> Serving:
    return Serving(model.version, model.figures, model.trained_on, model.body)


def test_rows_that_the_old_model_has_seen_are_no_test_of_it() -> None:
    first, later = texts(160, 1), texts(80, 2)
    old, _ = registered(first)
    both = (first[0] + later[0], first[1] + later[1])
    new, learned = registered(both)
    found = comparing.of_subjects(new, learned.said, *both, as_serving(old))
    assert found is not None
    assert found.rows == len(later[0])
    few = (first[0] + later[0][:10], first[1] + later[1][:10])
    new, learned = registered(few)
    found = comparing.of_subjects(new, learned.said, *few, as_serving(old))
    assert found is not None
    assert (found.rows, found.fresh) == (0, None)


def test_labels_that_say_nothing_replace_no_model_however_they_are_judged() -> None:
    old, _ = registered(texts(160, 1))
    for seed in (1, 2):
        found, labels = texts(160, seed)
        mixed = [labels[n * 7 % len(labels)] for n in range(len(labels))]
        new, learned = registered((found, mixed))
        comparison = comparing.of_subjects(new, learned.said, found, mixed, as_serving(old))
        assert comparison is not None
        assert comparison.worse


def test_located_models_are_compared_by_the_pairs_whose_later_case_is_new_to_the_old_one() -> None:
    cases, named = history()
    share = Share(most=0.3, usual=0.25)
    model = train(cases, named)
    rows = numbered([case.key] for case in cases)
    # The earlier case of one pair is known, its later one is not.
    half = len(cases) // 2 + 1
    old = Serving("old", {FLAGGED: (0.5, 0.4, 0.6)}, rows[:half], located.packed(model))
    new = Model("located", b"new", rows, b"", {FLAGGED: (0.5, 0.4, 0.6)})
    known = {case.key for case in cases[:half]}
    # The new one is right about every pair that the old one knows, and about no other.
    told = comparing.JudgedLocated(cases, named, np.array([float(pair.later in known) for pair in named]))
    found = comparing.of_located(new, told, old, share)
    assert found is not None
    fresh = [pair for pair in named if pair.later not in known]
    assert found.rows == len(fresh) > 50
    assert found.fresh is not None
    by_old = flagged(named_of(judge(cases, model, share)), fresh).mean()
    assert found.fresh[:2] == (0.0, by_old)
    assert by_old > 0.4
    assert found.worse
    few = comparing.of_located(new, comparing.JudgedLocated(cases, fresh[:49], told.flagged[:49]), old, share)
    assert few is not None
    assert (few.rows, few.fresh) == (0, None)


def test_addresses_of_which_the_old_model_knows_an_alternative_are_no_test_of_it() -> None:
    names = [first + second for first in "槐白紫望青柳麓" for second in "荫鹭藤江石岸山溪"]
    pairs = [Pair(f"{name}路8号", f"{name}{end}", "same") for name in names for end in ("路8号", "大道9号")]
    rows: Rows = numbered([pair.one, pair.other] for pair in pairs)
    figures = {addresses_learning.MACRO_F1: (0.6, 0.5, 0.7)}
    # One of the two pairs of the first addresses.
    old = Serving("old", figures, rows[:20:2], addresses.packed(shipped()))
    new = Model("addresses", b"new", rows, b"", figures)
    found = comparing.of_addresses(new, comparing.JudgedAddresses(pairs, ["same"] * len(pairs)), old)
    assert found is not None
    assert found.rows == len(pairs) - 20
    assert found.fresh is not None
    assert found.fresh[0] == 1
    assert found.fresh[1] < 1
    assert not found.worse
    everything = Serving("old", figures, rows, old.body)
    found = comparing.of_addresses(new, comparing.JudgedAddresses(pairs, ["different"] * len(pairs)), everything)
    assert found is not None
    assert (found.rows, found.fresh, found.worse) == (0, None, False)
