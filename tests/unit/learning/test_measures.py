"""Figures on labelled data, against values worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from dispatch.learning.measures import average_precision, interval, macro_f1, recall_at

TRUE = np.array([1.0, 1.0, 0.0, 1.0])
SCORE = np.array([0.9, 0.8, 0.7, 0.6])
ONES = np.ones(4)


def test_average_precision_is_the_mean_of_what_is_true_by_rank() -> None:
    assert average_precision(TRUE, SCORE, ONES) == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_equal_scores_are_one_step() -> None:
    assert average_precision(TRUE, np.full(4, 0.5), ONES) == pytest.approx(0.75)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_others_compute(seed: int) -> None:
    ways = np.random.default_rng(seed)
    true, score, weight = ways.integers(0, 2, 50).astype(float), ways.integers(0, 9, 50) / 9, ways.random(50)
    assert average_precision(true, score, weight) == pytest.approx(
        average_precision_score(true, score, sample_weight=weight)
    )
    truth, said = ways.choice(["a", "b", "c"], 50).tolist(), ways.choice(["a", "b", "c"], 50).tolist()
    assert macro_f1(truth, said, weight) == pytest.approx(f1_score(truth, said, average="macro", sample_weight=weight))


def test_recall_counts_only_where_enough_of_what_is_named_is_true() -> None:
    assert recall_at(0.98, TRUE, SCORE, ONES) == pytest.approx(2 / 3)
    assert recall_at(0.75, TRUE, SCORE, ONES) == 1
    assert recall_at(0.98, 1 - TRUE, SCORE, ONES) == 0


def test_whole_groups_are_drawn() -> None:
    seen: set[tuple[int, ...]] = set()

    def figure(at: np.ndarray) -> float:
        seen.add(tuple(sorted(set(at.tolist()))))
        return float(at.mean())

    low, high = interval([7, 7, 9], figure)
    assert seen == {(0, 1), (2,), (0, 1, 2)}
    assert (low, high) == (0.5, 2.0)
