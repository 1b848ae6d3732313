"""Levels that nobody is there for come at once, and are told further up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from dispatch.casework.deadlines import Deadlines
from dispatch.metrics import new_metrics
from dispatch.store.pool import open_pool
from tests.harness.town import KEYRING, START, Town
from tests.integration.casework.looking import ack, events, fire_at, levels, the_clock, told
from tests.integration.casework.people import account, leave, shift, staffed
from tests.integration.casework.walks import opened

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REACHED = {"to": "drainage", "reached": True}
# The urgent ladder of the demo city: signed within 30 minutes; +30 min, +2 h; climbs after 15 and 30 minutes.
DUE = START + 30 * MINUTE


async def test_a_vacant_post_climbs_at_once_in_one_turn(a_town: Town) -> None:
    await staffed(a_town)
    await leave(a_town, "h1", START, START + DAY)
    number = await opened(a_town)
    a_town.clock.at = DUE
    assert await a_town.services.deadlines.fire(100) > 0
    found = await levels(a_town, number)
    assert [(each["level"], each["fired_at"]) for each in found[1:]] == [(1, DUE), (2, DUE)]
    (missed,), (climbed,) = await events(a_town, number, "deadline_missed"), await events(a_town, number, "escalated")
    assert (missed["vacant"], climbed["climbed"], climbed["vacant"]) == (["unit_head"], "vacant", ["unit_head"])
    # Nothing is lost: the common inbox has it too; at the next level somebody is there, so that climbs no further.
    assert await told(a_town, number, 1) == {"unit:drainage"}
    assert await told(a_town, number, 2) == {"unit:drainage", "account:sup"}
    assert (await the_clock(a_town, number))["next_at"] == DUE + 30 * MINUTE


async def test_where_nobody_is_there_at_all_the_top_is_reached_in_one_turn_and_the_review_recurs(a_town: Town) -> None:
    await staffed(a_town)
    for name in ("h1", "sup", "com"):
        await leave(a_town, name, START, START + 9 * DAY)
    number = await opened(a_town)
    a_town.clock.at = DUE
    await a_town.services.deadlines.fire(100)
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1, 2, 3]
    assert (await the_clock(a_town, number))["next_at"] is None
    assert await told(a_town, number, 3) == {"unit:*"}
    await fire_at(a_town, START + 8 * DAY)
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'review' AND status = 'running'") == 1


async def test_a_warning_of_a_vacant_post_goes_further_up_and_raises_no_level(a_town: Town) -> None:
    await staffed(a_town)
    for name in ("w1", "h1"):
        await leave(a_town, name, START, START + DAY)
    number = await opened(a_town)
    await fire_at(a_town, START + 24 * MINUTE)
    assert [each["level"] for each in await levels(a_town, number)] == [0]
    (warned,) = await events(a_town, number, "deadline_warned")
    assert warned["vacant"] == ["owner"]
    # Neither worker nor head is there, the supervisor of level 2 is; the commander is not bothered.
    assert await told(a_town, number, 0) == {"unit:drainage", "account:sup"}
    assert (await the_clock(a_town, number))["next_at"] == DUE


async def test_one_vacant_post_among_several_is_named_and_does_not_climb(a_town: Town) -> None:
    await staffed(a_town)
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    await leave(a_town, "h1", DUE, DUE + DAY)
    await fire_at(a_town, DUE + 15 * MINUTE)
    (climbed,) = await events(a_town, number, "escalated")
    assert (climbed["level"], climbed["vacant"], climbed["climbed"]) == (2, ["unit_head"], "unacknowledged")
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1, 2]


async def test_a_unit_without_any_account_works_by_its_common_inbox_and_climbs_in_its_own_time(a_town: Town) -> None:
    await account(a_town, "sup", "supervisor", "supervision")
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1]
    assert await told(a_town, number, 1) == {"unit:drainage"}


@pytest.mark.parametrize(("minutes", "on_duty"), [(-1, "night"), (0, "day"), (1, "day")])
async def test_a_shift_ends_exactly_where_the_next_begins(a_town: Town, minutes: int, on_duty: str) -> None:
    for name in ("night", "day"):
        await account(a_town, name, "unit_head", "drainage")
    change = DUE - minutes * MINUTE
    await shift(a_town, "drainage", "unit_head", "night", change - 10 * HOUR, change)  # over midnight in Shanghai
    await shift(a_town, "drainage", "unit_head", "day", change, change + 10 * HOUR)
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    assert await told(a_town, number, 1) == {f"account:{on_duty}"}


@pytest.fixture
async def another_loop(a_town: Town) -> AsyncIterator[Deadlines]:
    pool = await open_pool(a_town.database_url, size=3)
    yield Deadlines(pool, a_town.services.cities, KEYRING, a_town.clock, new_metrics(), lambda: None)
    await pool.close()


async def test_two_loops_and_a_person_at_the_instant_of_climbing_agree(a_town: Town, another_loop: Deadlines) -> None:
    await staffed(a_town)
    numbers = [await opened(a_town, location={"lon": 116.17 + 0.003 * n, "lat": 33.12}) for n in range(6)]
    await fire_at(a_town, DUE)
    first = {number: (await levels(a_town, number))[1]["id"] for number in numbers}
    await leave(a_town, "sup", DUE, DUE + DAY)
    await leave(a_town, "h1", DUE, DUE + DAY)
    a_town.clock.at = DUE + 15 * MINUTE

    async def drained(loop: Deadlines) -> None:
        for _ in range(8):
            await loop.fire(2)

    answers = await asyncio.gather(
        *(ack(a_town, each, call=REACHED) for each in first.values()),
        drained(a_town.services.deadlines),
        drained(another_loop),
    )
    assert [answer[0] for answer in answers if answer] == [200] * 6
    await a_town.fire()
    for number in numbers:
        found = [each["level"] for each in await levels(a_town, number)]
        # Either the person was first, and the next level waits for its own instant; or the loop was, and climbed to the commander.
        assert found in ([0, 1], [0, 1, 2, 3])
        assert len(await events(a_town, number, "escalated")) == len(found) - 2
        assert (await the_clock(a_town, number))["next_at"] == (DUE + 30 * MINUTE if len(found) == 2 else None)
