"""Levels of the ladder that issue an order, once, and who was told of a level."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from dispatch.casework.deadlines import Deadlines
from dispatch.metrics import new_metrics
from dispatch.store.pool import open_pool
from tests.harness.town import KEYRING, Town, principal
from tests.integration.casework.looking import events
from tests.integration.casework.people import SUPERVISOR, staffed
from tests.integration.casework.test_orders import orders_of, sound
from tests.integration.casework.walks import brought, elsewhere, opened, ordered


@pytest.fixture
async def another_loop(a_town: Town) -> AsyncIterator[Deadlines]:
    """The deadlines of a second process on the same database."""
    pool = await open_pool(a_town.database_url, size=3)
    yield Deadlines(pool, a_town.services.cities, KEYRING, a_town.clock, new_metrics(), lambda: None)
    await pool.close()


async def drained(loop: Deadlines) -> None:
    idle = 0
    while idle < 3:
        idle = 0 if await loop.fire(5) else idle + 1
        await asyncio.sleep(0)


async def test_levels_two_and_three_issue_their_orders_once_though_two_loops_race(
    a_town: Town, another_loop: Deadlines
) -> None:
    numbers = [await opened(a_town, assigned_unit="drainage", location=elsewhere()) for _ in range(8)]
    for days in (1, 40):
        a_town.clock.travel(timedelta(days=days))
        await asyncio.gather(*(drained(loop) for loop in (a_town.services.deadlines, another_loop) * 2))
    rows = await a_town.rows(
        "SELECT c.case_no, d.clock, o.level, o.colour, o.issued_by, count(*) OVER (PARTITION BY o.deadline_id, o.level) AS n FROM orders o "
        "JOIN cases c ON c.id = o.case_id JOIN deadlines d ON d.id = o.deadline_id WHERE o.unit = 'drainage' ORDER BY o.id"
    )
    for number in numbers:
        mine = [(row["level"], row["colour"]) for row in rows if row["case_no"] == number]
        assert mine == [(2, "orange"), (3, "red")], number
        # Other clocks of the unit climbed as high, and found an order as grave.
        fired = {each["order"] for each in await events(a_town, number, "order_stands")}
        assert fired <= {each["id"] for each in await orders_of(a_town, number)}
    assert {(row["n"], row["issued_by"]) for row in rows} == {(1, "deadlines")}
    # An order that nobody answers climbs by its own clock, and issues none about itself.
    clocks = await a_town.rows("SELECT DISTINCT d.clock FROM orders o JOIN deadlines d ON d.id = o.deadline_id")
    assert not {row["clock"] for row in clocks} & {"order", "unread", "review"}
    climbed = await a_town.value(
        "SELECT count(*) FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE d.clock = 'order' AND e.level = 3"
    )
    assert climbed > 0
    await sound(a_town)


async def test_an_order_that_climbs_issues_none_about_itself(a_town: Town) -> None:
    number = await brought(a_town, "closed", assigned_unit="drainage")
    order = await ordered(a_town, number)
    a_town.clock.travel(timedelta(days=40))
    await a_town.fire()
    climbed = await a_town.rows(
        "SELECT max(e.level) AS top FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE d.clock IN ('order', 'unread') "
        "AND d.unit = 'drainage' GROUP BY d.clock ORDER BY top"
    )
    assert [row["top"] for row in climbed] == [2, 3]
    assert [each["id"] for each in await orders_of(a_town, number)] == [order]
    await sound(a_town)


async def test_one_deadline_never_issues_two_orders_at_a_level(a_town: Town) -> None:
    await opened(a_town, assigned_unit="drainage")
    a_town.clock.travel(timedelta(days=1))
    await a_town.fire()
    copied = "case_id, kind, colour, unit, issued_by, issued_unit, issued_at, deadline_id, level, needs_reply, round, unread_round"
    with pytest.raises(asyncpg.UniqueViolationError):
        await a_town.rows(f"INSERT INTO orders ({copied}) SELECT {copied} FROM orders WHERE level IS NOT NULL LIMIT 1")


async def test_a_level_says_who_it_was_told_to_and_who_opened_that(a_town: Town) -> None:
    await staffed(a_town)
    number = await opened(a_town, assigned_unit="drainage")
    a_town.clock.travel(timedelta(minutes=31))
    await a_town.fire()
    head = principal("unit_head", "drainage", name="h1")
    _, inbox = await a_town.get("/notices", head)
    (mine,) = [n["id"] for n in inbox["items"] if n["body"]["clock"] == "sign" and n["body"]["level"] == 1]
    url = f"{a_town.url}/api/v1/notices/read"
    async with a_town.http.post(url, json={"ids": [mine]}, headers=a_town.acts_as(head)) as answer:
        assert await answer.json() == {"read": 1}
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    (level,) = [e for e in case["escalations"] if (e["clock"], e["level"], e["unit"]) == ("sign", 1, "drainage")]
    assert [(each["recipient"], each["read_by"]) for each in level["told"]] == [("account:h1", "h1")]
