"""Pairs that people judged become a model that judges others alike; every affair counts once."""

import math
from collections.abc import Sequence

import pytest

from dispatch.intake.alike import SAME, Linear, PairModel, Signs, signs
from dispatch.intake.rarity import Rarity, counted
from dispatch.intake.weighed import Weighed
from dispatch.intake.words import Words, words
from dispatch.learning.pairs import Pair, groups, signs_of, train, weights
from tests.harness.matters import messages
from tests.harness.matters import pairs as judged


def said() -> dict[str, Words]:
    return {name: words(each.title, each.text) for name, each in messages().items()}


@pytest.fixture(scope="module")
def rarity() -> Rarity:
    return counted(each.runs for each in said().values())


@pytest.fixture(scope="module")
def model(rarity: Rarity) -> PairModel:
    return train(judged(), signs_of(judged(), said(), rarity))


def beliefs(model: PairModel, rarity: Rarity, label: str) -> Sequence[float]:
    pairs = [pair for pair in judged() if pair.label == label]
    return [model.judge(each)[1] for each in signs_of(pairs, said(), rarity)]


def test_one_matter_in_other_words_is_believed_more_than_one_text_about_two_places(
    model: PairModel, rarity: Rarity
) -> None:
    assert min(beliefs(model, rarity, "same")) > max(beliefs(model, rarity, "topic"))


def test_the_order_of_the_two_does_not_matter(model: PairModel, rarity: Rarity) -> None:
    one, other = (Weighed(said()[each], rarity) for each in ("槐荫家园电梯停运1", "白鹭苑油烟直排2"))
    assert signs(one, other) == pytest.approx(signs(other, one))


def test_what_is_surely_one_matter_was_hardly_ever_anything_else(model: PairModel, rarity: Rarity) -> None:
    belief = [model.judge(each)[1] for each in signs_of(judged(), said(), rarity)]
    sure = [pair.label for pair, score in zip(judged(), belief, strict=True) if score >= model.sure]
    assert sure.count("same") >= 0.98 * len(sure) > 0


def test_where_no_score_tells_them_apart_nothing_is_sure(rarity: Rarity) -> None:
    mixed = [Pair(pair.one, pair.other, "same" if n % 2 else "topic") for n, pair in enumerate(judged()[:1] * 2)]
    model = train(mixed, signs_of(mixed, said(), rarity))
    assert model.sure > 1


def test_pairs_that_hang_together_are_one_group_and_weigh_one() -> None:
    pairs = [Pair("a", "b"), Pair("x", "y"), Pair("c", "b"), Pair("c", "d")]
    assert groups(pairs) == [0, 1, 0, 0]
    assert weights(groups(pairs)).tolist() == pytest.approx([1 / 3, 1, 1 / 3, 1 / 3])


def test_two_labels_are_enough(rarity: Rarity) -> None:
    pairs = [pair for pair in judged() if pair.label in ("same", "diff")]
    model = train(pairs, signs_of(pairs, said(), rarity))
    assert {model.judge(each)[0] for each in signs_of(pairs, said(), rarity)} == {"same", "diff"}
    told = [model.judge(each)[0] for each in signs_of(pairs, said(), rarity)]
    assert sum(one == pair.label for one, pair in zip(told, pairs, strict=True)) / len(pairs) > 0.9


def test_two_affairs_of_one_estate_are_not_both_called_in_the_other_message(rarity: Rarity) -> None:
    of = {label: [pair for pair in judged() if pair.label == label] for label in ("same", "facet")}
    same, facet = (signs_of(pairs, said(), rarity) for pairs in of.values())
    assert min(each.titles for each in same) > max(each.titles for each in facet)


def test_what_is_called_the_same_is_believed_more_than_all_that_is_not(model: PairModel, rarity: Rarity) -> None:
    told = [model.judge(each) for each in signs_of(judged(), said(), rarity)]
    assert {label for label, _ in told} == {"same", "facet", "topic", "diff"}
    assert min(belief for label, belief in told if label == SAME) >= model.likely
    assert max(belief for label, belief in told if label != SAME) < model.likely


def test_a_model_of_fewer_signs_judges_as_it_did() -> None:
    before = PairModel(
        (1.0, 0.0),
        (2.0, 1.0),
        Linear((1.0, 0.5), 0.0),
        {SAME: Linear((1.0, 0.0), 0.0), "diff": Linear((-1.0, 0.0), 0.0)},
        0.9,
    )
    label, belief = before.judge(Signs(3.0, 2.0, 9.0, 9.0, 9.0, 1.0, 1.0, 9.0))
    assert label == SAME
    assert belief == pytest.approx(1 / (1 + math.exp(-2)))
    assert before.judge(Signs(0.0, 2.0, 9.0, 9.0, 9.0, 1.0, 1.0, 9.0))[0] == "diff"
