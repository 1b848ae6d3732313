"""Pairs that people judged become a model that judges others alike; every affair counts once."""

from collections.abc import Sequence

import pytest

from dispatch.intake.alike import PairModel, Weighed, signs
from dispatch.intake.rarity import Rarity, counted
from dispatch.intake.words import Words, words
from dispatch.learning.pairs import Pair, groups, signs_of, train, weights

PLACES = ("槐荫家园", "白鹭苑", "紫金公馆", "望江花园", "青石巷", "柳岸新村", "麓山里", "云溪府")
MATTERS = ("电梯停运", "油烟直排", "夜间施工噪音", "垃圾堆积")


def said() -> dict[str, Words]:
    """Two messages about each matter in each place, in other words."""
    found = {}
    for place in PLACES:
        for matter in MATTERS:
            found[f"{place}{matter}1"] = words(
                f"反映{place}小区{matter}", f"我是{place}小区业主，{matter}已经一个月了，请处理。"
            )
            found[f"{place}{matter}2"] = words(
                f"{place}{matter}无人管", f"多次投诉{matter}，{place}物业一直不理，望领导重视。"
            )
    return found


def judged() -> list[Pair]:
    found = []
    for n, place in enumerate(PLACES):
        other = PLACES[(n + 1) % len(PLACES)]
        for matter in MATTERS:
            found.append(Pair(f"{place}{matter}1", f"{place}{matter}2", "same"))
            found.append(Pair(f"{place}{matter}1", f"{other}{matter}1", "topic"))
        found.append(Pair(f"{place}{MATTERS[0]}1", f"{place}{MATTERS[1]}2", "facet"))
        found.append(Pair(f"{place}{MATTERS[0]}2", f"{other}{MATTERS[2]}2", "diff"))
    return found


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


def test_what_is_surely_one_matter_was_hardly_ever_anything_else(rarity: Rarity) -> None:
    pairs = []
    for n, place in enumerate(PLACES):
        for matter in MATTERS:
            pairs.append(Pair(f"{place}{matter}1", f"{place}{matter}2", "same"))
            pairs.append(Pair(f"{place}{matter}1", f"{PLACES[n ^ 1]}{matter}1", "topic"))
    found = signs_of(pairs, said(), rarity)
    model = train(pairs, found)
    belief = [model.judge(each)[1] for each in found]
    sure = [pair.label for pair, score in zip(pairs, belief, strict=True) if score >= model.sure]
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
