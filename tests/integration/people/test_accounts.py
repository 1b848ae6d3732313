"""Accounts and keys: made, loaded, listed, ended."""

from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
import pytest

from dispatch.domain.errors import BadInput, NotAuthenticated, NotFound, RuleBroken
from dispatch.people.people import People
from dispatch.people.principal import Principal
from dispatch.store.clock import TravelClock

from .conftest import AGENT


@dataclass(frozen=True)
class Account:
    """A line of a city's accounts."""

    username: str
    name: str
    role: str
    unit: str


async def who(people: People, shown: str) -> Principal:
    principal = await people.authenticate({"Authorization": f"Bearer {shown}"}, {}, "POST")
    assert principal is not None
    return principal


async def test_a_key_has_the_rights_of_a_connector_on_its_channels_only(people: People) -> None:
    key_id, shown = await people.keys.create("secadmin1", "citizens' app", "hotline", ["app"])
    principal = await who(people, shown)
    assert shown.startswith(f"cdk_{key_id}_")
    assert principal.channels == {"app"}
    assert (principal.name, principal.kind, principal.unit) == (f"key:{key_id}", "key", "hotline")
    assert principal.may("report.submit")
    assert principal.permissions.isdisjoint({"report.backfill", "case.read"})


async def test_a_key_with_another_secret_opens_nothing(people: People) -> None:
    key_id, _ = await people.keys.create("secadmin1", "app", "hotline", ["app"])
    _, other = await people.keys.create("secadmin1", "map", "hotline", ["map"])
    with pytest.raises(NotAuthenticated):
        await who(people, f"cdk_{key_id}_{other.split('_', 2)[2]}")


async def test_a_retired_key_is_out_here_at_once_and_elsewhere_within_thirty_seconds(
    people: People, elsewhere: People, clock: TravelClock
) -> None:
    key_id, shown = await people.keys.create("secadmin1", "app", "hotline", ["app"])
    assert await who(elsewhere, shown)
    await people.keys.retire("secadmin1", key_id)
    with pytest.raises(NotAuthenticated):
        await who(people, shown)
    clock.travel(timedelta(seconds=30))
    with pytest.raises(NotAuthenticated):
        await who(elsewhere, shown)
    with pytest.raises(NotFound):
        await people.keys.retire("secadmin1", key_id)


async def test_the_database_holds_no_secret_that_opens_anything(
    people: People, password: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    _, shown = await people.keys.create("secadmin1", "app", "hotline", ["app"])
    for table in ("accounts", "sessions", "api_keys", "access_log"):
        kept = "\n".join(str(tuple(row)) for row in await pool.fetch(f"SELECT t::text FROM {table} t"))
        secrets = (password, opened.access_token, opened.refresh_token, opened.refresh_token.split("_", 1)[1], shown)
        assert kept, table
        assert not any(secret in kept or secret.encode().hex() in kept for secret in secrets), table


@pytest.mark.parametrize(
    ("unit", "channels", "roles"), [("none", ["a"], ["connector"]), ("hotline", [], ["connector"])]
)
async def test_a_key_needs_a_known_unit_and_a_channel(
    people: People, unit: str, channels: list[str], roles: list[str]
) -> None:
    with pytest.raises(BadInput):
        await people.keys.create("secadmin1", "app", unit, channels, roles)


@pytest.mark.parametrize("role", ["sysadmin", "secadmin", "auditor"])
async def test_no_machine_administers(people: People, role: str) -> None:
    with pytest.raises(RuleBroken):
        await people.keys.create("secadmin1", "app", "hotline", ["app"], [role])


@pytest.mark.parametrize(
    ("username", "unit", "roles", "field"),
    [
        ("Operator", "hotline", ["operator"], "username"),
        ("key:abc", "hotline", ["operator"], "username"),
        ("operator1", "none", ["operator"], "unit"),
        ("operator1", "hotline", ["king"], "roles"),
        ("operator1", "hotline", [], "roles"),
    ],
)
async def test_an_account_that_cannot_be_names_the_field_at_fault(
    people: People, username: str, unit: str, roles: list[str], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        await people.accounts.create("secadmin1", username, unit, roles)
    assert refused.value.data["field"] == field


async def test_a_name_is_never_given_twice(people: People, password: str) -> None:
    await people.accounts.retire("secadmin1", AGENT)
    with pytest.raises(RuleBroken):
        await people.accounts.create("secadmin1", AGENT, "hotline", ["operator"])


async def test_nobody_retires_the_account_they_are_using(people: People, password: str) -> None:
    with pytest.raises(RuleBroken):
        await people.accounts.retire(AGENT, AGENT)


async def test_a_reset_password_has_to_be_changed_and_ends_every_session(people: People, password: str) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    first = await people.accounts.reset_password("secadmin1", AGENT)
    with pytest.raises(NotAuthenticated):
        await people.authenticate({"Authorization": f"Bearer {opened.access_token}"}, {}, "GET")
    assert (await people.sessions.log_in(AGENT, first)).must_change


async def test_loading_a_city_again_changes_units_and_roles_but_no_password(people: People) -> None:
    clerk, app = Account("clerk1", "经办人", "handler", "water"), Account("app", "市民应用", "connector", "hotline")
    made = await people.load([clerk, app], {"clerk1": "Given-password-1"}, must_change=False)
    assert made["clerk1"] == "Given-password-1"
    assert (await who(people, made["app"])).channels == {"app"}
    assert await people.load([replace(clerk, unit="dispatch", role="dispatcher"), app], {"clerk1": "Other-2026"}) == {}
    opened = await people.sessions.log_in("clerk1", "Given-password-1")
    principal = await who(people, opened.access_token)
    assert (principal.unit, principal.roles) == ("dispatch", frozenset({"dispatcher"}))


async def test_lists_go_on_after_the_last_name(people: People) -> None:
    await people.load([Account(f"clerk{n}", "经办人", "handler", "water") for n in range(5)])
    first = await people.accounts.list(limit=3)
    rest = await people.accounts.list(first[-1].username, 3)
    assert [each.username for each in (*first, *rest)] == [f"clerk{n}" for n in range(5)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts",
        "UPDATE accounts SET username = 'other'",
        "DELETE FROM api_keys",
        "UPDATE api_keys SET channels = '{b}'",
        "UPDATE access_log SET actor = 'other'",
        "DELETE FROM access_log",
    ],
)
async def test_the_service_itself_may_not_rewrite_who_did_what(service_pool: asyncpg.Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service_pool.execute(statement)


async def test_the_schema_keeps_administrators_apart_and_the_retired_retired(
    people: People, password: str, service_pool: asyncpg.Pool
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="administrator_is_nothing_else"):
        await service_pool.execute("UPDATE accounts SET roles = '{secadmin,auditor}'")
    await people.accounts.retire("secadmin1", AGENT)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="retirement of accounts never changes"):
        await service_pool.execute("UPDATE accounts SET retired_at = NULL")
