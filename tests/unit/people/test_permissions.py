"""Who may do what: the duties that must not meet in one hand."""

from itertools import combinations
from typing import get_args

import pytest

from dispatch.people.permissions import ADMINISTRATORS, PERMISSIONS, ROLES, Permission, incompatible, permissions_of

PERSONAL = {
    "case.read",
    "report.read",
    "caller.lookup",
    "text.unmask",
    "restricted.read",
    "quarantine.read",
    "queue.read",
}


def test_every_role_has_a_row_and_every_permission_somebody() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    assert permissions_of(ROLES) == set(get_args(Permission))


@pytest.mark.parametrize(("one", "other"), list(combinations(sorted(ADMINISTRATORS), 2)))
def test_administrators_have_no_permission_in_common(one: str, other: str) -> None:
    assert permissions_of([one]).isdisjoint(permissions_of([other]))


@pytest.mark.parametrize("role", sorted(ADMINISTRATORS))
def test_no_administrator_reads_cases_or_callers(role: str) -> None:
    assert permissions_of([role]).isdisjoint(PERSONAL | {"live.read", "report.submit"})


@pytest.mark.parametrize(
    ("permission", "role"),
    [("audit.read", "auditor"), ("account.manage", "secadmin"), ("key.manage", "secadmin"), ("city.load", "sysadmin")],
)
def test_what_an_administrator_does_nobody_else_may(permission: str, role: str) -> None:
    assert {name for name in ROLES if permission in permissions_of([name])} == {role}


def test_a_restricted_case_is_read_by_the_named_role_alone() -> None:
    assert {role for role in ROLES if "restricted.read" in permissions_of([role])} == {"restricted_reader"}


def test_machines_read_no_case_and_backfill_only_as_replayers() -> None:
    assert permissions_of(["connector", "replayer"]).isdisjoint(PERSONAL - {"report.read"})
    assert {role for role in ROLES if "report.backfill" in permissions_of([role])} == {"replayer"}


@pytest.mark.parametrize(
    ("roles", "apart"),
    [
        (["secadmin", "auditor"], True),
        (["sysadmin", "operator"], True),
        (["handler", "reviewer"], True),
        (["unit_head", "reviewer"], True),
        (["secadmin"], False),
        (["operator", "followup"], False),
        (["dispatcher", "restricted_reader"], False),
    ],
)
def test_roles_that_check_each_other_are_not_held_together(roles: list[str], apart: bool) -> None:
    assert incompatible(roles) is apart


def test_a_role_that_was_taken_out_of_the_table_permits_nothing() -> None:
    assert permissions_of(["formerly"]) == frozenset()
