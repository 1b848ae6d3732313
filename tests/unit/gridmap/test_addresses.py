"""Address texts come apart by their own endings; nothing makes that fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.addresses import KINDS, normalised, number, parse

PIECES = "省市区县街道镇乡社区村路巷弄号栋幢座单元层楼室期门与和、附近对面米东西南北中一二三十百小花园苑城,()-·#/ 0123A"


def parts(text: str, known: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(each.kind, each.value) for each in parse(text, known).elements]


@given(st.one_of(st.text(max_size=60), st.text(st.sampled_from(PIECES), max_size=40)))
@settings(max_examples=400, deadline=None)
def test_any_text_comes_apart_into_pieces_of_itself_in_order(text: str) -> None:
    address = parse(text, ["青石区", "中"])
    assert address.text == normalised(text)
    place = 0
    for each in address.elements:
        assert each.kind in KINDS
        assert each.text
        assert each.value
        assert each.start >= place
        assert address.text[each.start : each.end] == each.text
        place = each.end
    assert all(not sign.isalnum() for sign in rest(address.text, [(e.start, e.end) for e in address.elements]))


def rest(text: str, taken: list[tuple[int, int]]) -> str:
    """What stands in no element."""
    inside = {place for start, end in taken for place in range(start, end)}
    return "".join(sign for place, sign in enumerate(text) if place not in inside and sign not in "与和、跟同及")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "江苏省云溪市青石区柳岸街道望江社区槐荫路12号紫藤花园3幢2单元501室",
            [
                ("province", "江苏省"), ("city", "云溪市"), ("district", "青石区"), ("street", "柳岸街道"),
                ("community", "望江社区"), ("road", "槐荫路"), ("number", "12"), ("estate", "紫藤花园"), ("building", "3"),
                ("unit", "2"), ("room", "501"),
            ],
        ),
        ("槐荫路12-3号", [("road", "槐荫路"), ("number", "12-3")]),
        ("槐荫路１２号院", [("road", "槐荫路"), ("number", "12")]),
        ("槐荫南路八十八号", [("road", "槐荫南路"), ("number", "88")]),
        ("柳岸路201弄14号", [("road", "柳岸路"), ("number", "201"), ("number", "14")]),
        ("青石巷16", [("road", "青石巷"), ("number", "16")]),
        ("紫藤苑二期A3栋", [("estate", "紫藤苑"), ("phase", "2"), ("building", "a3")]),
        ("紫藤苑东区十二号楼三单元", [("estate", "紫藤苑"), ("phase", "东"), ("building", "12"), ("unit", "3")]),
        ("望江大厦负一楼", [("name", "望江大厦"), ("floor", "负一")]),
        ("白鹭村三组", [("community", "白鹭村"), ("name", "三组")]),
        ("南苑街道南苑路", [("street", "南苑街道"), ("road", "南苑路")]),
        ("紫藤苑(西南门)", [("estate", "紫藤苑"), ("gate", "西南")]),
    ],
)  # fmt: skip
def test_each_ending_tells_its_element(text: str, expected: list[tuple[str, str]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text", ["槐荫路与柳岸街交叉口", "槐荫路和柳岸街交汇处", "槐荫路、柳岸街路口", "槐荫路柳岸街口", "槐荫路/柳岸街"]
)
def test_two_roads_that_meet_are_a_crossing(text: str) -> None:
    assert parse(text).crossing == ("槐荫路", "柳岸街")


def test_a_road_alone_is_no_crossing() -> None:
    assert parse("槐荫路12号").crossing is None
    assert parse("槐荫路柳岸街12号").crossing is None


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("槐荫路与柳岸街交叉口东北150米青石超市", "东北150米"),
        ("望江大厦对面", "对面"),
        ("距望江大厦200米", "200米"),
        ("望江大厦东侧50米", "东侧50米"),
        ("槐荫路12号附近紫藤苑", "附近"),
    ],
)
def test_how_far_from_something_is_an_offset(text: str, offset: str) -> None:
    assert [each.text for each in parse(text).of("offset")] == [offset]


def test_a_known_area_is_found_without_its_ending() -> None:
    assert parts("青石槐荫路5号")[0] == ("road", "青石槐荫路")
    known = parts("青石槐荫路5号", ("青石区",))
    assert known == [("district", "青石"), ("road", "槐荫路"), ("number", "5")]
    assert parts("青石路5号", ("青石区",))[0] == ("road", "青石路")


@pytest.mark.parametrize(
    ("text", "plain"), [("二十一", "21"), ("十", "10"), ("一百零八", "108"), ("五〇二", "502"), ("07", "7"), ("B", "b")]
)
def test_numerals_are_plain_digits(text: str, plain: str) -> None:
    assert number(text) == plain
