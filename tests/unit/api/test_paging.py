"""A cursor comes back as it was, and only where it was made."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import BadInput

KEY = b"k" * 32

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(VALUES, max_size=5))
def test_values_come_back_as_they_were(values: list[object]) -> None:
    cursor = Cursor(tuple(values))
    assert decode_cursor(encode_cursor(cursor, KEY, "cases"), KEY, "cases") == cursor


@given(st.text(max_size=80))
def test_any_other_word_is_bad_input(word: str) -> None:
    with pytest.raises(BadInput) as refused:
        decode_cursor(word, KEY, "cases")
    assert refused.value.data["field"] == "cursor"


def test_every_changed_bit_is_noticed() -> None:
    raw = urlsafe_b64decode(encode_cursor(Cursor((datetime(2026, 3, 1, tzinfo=UTC), 7, "x")), KEY, "cases") + "===")
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadInput):
            decode_cursor(urlsafe_b64encode(changed).decode(), KEY, "cases")


@pytest.mark.parametrize(("key", "listing"), [(b"other" * 8, "cases"), (KEY, "texts"), (KEY, "case")])
def test_a_cursor_of_another_key_or_list_is_bad_input(key: bytes, listing: str) -> None:
    word = encode_cursor(Cursor((1, "a")), KEY, "cases")
    with pytest.raises(BadInput):
        decode_cursor(word, key, listing)
