"""Codes of areas and cells."""

import re

import pytest

from gridmap.codes import CellCode, area_level, cell_code, is_area_code, is_cell_code, parent_area_code
from gridmap.errors import BadCode


def test_a_cell_code_has_its_four_parts() -> None:
    code = CellCode.parse("110101002003004")
    assert code == ("110101", "002", "003", "004")
    assert code.area == "110101002003"
    assert str(code) == "110101002003004"


@pytest.mark.parametrize(
    "code", ["", "11010100200300", "1101010020030045", "11010100200300a", "１10101002003004", "110101002003004\n"]
)
def test_what_is_not_fifteen_ascii_digits_is_no_cell_code(code: str) -> None:
    assert not is_cell_code(code)
    with pytest.raises(BadCode):
        CellCode.parse(code)


def test_a_city_may_have_its_own_pattern() -> None:
    own = re.compile(r"[A-Z]{2}\d{14}")
    assert is_cell_code("YC12345678901234", own)
    assert not is_cell_code("YC12345678901234x", own)
    assert not is_cell_code("110101002003004", own)


def test_sequences_have_three_digits_and_end_at_999() -> None:
    assert cell_code("110101002003", 7) == "110101002003007"
    assert cell_code("110101002003", 999) == "110101002003999"
    for sequence in (0, 1000):
        with pytest.raises(BadCode):
            cell_code("110101002003", sequence)
    with pytest.raises(BadCode):
        cell_code("110101002", 1)


def test_area_codes_know_their_level_and_parent() -> None:
    chain = ["110101002003", "110101002", "110101", "1101", "11"]
    assert [area_level(code) for code in chain] == [5, 4, 3, 2, 1]
    assert [parent_area_code(code) for code in chain] == [*chain[1:], None]


@pytest.mark.parametrize("code", ["", "1", "110", "11010100", "1101010020031", "11010a", "²²"])
def test_other_lengths_and_signs_are_no_area_code(code: str) -> None:
    assert not is_area_code(code)
    with pytest.raises(BadCode, match="is not a code of the form 2, 4, 6, 9 or 12 digits"):
        area_level(code)
