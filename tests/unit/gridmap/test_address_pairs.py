"""Two address texts are compared by signs; any two texts can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.address_pairs import LABELS, AddressModel, Trees, packed
from gridmap.address_signs import MISSING, SIGNS, signs
from gridmap.address_sketch import LEAST, NUMBER, Rarity, Sketch, counted

RARITY = counted([f"云溪市青石区槐荫路{n}号" for n in range(1, 30)])


def named(one: str, other: str) -> dict[str, float]:
    return dict(zip(SIGNS, signs(Sketch(one, RARITY), Sketch(other, RARITY)), strict=True))


@given(
    st.text(max_size=40), st.text(st.sampled_from("青石区槐荫路巷1号23幢栋单元层紫藤苑(东门)附近A-·与"), max_size=30)
)
@settings(max_examples=200, deadline=None)
def test_any_two_texts_have_all_signs(one: str, other: str) -> None:
    for found in (named(one, other), named(other, one), named(other, other)):
        assert all(value == MISSING or value >= 0 for value in found.values())


def test_the_names_of_signs_are_different() -> None:
    assert len(set(SIGNS)) == len(SIGNS)


@pytest.mark.parametrize(
    ("one", "other", "sign", "value"),
    [
        ("槐荫路12号紫藤苑3幢", "紫藤苑三栋", "equal building", 1),
        ("槐荫路12号紫藤苑3幢", "紫藤苑5幢", "equal building", 0),
        ("槐荫路12号紫藤苑3幢", "紫藤苑", "equal building", MISSING),
        ("槐荫路12号", "槐荫路十二号", "equal number", 1),
        ("槐荫路12号", "槐荫路20号", "numbers apart", 8),
        ("槐荫路12号", "槐荫路17号", "numbers across the street", 1),
        ("槐荫路12号", "槐荫路", "numbers apart", MISSING),
        ("紫藤苑3号", "紫藤苑3幢", "last of b building", 1),
        ("紫藤苑", "紫藤苑(东门)", "gate of b", 1),
        ("槐荫路紫藤苑", "槐荫路与柳岸街交叉口紫藤苑", "all roads of b in a", 0),
        ("槐荫路紫藤苑", "槐荫路与柳岸街交叉口紫藤苑", "crossing of b", 1),
        ("槐荫路紫藤苑", "白鹭路紫藤苑", "names alike", 100),
        ("紫藤苑旁", "紫藤苑", "nearness of a", 1),
        ("紫藤苑", "槐荫路12号紫藤苑", "b ends with name", 1),
        ("紫藤苑5幢", "紫藤苑", "narrowest missing of a", 7),
    ],
)
def test_a_sign_says_what_it_is_named_after(one: str, other: str, sign: str, value: float) -> None:
    assert named(one, other)[sign] == value


def test_a_longer_second_name_adds_at_its_end() -> None:
    found = named("紫藤苑", "紫藤苑便利店")
    assert found["name new last"] > 0
    assert found["name gone last"] == found["name new first"] == 0


def test_what_many_texts_have_is_less_rare() -> None:
    many = counted([f"槐荫路{n}号" for n in range(LEAST)] + ["白鹭苑"])
    assert many.of("槐") < many.of("白") == many.of("永") == 1
    often, once = ("槐", "荫"), ("白", "鹭")
    weights = many.of_pairs([often, once])
    assert weights[often] < weights[once] == 1
    assert many.of("7") == NUMBER


def test_a_text_that_stands_twice_counts_once() -> None:
    assert counted(["槐荫路"] * LEAST).of("槐") == 1


SIGN = SIGNS.index("equal building")
# One tree for each label; that of `same` asks twice: is a building named twice, is it equal?
TREES = Trees(
    nodes=(1, 1, 2),
    signs=(0, 0, SIGN, SIGN),
    most=(0.0, 0.0, 0.5, -0.5),
    remain=(0xFFFF, 0xFFFF, 0xFFFF & ~0b011, 0xFFFF & ~0b001),
    values=(0.0, 9.0, 0.0, 9.0, -1.0, -2.0, 3.0),
)
MODEL = AddressModel(packed(RARITY), TREES, (0.0, 0.5, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("other", "sums", "verdict"),
    [("紫藤苑3幢", (0, 0.5, 3), "same"), ("紫藤苑5幢", (0, 0.5, -2), "partial"), ("紫藤苑", (0, 0.5, -1), "partial")],
)
def test_each_tree_answers_with_the_leaf_its_questions_lead_to(
    other: str, sums: tuple[float, ...], verdict: str
) -> None:
    expected = np.exp(sums) / np.exp(sums).sum()
    one, two = MODEL.sketch("紫藤苑三幢"), MODEL.sketch(other)
    assert MODEL.beliefs(signs(one, two)) == pytest.approx(expected)
    said, belief = MODEL.judge(one, two)
    assert said == verdict
    assert belief == pytest.approx(expected[-1])


def test_the_tilt_decides_but_does_not_change_the_belief() -> None:
    tilted = AddressModel(MODEL.rarity, TREES, MODEL.start, (1.0, 1.0, 50.0))
    one, other = MODEL.sketch("紫藤苑3幢"), MODEL.sketch("紫藤苑")
    assert tilted.judge(one, other) == ("same", MODEL.judge(one, other)[1])


def test_a_rarity_is_the_same_after_packing() -> None:
    assert Rarity(MODEL.rare.slots) == RARITY
    assert LABELS[-1] == "same"
