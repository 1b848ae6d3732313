"""Who gets a row."""

from datetime import UTC, datetime
from typing import Any

from dispatch.domain.cases import Post
from dispatch.notices import post

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


async def webhook(city: Any, name: str, *units: str, disabled: bool = False) -> None:
    await city.pool.execute(
        "INSERT INTO webhooks (id, url, units, key_id, nonce, sealed, disabled_at) VALUES ($1, '', $2, '', '', '', $3)",
        name,
        units,
        NOON if disabled else None,
    )


async def test_people_of_the_unit_with_the_role_are_told(city: Any) -> None:
    await city.account("handler-1", "U1", "handler", "collector")
    await city.account("handler-2", "U1", "unit_head", "handler")
    await city.account("reviewer", "U1", "reviewer")
    await city.account("former", "U1", "handler", retired=True)
    await city.account("elsewhere", "U2", "handler")
    assert await city.post("U1", "handler") == 2
    assert await city.recipients("inbox") == ["account:handler-1", "account:handler-2"]


async def test_a_unit_without_such_people_is_told_itself(city: Any) -> None:
    await city.account("reviewer", "U1", "reviewer")
    await city.post("U1", "handler")
    assert await city.recipients("inbox") == ["unit:U1"]


async def test_people_of_any_unit_are_told_where_the_unit_is_open(city: Any) -> None:
    await city.account("supervisor-1", "U1", "supervisor")
    await city.account("supervisor-2", "U2", "supervisor")
    await city.post("*", "supervisor", "commander")
    assert await city.recipients("inbox") == ["account:supervisor-1", "account:supervisor-2"]


async def test_webhooks_of_the_unit_or_of_all_are_told_once(city: Any) -> None:
    await webhook(city, "all")
    await webhook(city, "first", "U1")
    await webhook(city, "both", "U1", "U2")
    await webhook(city, "second", "U2")
    await webhook(city, "gone", disabled=True)
    both = [(1, 1, Post(1, unit, ("handler",), unit, {}), NOON) for unit in ("U1", "U2")]
    assert await post.insert(city.service, both) == 6
    rows = await city.rows()
    assert [(row["recipient"], row["topic"]) for row in rows] == [
        ("webhook:all", "U1"),
        ("webhook:both", "U1"),
        ("webhook:first", "U1"),
        ("webhook:second", "U2"),
    ]
    assert {row["next_at"] for row in rows} == {NOON}


async def test_a_restricted_case_does_not_leave_the_house(city: Any) -> None:
    await webhook(city, "all")
    await city.post(case=2)
    assert await city.recipients("webhook") == []
    assert await city.recipients("inbox") == ["unit:U1"]


async def test_the_same_event_is_told_once(city: Any) -> None:
    assert await city.post() == 1
    assert await city.post() == 0
    assert await city.post(seq=2) == 1


async def test_nothing_to_tell_is_nothing(city: Any) -> None:
    assert await post.insert(city.service, []) == 0
