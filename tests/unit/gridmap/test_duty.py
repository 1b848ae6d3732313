"""The duty book: who leads, and why."""

from datetime import date

import pytest

from gridmap.duty import DutyBook, DutyFault, DutyRule, parse_condition, rule_faults
from gridmap.errors import BadCondition

DAY = date(2026, 3, 2)
CATEGORY = ("0203", "02")
PLACE = ("110101001", "110101", "1101")


def rule(
    name: str,
    category: str = "02",
    area: str | None = None,
    *,
    condition: str | None = None,
    dates: tuple[date | None, date | None] = (None, None),
    lead: str | None = None,
    assists: tuple[str, ...] = (),
) -> DutyRule:
    return DutyRule(name, category, area, condition, *dates, lead or f"unit {name}", assists)


def test_category_depth_counts_before_area_depth() -> None:
    rules = [rule("coarse category, fine area", "02", PLACE[0]), rule("fine category, whole city", "0203")]
    assert DutyBook(rules, "last").route(CATEGORY, PLACE, DAY).rule == "fine category, whole city"


def test_among_one_category_the_deepest_area_wins_and_the_whole_city_is_last() -> None:
    rules = [
        rule("city-wide"),
        rule("district", area=PLACE[1]),
        rule("street", area=PLACE[0]),
        rule("city", area=PLACE[2]),
    ]
    for expected in ("street", "district", "city", "city-wide"):
        assert DutyBook(rules, "last").route(CATEGORY, PLACE, DAY).rule == expected
        rules = [left for left in rules if left.rule != expected]


def test_without_a_place_only_rules_of_the_whole_city_hold() -> None:
    rules = [rule("district", area=PLACE[1]), rule("city-wide")]
    assert DutyBook(rules, "last").route(CATEGORY, (), DAY).rule == "city-wide"


def test_equal_rules_with_a_condition_come_first_then_the_lower_id() -> None:
    rules = [rule("A"), rule("B"), rule("D", condition="road=municipal"), rule("C", condition=" road = municipal ")]
    book = DutyBook(rules, "last")
    assert book.route(CATEGORY, PLACE, DAY, attributes={"road": "municipal"}).rule == "C"
    assert book.route(CATEGORY, PLACE, DAY, attributes={"road": "village"}).rule == "A"
    assert book.route(CATEGORY, PLACE, DAY).tried == ("C condition_not_met", "D condition_not_met", "A chosen")


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        (date(2026, 2, 28), "not_yet_valid"),
        (date(2026, 3, 1), "chosen"),
        (date(2026, 3, 31), "chosen"),
        (date(2026, 4, 1), "expired"),
    ],
)
def test_a_rule_holds_from_its_first_to_its_last_day(day: date, verdict: str) -> None:
    book = DutyBook([rule("A", dates=(date(2026, 3, 1), date(2026, 3, 31)))], "last")
    assert book.route(CATEGORY, PLACE, day).tried[0] == f"A {verdict}"


def test_excluded_units_neither_lead_nor_assist() -> None:
    rules = [rule("A", area=PLACE[0], lead="u1"), rule("B", lead="u2", assists=("u1", "u3"))]
    choice = DutyBook(rules, "last").route(CATEGORY, PLACE, DAY, frozenset({"u1"}))
    assert (choice.lead, choice.assists, choice.reason) == ("u2", ("u3",), "rule")
    assert choice.tried == ("A excluded", "B chosen")


def test_where_no_rule_answers_the_nearest_local_unit_does() -> None:
    book = DutyBook([], "last", {PLACE[0]: "street office", PLACE[1]: "district office"})
    choice = book.route(CATEGORY, PLACE, DAY)
    assert (choice.lead, choice.rule, choice.reason) == ("street office", f"local:{PLACE[0]}", "local")
    choice = book.route(CATEGORY, PLACE, DAY, frozenset({"street office"}))
    assert (choice.lead, choice.reason) == ("district office", "local")
    assert choice.tried == (f"local:{PLACE[0]} excluded", f"local:{PLACE[1]} chosen")


def test_the_city_answers_when_nobody_local_does() -> None:
    choice = DutyBook([], "last").route((), (), DAY)
    assert (choice.lead, choice.assists, choice.rule, choice.reason) == ("last", (), "fallback", "fallback")


def test_even_an_excluded_fallback_is_returned_and_said_to_be_the_last() -> None:
    rules = [rule("A", lead="u1")]
    choice = DutyBook(rules, "last", {PLACE[0]: "u2"}).route(CATEGORY, PLACE, DAY, frozenset({"u1", "u2", "last"}))
    assert (choice.lead, choice.rule, choice.reason) == ("last", "nobody_else", "nobody_else")
    assert choice.tried == ("A excluded", f"local:{PLACE[0]} excluded", "fallback excluded", "nobody_else chosen")


def test_coverage_names_the_pairs_that_no_rule_answers_for_certain() -> None:
    rules = [
        rule("always here", "0203", PLACE[1]),
        rule("only sometimes", "0204", condition="road=municipal"),
        rule("not any more", "0205", dates=(None, date(2026, 3, 1))),
    ]
    book = DutyBook(rules, "last", {PLACE[1]: "district office"})
    gaps = book.coverage([("0203", "02"), ("0204", "02"), ("0205", "02")], [PLACE, ("110102", "1101")], DAY)
    assert gaps == [
        ("0203", "110102"),
        ("0204", PLACE[0]),
        ("0204", "110102"),
        ("0205", PLACE[0]),
        ("0205", "110102"),
    ]


@pytest.mark.parametrize("condition", ["road", "=municipal", "road=", " = "])
def test_a_condition_is_a_key_and_a_value(condition: str) -> None:
    with pytest.raises(BadCondition, match="not of the form key=value"):
        parse_condition(condition)
    with pytest.raises(BadCondition):
        DutyBook([rule("A", condition=condition)], "last")


def test_every_fault_of_the_rules_is_listed() -> None:
    rules = [
        rule("A", condition="road"),
        rule("A", dates=(date(2026, 2, 1), date(2026, 1, 1))),
        rule("B", condition="a=b"),
    ]
    assert rule_faults(rules) == [
        DutyFault("A", "bad_condition"),
        DutyFault("A", "duplicate_rule"),
        DutyFault("A", "dates_reversed"),
    ]
