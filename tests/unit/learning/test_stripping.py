"""What is learned from has no number and no name of a person in it."""

import pytest

from dispatch.learning.stripping import masked, stripped


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("请回电13912345678，谢谢", "13912345678"),
        ("身份证110101199003070070已经交了", "19900307"),
        ("老板彭建辉一直拖欠工资", "彭建辉"),
        ("举报人邹晓燕反映噪音扰民", "邹晓燕"),
    ],
)
def test_numbers_and_names_of_people_are_taken_out(text: str, gone: str) -> None:
    assert gone in text
    assert gone not in stripped([text])[0]


def test_the_matter_stays() -> None:
    text = "金山大道路口的红绿灯坏了，高峰时公交车堵车，幼儿园门口很危险"
    assert stripped([text]) == [text]


def test_codes_are_no_numbers_of_people() -> None:
    for code in ("990101001001", "E0506", "2026-11-18", "城管局(碧岭)"):
        assert masked(code) == code
