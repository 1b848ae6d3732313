"""Labelled texts become a model of subjects whose confidence means something."""

import random

import pytest

from dispatch.intake.subjects import Classifier, clean
from dispatch.learning.subjects import TooFewTexts, duplicate_groups, fit

WORDS = {
    "交通": ("红绿灯", "公交车", "堵车", "停车位", "地铁口", "车道"),
    "环保": ("油烟", "噪音", "污水", "焚烧", "扬尘", "臭气"),
    "教育": ("幼儿园", "小学", "老师", "补课", "学费", "课本"),
}
FILLERS = ("请问领导", "小区附近", "希望处理", "多次反映", "一直没人管", "尽快解决", "我是居民", "影响生活")


def texts(count: int, seed: int) -> tuple[list[str], list[str]]:
    ways, found, labels = random.Random(seed), [], []
    for _ in range(count):
        label = ways.choice(list(WORDS))
        parts = [*ways.sample(WORDS[label], 2), *ways.sample(FILLERS, 2), _anything(ways), _anything(ways)]
        ways.shuffle(parts)
        found.append("，".join(parts))
        labels.append(label)
    return found, labels


def _anything(ways: random.Random) -> str:
    return "".join(chr(ways.randrange(0x4E00, 0x5E00)) for _ in range(8))


@pytest.fixture(scope="module")
def model() -> Classifier:
    return fit(*texts(150, 1), texts(60, 2)[0]).classifier


def test_texts_it_has_not_seen_get_their_subject(model: Classifier) -> None:
    new, labels = texts(60, 3)
    said = [model.predict(text) for text in new]
    assert sum(label == true for (label, _), true in zip(said, labels, strict=True)) / len(new) > 0.9
    assert all(0 <= sure <= 1 for _, sure in said)


def test_what_speaks_of_two_subjects_is_less_sure(model: Classifier) -> None:
    sure = model.predict("请问领导，红绿灯堵车，公交车停车位")[1]
    torn = model.predict("请问领导，红绿灯油烟，公交车污水")[1]
    assert torn < sure


@pytest.mark.parametrize("text", ["", "   ", "12", "😀"])
def test_a_text_that_says_nothing_gets_some_answer(model: Classifier, text: str) -> None:
    label, sure = model.predict(text)
    assert label in WORDS
    assert 0 <= sure <= 1


def test_near_duplicates_are_one_group() -> None:
    once = "小区附近油烟严重，多次反映没人管"
    groups = duplicate_groups([once, once + "，请处理", "路口红绿灯坏了，早高峰堵车"])
    assert groups[0] == groups[1] != groups[2]


def test_copies_of_few_texts_are_too_few() -> None:
    with pytest.raises(TooFewTexts):
        fit(["小区附近油烟严重"] * 20 + ["路口红绿灯坏了"] * 20, ["环保"] * 20 + ["交通"] * 20, [])


def test_numbers_and_letters_for_places_are_one_sign() -> None:
    assert clean("A市B3区 12路") == clean("C市A7区9路")
