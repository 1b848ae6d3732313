"""Which cases a principal sees."""

import pytest

from dispatch.city.units import Unit, UnitTree
from dispatch.people.permissions import permissions_of
from dispatch.people.principal import Principal
from dispatch.people.scope import Scope, is_complained_about, may_read_restricted, scope_of

TREE = UnitTree(
    [
        Unit("city", "市政府", None, 1, "government", "01"),
        Unit("hotline", "热线", "city", 1, "hotline", "01"),
        Unit("inspection", "督查室", "city", 1, "department", "01"),
        Unit("police", "公安局", "city", 1, "department", "01"),
        Unit("traffic", "交警支队", "police", 1, "department", "01"),
        Unit("east", "东区", "city", 2, "district", "0101"),
        Unit("river", "河街道", "east", 3, "street", "010101"),
    ]
)
EVERYTHING = Scope(None, None)


def account(unit: str, *roles: str) -> Principal:
    return Principal("a1", "account", unit, frozenset(roles), permissions_of(roles))


@pytest.mark.parametrize(
    ("unit", "role", "scope"),
    [
        ("hotline", "operator", EVERYTHING),
        ("hotline", "followup", EVERYTHING),
        ("city", "commander", EVERYTHING),
        ("inspection", "supervisor", EVERYTHING),
        ("police", "dispatcher", Scope(frozenset({"police", "traffic"}), frozenset())),
        ("police", "unit_head", Scope(frozenset({"police", "traffic"}), frozenset())),
        ("traffic", "handler", Scope(frozenset({"traffic"}), frozenset())),
        ("city", "unit_head", Scope(TREE.subtree("city"), frozenset())),
        ("east", "supervisor", Scope(frozenset({"east", "river"}), frozenset({"0101"}))),
        ("east", "dispatcher", Scope(frozenset({"east", "river"}), frozenset({"0101"}))),
        ("river", "handler", Scope(frozenset({"river"}), frozenset())),
        ("gone", "supervisor", Scope(frozenset(), frozenset())),
    ],
)
def test_a_role_sees_what_its_unit_answers_for(unit: str, role: str, scope: Scope) -> None:
    assert scope_of(account(unit, role), TREE) == scope


def test_a_district_sees_cases_of_its_units_and_cases_at_its_places_and_no_others() -> None:
    scope = scope_of(account("east", "supervisor"), TREE)
    assert scope.sees(["river"], [])
    assert scope.sees(["police"], ["010101", "0101", "01"])
    assert not scope.sees(["police"], ["0102", "01"])
    assert not scope.sees([], [])
    assert EVERYTHING.sees([], [])


def test_a_restricted_case_is_for_named_readers_in_scope_and_the_head_of_the_lead_unit() -> None:
    assert may_read_restricted(account("hotline", "dispatcher", "restricted_reader"), True, None)
    assert not may_read_restricted(account("hotline", "dispatcher", "restricted_reader"), False, None)
    assert not may_read_restricted(account("hotline", "dispatcher"), True, None)
    assert may_read_restricted(account("river", "unit_head"), True, "river")
    assert not may_read_restricted(account("east", "unit_head"), True, "river")
    assert not may_read_restricted(account("river", "handler"), True, "river")


def test_a_unit_complained_about_and_its_subtree_are_found_out() -> None:
    assert is_complained_about(account("traffic", "handler"), "police", TREE)
    assert is_complained_about(account("police", "unit_head"), "police", TREE)
    assert is_complained_about(account("gone", "handler"), "gone", TREE)
    assert not is_complained_about(account("police", "unit_head"), "traffic", TREE)
    assert not is_complained_about(account("police", "unit_head"), None, TREE)
