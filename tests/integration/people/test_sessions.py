"""Logging in, staying in and being out."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.domain.errors import AccountLocked, BadInput, NotAuthenticated
from dispatch.people.people import People
from dispatch.people.principal import Principal
from dispatch.people.sessions import Tokens
from dispatch.store.clock import TravelClock

from .conftest import AGENT


async def who(people: People, tokens: Tokens) -> Principal:
    principal = await people.authenticate({"Authorization": f"Bearer {tokens.access_token}"}, {}, "POST")
    assert principal is not None
    return principal


async def test_a_password_opens_a_session_with_the_rights_of_the_roles(people: People, password: str) -> None:
    principal = await who(people, await people.sessions.log_in(AGENT, password))
    assert (principal.name, principal.kind, principal.unit) == (AGENT, "account", "hotline")
    assert principal.may("report.submit")
    assert not principal.may("case.approve")


async def test_a_first_password_permits_nothing_until_it_is_changed(people: People) -> None:
    first = await people.accounts.create("secadmin1", AGENT, "hotline", ["operator"])
    opened = await people.sessions.log_in(AGENT, first)
    principal = await who(people, opened)
    assert opened.must_change
    assert principal.must_change
    assert principal.permissions == frozenset()
    changed = await people.sessions.change_password(AGENT, first, "Chosen-once-7")
    principal = await who(people, changed)
    assert not principal.must_change
    assert principal.may("report.submit")


@pytest.mark.parametrize("name", [AGENT, "nobody"])
async def test_wrong_names_and_wrong_passwords_are_answered_alike(people: People, password: str, name: str) -> None:
    with pytest.raises(NotAuthenticated, match="The user name or the password is wrong"):
        await people.sessions.log_in(name, "not-it-123456")


async def test_five_failures_lock_the_account_for_fifteen_minutes(
    people: People, password: str, clock: TravelClock
) -> None:
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await people.sessions.log_in(AGENT, "not-it-123456")
    clock.travel(timedelta(minutes=14, seconds=59))
    with pytest.raises(AccountLocked) as locked:
        await people.sessions.log_in(AGENT, password)
    assert locked.value.data["until"] == clock.at + timedelta(seconds=1)
    clock.travel(timedelta(seconds=1))
    assert await people.sessions.log_in(AGENT, password)


async def test_guessing_in_parallel_gives_no_more_than_five_guesses(people: People, password: str) -> None:
    guesses = [people.sessions.log_in(AGENT, f"not-it-{n:06}") for n in range(12)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, NotAuthenticated) for result in results) == 5
    assert sum(isinstance(result, AccountLocked) for result in results) == 7


async def test_a_success_forgives_the_failures_before_it(people: People, password: str) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(NotAuthenticated):
                await people.sessions.log_in(AGENT, "not-it-123456")
        await people.sessions.log_in(AGENT, password)


async def test_an_access_token_lives_fifteen_minutes(people: People, password: str, clock: TravelClock) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    clock.travel(timedelta(minutes=14, seconds=58))
    assert await who(people, opened)
    clock.travel(timedelta(seconds=2))
    with pytest.raises(NotAuthenticated):
        await who(people, opened)


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(people: People, password: str) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    second = await people.sessions.refresh(opened.refresh_token)
    assert await who(people, second)
    with pytest.raises(NotAuthenticated):
        await people.sessions.refresh(opened.refresh_token)
    with pytest.raises(NotAuthenticated):
        await people.sessions.refresh(second.refresh_token)
    with pytest.raises(NotAuthenticated):
        await who(people, second)


async def test_only_one_of_two_refreshes_at_the_same_moment_succeeds(people: People, password: str) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    results = await asyncio.gather(
        people.sessions.refresh(opened.refresh_token),
        people.sessions.refresh(opened.refresh_token),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {Tokens, NotAuthenticated}


async def test_a_session_ends_after_a_shift(people: People, password: str, clock: TravelClock) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    clock.travel(timedelta(hours=12))
    with pytest.raises(NotAuthenticated):
        await people.sessions.refresh(opened.refresh_token)


async def test_logging_out_ends_the_session_here_at_once_and_elsewhere_within_thirty_seconds(
    people: People, elsewhere: People, password: str, clock: TravelClock
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    assert await who(elsewhere, opened)
    await people.sessions.log_out({"Authorization": f"Bearer {opened.access_token}"}, {})
    with pytest.raises(NotAuthenticated):
        await who(people, opened)
    clock.travel(timedelta(seconds=30))
    with pytest.raises(NotAuthenticated):
        await who(elsewhere, opened)


async def test_changing_the_password_ends_every_other_session(
    people: People, elsewhere: People, password: str, clock: TravelClock
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    assert await who(elsewhere, opened)
    await people.sessions.change_password(AGENT, password, "Chosen-twice-8")
    clock.travel(timedelta(seconds=30))
    with pytest.raises(NotAuthenticated):
        await who(elsewhere, opened)
    with pytest.raises(NotAuthenticated):
        await people.sessions.refresh(opened.refresh_token)
    with pytest.raises(NotAuthenticated):
        await people.sessions.log_in(AGENT, password)


async def test_a_token_of_an_earlier_epoch_is_void_even_in_a_live_session(
    people: People, elsewhere: People, password: str, service_pool: Any
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    await service_pool.execute("UPDATE accounts SET token_epoch = token_epoch + 1")
    with pytest.raises(NotAuthenticated):
        await who(elsewhere, opened)


@pytest.mark.parametrize("new", ["Short-1", "onlysmallletters", "Operator1-2026", "Chosen-once-7"])
async def test_a_password_that_will_not_do_is_refused(people: People, password: str, new: str) -> None:
    with pytest.raises(BadInput):
        await people.sessions.change_password(AGENT, password, new)


async def test_a_retired_account_is_out_here_at_once_and_elsewhere_within_thirty_seconds(
    people: People, elsewhere: People, password: str, clock: TravelClock
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    assert await who(elsewhere, opened)
    await people.accounts.retire("secadmin1", AGENT)
    with pytest.raises(NotAuthenticated):
        await who(people, opened)
    clock.travel(timedelta(seconds=30))
    with pytest.raises(NotAuthenticated):
        await who(elsewhere, opened)
    with pytest.raises(NotAuthenticated):
        await people.sessions.log_in(AGENT, password)


async def test_the_console_cookie_changes_nothing_without_its_csrf_token(people: People, password: str) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    other = await people.sessions.log_in(AGENT, password)
    cookies = {"dispatch_session": opened.access_token}
    assert await people.authenticate({}, cookies, "GET")
    assert await people.authenticate({"X-CSRF-Token": opened.csrf_token}, cookies, "POST")
    for wrong in ({}, {"X-CSRF-Token": other.csrf_token}, {"X-CSRF-Token": "é"}):
        with pytest.raises(NotAuthenticated):
            await people.authenticate(wrong, cookies, "POST")


@pytest.mark.parametrize(
    "shown",
    [
        "Basic b3A6cHc=",
        "Bearer ",
        "Bearer x.y.z",
        "Bearer cdk_",
        "Bearer cdk_a_b",
        "Bearer cdk_\udce9_\udce9",
        "Bearer \udce9.a.b",
        "é",
    ],
)
async def test_a_proof_that_is_none_is_refused(people: People, shown: str) -> None:
    with pytest.raises(NotAuthenticated):
        await people.authenticate({"Authorization": shown}, {}, "GET")


async def test_no_proof_at_all_is_nobody(people: People) -> None:
    assert await people.authenticate({}, {}, "GET") is None


async def test_who_was_admitted_is_remembered_without_a_statement(
    people: People, password: str, service_pool: Any
) -> None:
    opened = await people.sessions.log_in(AGENT, password)
    first = await who(people, opened)
    await service_pool.close()
    assert await who(people, opened) is first


async def test_every_log_in_and_failure_is_on_record_without_the_password(
    people: People, password: str, pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    await people.sessions.log_in(AGENT, password)
    with pytest.raises(NotAuthenticated):
        await people.sessions.log_in(AGENT, "not-it-123456")
    rows = await pool.fetch("SELECT action, subject FROM access_log WHERE actor = $1 ORDER BY id", AGENT)
    assert [row["action"] for row in rows][-2:] == ["session.opened", "session.refused"]
    assert {row["subject"] for row in rows} == {AGENT}
