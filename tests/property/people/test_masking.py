"""Masking free text: whatever people write around a number."""

import re
from collections.abc import Callable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.numbers import case_no, receipt_no
from dispatch.people.masking import find_personal, mask_name, mask_text

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
WORDS = st.text(st.sampled_from("电话请回13801 -－*0123456789x（）,。\n１"), max_size=40)
GROUPED = st.builds(
    lambda number, glue: glue.join((number[:3], number[3:7], number[7:])),
    MOBILE,
    st.sampled_from(["", " ", "-", "－", "—"]),
)
FULL_WIDTH = MOBILE.map(lambda number: number.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"}))
A_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def masked(text: str) -> str:
    return mask_text(text, find_personal(text))


@given(st.lists(st.one_of(WORDS, MOBILE, FULL_WIDTH), max_size=8))
def test_no_mobile_survives(pieces: list[str]) -> None:
    assert not A_MOBILE.search(masked("".join(pieces)))


@given(
    st.text(st.sampled_from("电话是请回, 。:a\n"), max_size=10),
    st.one_of(GROUPED, FULL_WIDTH),
    st.text(st.sampled_from("谢,。\n"), max_size=5),
)
def test_a_grouped_or_full_width_mobile_shows_seven_digits_at_most(before: str, number: str, after: str) -> None:
    assert sum(map(str.isdigit, masked(before + number + after))) == 7


@given(st.one_of(st.text(), WORDS, st.lists(st.one_of(WORDS, MOBILE), max_size=6).map("".join)))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@given(st.one_of(st.text(), WORDS))
def test_spans_are_in_order_apart_and_inside_the_text(text: str) -> None:
    edges = [edge for span in find_personal(text) for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(span.start < span.end for span in find_personal(text))
    assert not edges or (edges[0] >= 0 and edges[-1] <= len(text))


@given(st.one_of(st.text(), WORDS))
def test_nothing_but_the_spans_changes(text: str) -> None:
    spans, shown = find_personal(text), masked(text)
    kept = [
        text[a:b] for a, b in zip([0, *(s.end for s in spans)], [*(s.start for s in spans), len(text)], strict=True)
    ]
    assert re.fullmatch("[0-9*]+".join(map(re.escape, kept)), shown)


@given(
    st.dates(date(2000, 1, 1), date(2999, 12, 31)), st.integers(0, 9_999_999), st.sampled_from([case_no, receipt_no])
)
def test_case_and_receipt_numbers_stay_readable(day: date, sequence: int, numbered: Callable[[date, int], str]) -> None:
    text = f"工单{numbered(day, sequence)}怎么样了,电话"
    assert masked(text + "13812345678") == text + "138****5678"


@given(st.text(min_size=1))
def test_a_masked_name_shows_a_surname_at_most(name: str) -> None:
    assert len(mask_name(name)) <= 4
    assert mask_name(mask_name(name)) == mask_name(name)
