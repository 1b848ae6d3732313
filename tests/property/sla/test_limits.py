"""Limits survive being written and read; nothing else gets through."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from sla.errors import AmbiguousLimit, UnknownLimit
from sla.limits import Dialect, Limit, Unit, parse_limit

limits = st.builds(Limit, st.integers(1, 99_999), st.sampled_from(get_args(Unit)))
dialects: st.SearchStrategy[Dialect | None] = st.sampled_from([None, *get_args(Dialect)])


@given(limits, dialects)
def test_every_limit_reads_back_as_itself_in_every_dialect(limit: Limit, dialect: Dialect | None) -> None:
    assert parse_limit(str(limit), dialect) == limit


@given(st.text(alphabet="0159.-minhdw 小时天工作日紧急自然分钟个半", max_size=12) | st.text(max_size=12), dialects)
def test_any_text_is_a_limit_or_refused_by_name(text: str, dialect: Dialect | None) -> None:
    try:
        limit = parse_limit(text, dialect)
    except (UnknownLimit, AmbiguousLimit) as refused:
        named, amount = refused.text, ""
    else:
        named, amount = text, str(limit.amount)
    assert named == text
    assert text.strip().startswith(amount)
