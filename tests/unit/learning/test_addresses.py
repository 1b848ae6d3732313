"""Pairs of addresses that people judged become a model that judges others alike."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dispatch.intake.addresses import shipped
from dispatch.learning import addresses as learning
from dispatch.learning.addresses import TooFewPairs, figures, folds, read, tilt, train, unseen
from dispatch.learning.measures import macro_f1
from dispatch.learning.pairs import Pair
from gridmap.address_pairs import LABELS, AddressModel
from gridmap.address_signs import signs

PAIRS = Path(__file__).parents[4] / "shared" / "data" / "addresses" / "pairs.csv"
FIRST, SECOND = "槐白紫望青柳麓云松竹梅兰", "荫鹭藤江石岸山溪"


def judged() -> list[Pair]:
    """Made-up addresses, each with one pair of every label."""
    found = []
    for n, first in enumerate(FIRST):
        for m, second in enumerate(SECOND):
            name, number = first + second, 10 + n * 3 + m
            said = f"云溪市青石区{name}路{number}号{name}苑{m + 1}幢{n + 1}室"
            found.append(Pair(said, f"{name}路{number}号{name}苑{m + 1}栋", "same"))
            found.append(Pair(said, f"{name}苑(东门)", "partial"))
            other = FIRST[(n + 1) % len(FIRST)] + SECOND[(m + 3) % len(SECOND)]
            found.append(Pair(said, f"{other}路{number + 7}号{other}苑", "different"))
    return found


@pytest.fixture(scope="module")
def taught() -> list[Pair]:
    return judged()


@pytest.fixture(scope="module")
def model(taught: list[Pair]) -> AddressModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "SETTINGS", {**learning.SETTINGS, "max_iter": 20})
        return train(taught)


def test_made_up_pairs_are_told_apart(model: AddressModel) -> None:
    said = model.sketch("云溪市青石区海棠路8号海棠苑6幢2室")
    verdicts = [
        model.judge(said, model.sketch(b))[0] for b in ("海棠路8号海棠苑6栋", "海棠苑(东门)", "沙洲路3号沙洲苑")
    ]
    assert verdicts == ["same", "partial", "different"]


def test_the_table_of_trees_answers_as_the_trees_that_were_grown(taught: list[Pair]) -> None:
    from gridmap.address_pairs import packed
    from gridmap.address_sketch import Rarity, Sketch

    pairs, nothing = taught[:90], Rarity(bytes([255]) * (1 << 18))
    found = np.array([signs(Sketch(pair.one, nothing), Sketch(pair.other, nothing)) for pair in pairs])
    truth = np.array([LABELS.index(pair.label or "") for pair in pairs])
    # Few pairs and noise: trees of many shapes, some that ask nothing.
    truth[::7] = (truth[::7] + 1) % 3
    forests = learning._grown(found, truth)
    start, trees = learning._exported(forests)
    model = AddressModel(packed(nothing), trees, start, (1, 1, 1))
    scores = sum(forest.decision_function(found) for forest in forests) / len(forests)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    expected = shares / shares.sum(1, keepdims=True)
    assert np.array([model.beliefs(row) for row in found]) == pytest.approx(expected, abs=2e-3)


def test_pairs_that_hang_together_are_in_one_fold_whatever_the_order(taught: list[Pair]) -> None:
    by_text: dict[str, set[int]] = {}
    for pair, fold in zip(taught, folds(taught), strict=True):
        for text in (pair.one, pair.other):
            by_text.setdefault(text, set()).add(int(fold))
    assert {len(each) for each in by_text.values()} == {1}
    assert folds(taught[::-1]).tolist() == folds(taught)[::-1].tolist()
    assert len(set(folds([Pair(str(n), str(n)) for n in range(40)]).tolist())) == learning.FOLDS


def test_a_rare_label_is_said_where_that_helps() -> None:
    beliefs = np.array([[0.6, 0.1, 0.3]] * 20 + [[0.6, 0.35, 0.05]] * 20 + [[0.9, 0.05, 0.05]] * 60)
    truth = np.array([2] * 20 + [1] * 20 + [0] * 60)
    said = np.array(LABELS)[(beliefs * tilt(beliefs, truth)).argmax(1)]
    assert macro_f1(np.array(LABELS)[truth].tolist(), said.tolist(), np.ones(100)) == 1


def test_one_address_is_too_little_to_learn_from() -> None:
    for work in (train, unseen):
        with pytest.raises(TooFewPairs):
            work(judged()[:3])


def test_what_is_said_of_a_pair_knows_nothing_of_its_copies(
    taught: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "SETTINGS", {**learning.SETTINGS, "max_iter": 20})

    def macro(pairs: list[Pair]) -> float:
        said, score = unseen(pairs)
        found = figures([pair.label or "" for pair in pairs], said, score)
        return found[learning.MACRO_F1](np.arange(len(pairs)))

    assert macro(taught) > 0.9
    # Labels by lot, the same for four copies: whoever has seen a copy would know them.
    ways = random.Random(3)
    copies = [replace(pair, label=label) for pair in taught[::2] for label in [ways.choice(LABELS)] for _ in range(4)]
    assert macro(copies) < 0.45


@pytest.mark.skipif(not PAIRS.exists(), reason="the shared data of addresses is not there")
def test_the_shipped_model_is_better_than_distances_between_strings() -> None:
    pairs, model = read(PAIRS, judged=True)[::20], shipped()
    verdicts = [model.judge(model.sketch(pair.one), model.sketch(pair.other))[0] for pair in pairs]
    assert macro_f1([pair.label or "" for pair in pairs], verdicts, np.ones(len(pairs))) > 0.6
