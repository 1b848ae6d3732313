"""Limits as cities write them."""

import pytest

from sla.errors import AmbiguousLimit, UnknownLimit
from sla.limits import Dialect, Limit, Unit, parse_limit


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("30min", 30, "min"), ("24h", 24, "h"), ("7d", 7, "d"), ("4wh", 4, "wh"), ("5wd", 5, "wd")],
)
def test_canonical_text_is_read_and_written_back(text: str, amount: int, unit: Unit) -> None:
    assert parse_limit(text) == Limit(amount, unit)
    assert str(parse_limit(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("30分钟", "30min"),
        ("2紧急工作时", "2h"),
        ("24自然时", "24h"),
        ("4工作时", "4wh"),
        ("5工作日", "5wd"),
        ("5个工作日", "5wd"),
        ("2紧急工作日", "2d"),
        ("7自然日", "7d"),
        (" 4wh ", "4wh"),
    ],
)
def test_unambiguous_chinese_units_need_no_dialect(text: str, canonical: str) -> None:
    assert str(parse_limit(text)) == canonical


@pytest.mark.parametrize("text", ["4小时", "7天", "15天内"])
def test_a_bare_hour_or_day_is_refused_without_a_dialect(text: str) -> None:
    with pytest.raises(AmbiguousLimit) as refused:
        parse_limit(text)
    assert refused.value.text == text
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("text", "dialect", "canonical"),
    [
        ("4小时", "hotline", "4h"),
        ("7天", "hotline", "7d"),
        ("4小时", "city-management", "4wh"),
        ("7天", "city-management", "7wd"),
        ("2紧急工作时", "city-management", "2h"),
        ("5工作日", "hotline", "5wd"),
        ("30min", "hotline", "30min"),
    ],
)
def test_a_dialect_settles_bare_units_and_no_others(text: str, dialect: Dialect, canonical: str) -> None:
    assert str(parse_limit(text, dialect)) == canonical


def test_a_remark_after_the_unit_is_taken_with_a_dialect_only() -> None:
    assert parse_limit("1紧急工作时制止", "city-management") == Limit(1, "h")
    with pytest.raises(UnknownLimit):
        parse_limit("1紧急工作时制止")


@pytest.mark.parametrize("dialect", [None, "hotline", "city-management"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "wd",
        "0wd",
        "-1wd",
        "05wd",
        "1.5h",
        "5 wd",
        "5WD",
        "5wdx",
        "5wd内",
        "100000d",
        "2周",
        "5日",
        "五天",
        "5天或10天",
        "1小时30分钟",
        "1天半",
        "3天至五天",
        "٣d",
    ],
)
def test_anything_else_is_refused_in_every_dialect(text: str, dialect: Dialect | None) -> None:
    with pytest.raises(UnknownLimit) as refused:
        parse_limit(text, dialect)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(("amount", "unit"), [(0, "h"), (-3, "wd"), (100_000, "d"), (1, "weeks")])
def test_a_limit_cannot_be_made_of_nonsense(amount: int, unit: Unit) -> None:
    with pytest.raises(UnknownLimit):
        Limit(amount, unit)


@pytest.mark.parametrize(("unit", "natural"), [("min", True), ("h", True), ("d", True), ("wh", False), ("wd", False)])
def test_minutes_hours_and_days_run_through_and_working_units_do_not(unit: Unit, natural: bool) -> None:
    assert Limit(1, unit).natural is natural
