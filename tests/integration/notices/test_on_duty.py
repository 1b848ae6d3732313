"""Who a notice to a post reaches: shifts, leave, stand-ins, and a post that nobody stands."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.people.rosters import vacant

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LEAVE = "INSERT INTO leaves (account, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, 't', $2)"
WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def shift(
    city: Any,
    account: str,
    starts_at: datetime = NOON - HOUR,
    ends_at: datetime = NOON + HOUR,
    unit: str = "U1",
    role: str = "handler",
) -> None:
    await city.service.execute(
        "INSERT INTO shifts (unit, role, account, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, 't', $6)",
        unit,
        role,
        account,
        starts_at,
        ends_at,
        NOON,
    )


async def leave(
    city: Any,
    account: str,
    stand_in: str | None = None,
    starts_at: datetime = NOON - DAY,
    ends_at: datetime = NOON + DAY,
) -> None:
    await city.service.execute(
        "INSERT INTO leaves (account, stand_in, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, 't', $5)",
        account,
        stand_in,
        starts_at,
        ends_at,
        NOON,
    )


async def reached(city: Any, unit: str = "U1", *roles: str, at: datetime = NOON) -> list[str]:
    """The inboxes of a notice, without their kind; each notice is about another event."""
    seq = 1 + len(await city.rows("inbox"))
    await city.post(unit, *(roles or ("handler",)), seq=seq, at=at)
    return [row["recipient"].removeprefix("account:") for row in await city.rows("inbox") if row["event_seq"] == seq]


async def gone(city: Any, *units: str) -> set[tuple[str, str]]:
    return set(await vacant(city.service, units or ("U1",), NOON))


@pytest.fixture(autouse=True)
async def _workers(city: Any) -> None:
    for name in ("a", "b", "c"):
        await city.account(f"{name}-{name}", "U1", "handler")
    await city.account("elsewhere", "U2", "reviewer")


async def test_those_on_shift_are_told_and_not_all_who_hold_the_role(city: Any) -> None:
    await shift(city, "b-b")
    assert await reached(city) == ["b-b"]


@pytest.mark.parametrize(
    ("at", "told"), [(-HOUR, ["b-b"]), (HOUR - timedelta(seconds=1), ["b-b"]), (HOUR, ["c-c"]), (2 * HOUR, None)]
)
async def test_a_shift_begins_at_its_start_and_is_over_at_its_end(
    city: Any, at: timedelta, told: list[str] | None
) -> None:
    await shift(city, "b-b")
    await shift(city, "c-c", NOON + HOUR, NOON + 2 * HOUR)
    assert await reached(city, at=NOON + at) == (told or ["a-a", "b-b", "c-c"])


async def test_a_shift_over_midnight_covers_both_days(city: Any) -> None:
    midnight = datetime(2026, 3, 2, 16, tzinfo=UTC)  # in Shanghai
    await shift(city, "b-b", midnight - 2 * HOUR, midnight + 2 * HOUR)
    for at in (midnight - HOUR, midnight, midnight + HOUR):
        assert await reached(city, at=at) == ["b-b"]


async def test_the_shift_of_one_role_leaves_the_holders_of_another(city: Any) -> None:
    await city.account("head", "U1", "unit_head")
    await shift(city, "b-b")
    assert await reached(city, "U1", "handler", "unit_head") == ["b-b", "head"]


async def test_a_shift_that_was_taken_back_and_one_of_somebody_who_left_count_for_nothing(city: Any) -> None:
    await shift(city, "b-b")
    await city.pool.execute("UPDATE shifts SET removed_by = 't', removed_at = $1", NOON)
    assert await reached(city) == ["a-a", "b-b", "c-c"]
    await shift(city, "c-c")
    await city.pool.execute("UPDATE accounts SET retired_at = $1 WHERE username = 'c-c'", NOON)
    assert await reached(city) == ["a-a", "b-b"]


async def test_a_stand_in_is_told_instead_whatever_their_role_and_unit(city: Any) -> None:
    await leave(city, "a-a", "elsewhere")
    assert await reached(city) == ["b-b", "c-c", "elsewhere"]


async def test_who_is_on_leave_without_a_stand_in_is_left_out(city: Any) -> None:
    await leave(city, "a-a")
    assert await reached(city) == ["b-b", "c-c"]


async def test_somebody_on_shift_and_on_leave_gives_way_too(city: Any) -> None:
    await shift(city, "b-b")
    await leave(city, "b-b", "elsewhere")
    assert await reached(city) == ["elsewhere"]


async def test_stand_ins_stand_in_for_stand_ins(city: Any) -> None:
    await shift(city, "a-a")
    await leave(city, "a-a", "b-b")
    await leave(city, "b-b", "elsewhere")
    assert await reached(city) == ["elsewhere"]


async def test_a_ring_of_stand_ins_ends_and_leaves_nobody(city: Any) -> None:
    for one, other in (("a-a", "b-b"), ("b-b", "c-c"), ("c-c", "a-a")):
        await leave(city, one, other)
    assert await reached(city) == ["unit:U1"]
    assert await gone(city) == {("U1", "owner"), ("U1", "unit_head")}


@pytest.mark.parametrize(
    ("at", "told"), [(-DAY, ["b-b", "c-c"]), (DAY, ["a-a", "b-b", "c-c"]), (-DAY - HOUR, ["a-a", "b-b", "c-c"])]
)
async def test_leave_begins_at_its_start_and_is_over_at_its_end(city: Any, at: timedelta, told: list[str]) -> None:
    await leave(city, "a-a")
    assert await reached(city, at=NOON + at) == told


async def test_posts_over_all_units_have_shifts_of_their_own(city: Any) -> None:
    await city.account("sup-1", "U1", "supervisor")
    await city.account("sup-2", "U2", "supervisor")
    await shift(city, "sup-2", unit="*", role="supervisor")
    assert await reached(city, "*", "supervisor") == ["sup-2"]
    await leave(city, "sup-2")
    assert ("*", "supervisor") in await gone(city)
    assert await reached(city, "*", "supervisor") == ["unit:*"]


async def test_a_post_is_vacant_only_where_somebody_should_be_there(city: Any) -> None:
    await city.pool.execute("INSERT INTO units (code, name) VALUES ('U3', 'U3')")
    # U1 has handlers and no head; U2 has a reviewer only; U3 has nobody at all; nobody is supervisor or commander.
    assert await gone(city, "U1", "U2", "U3") == {("U1", "unit_head"), ("U2", "owner"), ("U2", "unit_head")}
    # A roster says that somebody should be there.
    await shift(city, "elsewhere", unit="U3", role="unit_head")
    assert ("U3", "unit_head") not in await gone(city, "U3")
    await leave(city, "elsewhere")
    assert ("U3", "unit_head") in await gone(city, "U3")


async def test_a_commander_who_left_makes_no_post_vacant(city: Any) -> None:
    await city.account("com", "U1", "commander", retired=True)
    assert await gone(city, "U3") == set()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("INSERT INTO shifts (unit, role, account, starts_at, ends_at, {by}) VALUES ('U1', 'handler', 'a-a', $1, $1, {is})", "shift_ends_after"),
        ("INSERT INTO shifts (unit, role, account, starts_at, ends_at, {by}) VALUES ('*', 'handler', 'a-a', $1, 'infinity', {is})", "is_of_a_post"),
        ("INSERT INTO shifts (unit, role, account, starts_at, ends_at, {by}) VALUES ('U9', 'handler', 'a-a', $1, 'infinity', {is})", "foreign"),
        ("INSERT INTO shifts (unit, role, account, starts_at, ends_at, {by}) VALUES ('U1', 'handler', 'former', $1, 'infinity', {is})", "has left"),
        ("INSERT INTO leaves (account, starts_at, ends_at, {by}) VALUES ('a-a', $1, $1, {is})", "leave_ends_after"),
        ("INSERT INTO leaves (account, stand_in, starts_at, ends_at, {by}) VALUES ('a-a', 'a-a', $1, 'infinity', {is})", "somebody_else"),
        ("INSERT INTO leaves (account, stand_in, starts_at, ends_at, {by}) VALUES ('a-a', 'former', $1, 'infinity', {is})", "has left"),
        ("INSERT INTO leaves (account, stand_in, starts_at, ends_at, {by}) VALUES ('a-a', 'nobody', $1, 'infinity', {is})", "foreign"),
        ("INSERT INTO leaves (account, starts_at, ends_at, {by}) VALUES ('b-b', $1, 'infinity', {is})", "on leave then already"),
        ("UPDATE shifts SET account = 'b-b' WHERE made_at > $1", "permission denied"),
        ("DELETE FROM leaves WHERE made_at > $1", "permission denied"),
    ],
)  # fmt: skip
async def test_the_schema_takes_no_roster_that_cannot_be(city: Any, statement: str, broken: str) -> None:
    await city.account("former", "U1", "handler", retired=True)
    await leave(city, "b-b")
    made = statement.replace("{by}", "made_by, made_at").replace("{is}", "'t', $1")
    with pytest.raises(asyncpg.PostgresError, match=broken):
        await city.service.execute(made, NOON)


async def test_two_leaves_of_one_account_at_once_do_not_both_come_in(city: Any) -> None:
    async with city.service.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(LEAVE, "a-a", NOON, NOON + DAY)
        other = asyncio.create_task(city.service.execute(LEAVE, "a-a", NOON + HOUR, NOON + 2 * DAY))
        # The other waits for the account until this one is decided; without that it would be through by itself.
        while not other.done() and not await city.pool.fetchval(WAITS):
            await asyncio.sleep(0.01)
        await transaction.commit()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="on leave then already"):
        await other
    await leave(city, "a-a", starts_at=NOON + DAY, ends_at=NOON + 2 * DAY)  # from the very end of the first
