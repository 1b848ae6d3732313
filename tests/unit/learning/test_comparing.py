"""A worse model never takes over: judged on rows new to both, and by what each was worth at its own training."""

import numpy as np
import pytest

from dispatch.learning import comparing
from dispatch.learning.register import Comparison, Model, Serving, hashed, numbered
from dispatch.learning.subjects import Learned, fit
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
