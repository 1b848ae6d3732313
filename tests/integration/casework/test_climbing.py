"""Levels that come before their own instant: nobody acknowledged the one before, or nobody was there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from dispatch.casework.deadlines import Deadlines
from dispatch.metrics import new_metrics
from dispatch.store.pool import open_pool
from tests.harness.town import KEYRING, START, Town
from tests.integration.casework.people import (
    CITIZEN,
    COMMANDER,
    DISPATCHER,
    HANDLER,
    HEAD,
    SUPERVISOR,
    account,
    ack,
    brought,
    clocks_of,
    leave,
    levels,
    opened,
    shift,
)  # fmt: skip

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REACHED = {"to": "drainage", "reached": True}
# The urgent ladder of the demo city: signed within 30 minutes; +30 min, +2 h; climbs after 15 and 30 minutes.
DUE = START + 30 * MINUTE


async def events(
    town: Town, number: str, *types: str, clock: str = "sign", unit: str = "drainage"
) -> list[dict[str, Any]]:
    """The bodies of a case's events of these types about one clock."""
    rows = await town.rows(
        "SELECT e.body FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 AND e.type = ANY ($2) ORDER BY e.seq",
        number,
        types,
    )
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    return [each for each in bodies if each.get("clock", clock) == clock and each.get("unit", unit) == unit]


async def told(town: Town, number: str, level: int, clock: str = "sign") -> set[str]:
    """Who found a level of drainage's clock in an inbox."""
    rows = await town.rows(
        "SELECT n.recipient FROM notices n JOIN cases c ON c.id = n.case_id JOIN case_events e ON e.case_id = c.id AND e.seq = n.event_seq "
        "WHERE c.case_no = $1 AND n.body->>'level' = $2 AND n.body->>'clock' = $3 AND n.medium = 'inbox' "
        "AND convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage'",
        number,
        str(level),
        clock,
    )
    return {row["recipient"] for row in rows}


async def the_clock(town: Town, number: str, clock: str = "sign", unit: str = "drainage") -> dict[str, Any]:
    (found,) = [each for each in await clocks_of(town, number, clock) if each["unit"] == unit]
    return found


async def fire_at(town: Town, at: datetime) -> int:
    town.clock.at = at
    return await town.fire()


async def people(town: Town) -> None:
    """A handler and a head at drainage, a supervisor and a commander."""
    for name, role, unit in (
        ("w1", "handler", "drainage"), ("h1", "unit_head", "drainage"), ("sup", "supervisor", "supervision"), ("com", "commander", "city"),
    ):  # fmt: skip
        await account(town, name, role, unit)


async def test_a_level_that_nobody_acknowledges_climbs_by_itself_and_once(a_town: Town) -> None:
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    clock = await the_clock(a_town, number)
    assert clock["next_at"] == DUE + 15 * MINUTE
    await fire_at(a_town, DUE + 15 * MINUTE - timedelta(seconds=1))
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1]
    for _ in range(2):
        await fire_at(a_town, DUE + 15 * MINUTE)
        assert [each["level"] for each in await levels(a_town, number)] == [0, 1, 2]
    (climbed,) = await events(a_town, number, "escalated")
    assert (climbed["level"], climbed["climbed"]) == (2, "unacknowledged")
    assert datetime.fromisoformat(climbed["planned_at"]) == DUE + 15 * MINUTE
    assert datetime.fromisoformat(climbed["own"]) == DUE + 30 * MINUTE
    # What the level above waits for is counted from when it fired.
    assert (await the_clock(a_town, number))["next_at"] == DUE + 45 * MINUTE
    await fire_at(a_town, DUE + 4 * HOUR)
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1, 2, 3]
    assert (await the_clock(a_town, number))["next_at"] is None


async def test_an_acknowledged_level_leaves_the_next_one_at_its_own_instant(a_town: Town) -> None:
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    (_, first) = await levels(a_town, number)
    a_town.clock.at = DUE + 14 * MINUTE
    assert (await ack(a_town, first["id"], call=REACHED))[0] == 200
    clock = await the_clock(a_town, number)
    assert clock["next_at"] == DUE + 30 * MINUTE
    plan = msgspec.json.decode(clock["plan"])
    assert all(not {"own", "climbed", "climbs_at"} & each.keys() for each in plan)
    assert [datetime.fromisoformat(each["at"]) for each in plan] == [
        START + 24 * MINUTE,
        DUE,
        DUE + 30 * MINUTE,
        DUE + 2 * HOUR,
    ]
    await fire_at(a_town, DUE + 29 * MINUTE)
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1]
    await fire_at(a_town, DUE + 30 * MINUTE)
    (climbed,) = await events(a_town, number, "escalated")
    assert "climbed" not in climbed


async def test_an_acknowledgement_behind_the_next_level_moves_nothing(a_town: Town) -> None:
    number = await opened(a_town)
    await fire_at(a_town, DUE + 15 * MINUTE)  # level 1 late, level 2 not yet
    await fire_at(a_town, DUE + 30 * MINUTE)
    _, first, _ = await levels(a_town, number)
    before = await the_clock(a_town, number)
    assert (await ack(a_town, first["id"], call=REACHED))[0] == 200
    assert await the_clock(a_town, number) == before


async def test_an_acknowledgement_of_a_stopped_clock_sets_nothing_going(a_town: Town) -> None:
    number = await opened(a_town)
    await fire_at(a_town, DUE)
    _, first = await levels(a_town, number)
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await ack(a_town, first["id"], call=REACHED))[0] == 200
    clock = await the_clock(a_town, number)
    assert (clock["stopped_at"], clock["next_at"]) == (DUE, None)
    await fire_at(a_town, DUE + DAY)
    assert [each["level"] for each in await levels(a_town, number)] == [0, 1]


async def test_after_downtime_a_level_waits_for_its_acknowledgement_from_when_it_was_told(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    (close,) = await clocks_of(a_town, number, "close")
    own = datetime.fromisoformat(msgspec.json.decode(close["plan"])[2]["at"])
    at = own - HOUR  # the service was away for most of a working day
    await fire_at(a_town, at)
    (close,) = await clocks_of(a_town, number, "close")
    assert close["next_at"] == own
    assert "own" not in msgspec.json.decode(close["plan"])[2]


async def test_a_plan_frozen_before_levels_climbed_goes_on_as_it_was(a_town: Town) -> None:
    number = await opened(a_town)
    await a_town.rows(
        "UPDATE deadlines SET plan = (SELECT jsonb_agg(p - 'by' - 'ack' ORDER BY p->>'at') FROM jsonb_array_elements(plan) p)"
    )
    for after, level in ((24 * MINUTE, 0), (30 * MINUTE, 1), (HOUR, 2), (2.5 * HOUR, 3)):
        await fire_at(a_town, START + after - timedelta(seconds=1))
        assert level not in {each["level"] for each in await levels(a_town, number)}
        await fire_at(a_town, START + after)
        last = (await levels(a_town, number))[-1]
        assert (last["level"], last["call_demanded"]) == (level, False)
    assert (await ack(a_town, last["id"], COMMANDER))[0] == 200
    assert await told(a_town, number, 1) == {"unit:drainage"}


async def test_a_level_goes_by_its_media_only(a_town: Town) -> None:
    await a_town.rows(
        "INSERT INTO webhooks (id, url, key_id, nonce, sealed) VALUES ('hook', 'http://127.0.0.1:9/', 'k', '', '')"
    )
    number = await opened(a_town)
    await a_town.rows(
        "UPDATE deadlines SET plan = jsonb_set(jsonb_set(jsonb_set(plan, '{0,by}', '\"webhook\"'::jsonb), '{1,by}', '[\"inbox\"]'), '{2,by}', "
        "'[\"phone\"]') WHERE clock = 'sign' AND unit = 'drainage'"
    )
    await a_town.rows(
        "UPDATE deadlines SET plan = jsonb_set(plan, '{0,by}', '[\"webhook\"]') WHERE clock = 'sign' AND unit = 'drainage'"
    )
    await fire_at(a_town, DUE + HOUR)
    rows = await a_town.rows(
        "SELECT DISTINCT n.body->>'level' AS level, n.medium FROM notices n JOIN case_events e ON e.case_id = n.case_id AND e.seq = n.event_seq "
        "WHERE n.body->>'clock' = 'sign' AND convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage'"
    )
    assert {tuple(row) for row in rows} == {("0", "webhook"), ("1", "inbox")}
    assert [each["call_demanded"] for each in await levels(a_town, number)] == [False, False, True]


# --- vacant posts ------------------------------------------------------------------------------------------------------


async def test_a_vacant_post_climbs_at_once_in_one_turn(a_town: Town) -> None:
    await people(a_town)
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
    await people(a_town)
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
    await people(a_town)
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
    await people(a_town)
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


# --- holidays ----------------------------------------------------------------------------------------------------------


async def test_holidays_swallow_no_urgent_level(a_town: Town) -> None:
    # 1 October, nine in the evening in Shanghai; the first working slot comes on the eighth.
    await a_town.rows("SELECT make_partitions('2026-10-01', 0)")
    begin = a_town.clock.at = datetime(2026, 10, 1, 21, tzinfo=ZoneInfo("Asia/Shanghai"))
    number = await opened(a_town, category="E0502", caller=CITIZEN)  # a leak of gas
    for after, level in ((24 * MINUTE, 0), (30 * MINUTE, 1), (45 * MINUTE, 2), (75 * MINUTE, 3)):
        await fire_at(a_town, begin + after - timedelta(seconds=1))
        assert level not in {each["level"] for each in await levels(a_town, number, unit="gas")}
        await fire_at(a_town, begin + after)
        assert (await levels(a_town, number, unit="gas"))[-1]["level"] == level
    assert all(each["call_demanded"] for each in (await levels(a_town, number, unit="gas"))[1:])


# --- two at once -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def another_loop(a_town: Town) -> AsyncIterator[Deadlines]:
    pool = await open_pool(a_town.database_url, size=3)
    yield Deadlines(pool, a_town.services.cities, KEYRING, a_town.clock, new_metrics(), lambda: None)
    await pool.close()


async def test_two_loops_and_a_person_at_the_instant_of_climbing_agree(a_town: Town, another_loop: Deadlines) -> None:
    await people(a_town)
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


# --- the logged call ---------------------------------------------------------------------------------------------------


async def urgent_level(town: Town) -> tuple[str, int]:
    number = await opened(town, caller=CITIZEN)
    await fire_at(town, DUE)
    return number, (await levels(town, number))[1]["id"]


async def test_an_urgent_level_is_acknowledged_with_a_call_that_reached_somebody_only(a_town: Town) -> None:
    await account(a_town, "h1", "unit_head", "drainage")
    number, level = await urgent_level(a_town)
    status, refused = await ack(a_town, level, HEAD)
    assert (status, refused["type"], refused["field"]) == (409, "/problems/rule-broken", "call")
    status, tried = await ack(a_town, level, HEAD, call={"to": "h1", "reached": False, "note": "张三丰没有接"})
    assert (status, tried["acked_by"], tried["call_demanded"]) == (200, None, True)
    assert (await the_clock(a_town, number))["next_at"] == DUE + 15 * MINUTE
    status, done = await ack(a_town, level, HEAD, call={"to": "drainage", "reached": True})
    assert (status, done["acked_by"]) == (200, HEAD.name)
    assert [(call["to"], call["reached"], call["by"]) for call in done["calls"]] == [
        ("h1", False, HEAD.name),
        ("drainage", True, HEAD.name),
    ]
    bodies = await events(a_town, number, "called")
    assert [(each["to"], each["reached"], each["escalation"]) for each in bodies] == [
        ("h1", False, level),
        ("drainage", True, level),
    ]
    assert "张三丰" not in str(bodies)
    notes = await a_town.rows("SELECT sealed FROM texts WHERE kind = 'note' AND author = $1", HEAD.name)
    assert len(notes) == 1
    assert "张三丰".encode() not in notes[0]["sealed"]
    _, page = await a_town.get("/escalations?level=1", SUPERVISOR)
    (listed,) = [each for each in page["items"] if each["id"] == level]
    assert (listed["call_demanded"], len(listed["calls"])) == (True, 2)
    _, case = await a_town.get(f"/cases/{number}", DISPATCHER)
    (shown,) = [each for each in case["escalations"] if each["id"] == level]
    assert (shown["call_demanded"], len(shown["calls"]), shown["acked_by"]) == (True, 2, HEAD.name)


async def test_a_call_goes_to_somebody_who_is_there_and_never_to_a_number(a_town: Town) -> None:
    await account(a_town, "former", "unit_head", "drainage")
    await a_town.rows("UPDATE accounts SET retired_at = $1 WHERE username = 'former'", START)
    number, level = await urgent_level(a_town)
    for to in ("13812345678", "former", "nobody"):
        status, refused = await ack(a_town, level, HEAD, call={"to": to, "reached": True})
        assert (status, refused["field"]) == (400, "call.to")
    assert await events(a_town, number, "called", "acknowledged") == []


async def test_the_same_request_again_logs_no_second_call(a_town: Town) -> None:
    number, level = await urgent_level(a_town)
    tried = {"to": "drainage", "reached": False}
    assert await ack(a_town, level, HEAD, key="k1", call=tried) == await ack(a_town, level, HEAD, key="k1", call=tried)
    assert len(await events(a_town, number, "called")) == 1
    assert (await ack(a_town, level, HEAD, key="k1", call=REACHED))[0] == 422


async def test_the_schema_lets_no_demanded_call_be_left_out(a_town: Town) -> None:
    _, level = await urgent_level(a_town)
    with pytest.raises(Exception, match="demanded_call_reached_somebody"):
        await a_town.rows("UPDATE escalations SET acked_by = 'x', acked_at = $2 WHERE id = $1", level, DUE)


async def test_an_ordinary_level_needs_no_call_and_keeps_one_that_is_sent(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    (close,) = await clocks_of(a_town, number, "close")
    await fire_at(a_town, close["due_at"])
    found = await levels(a_town, number, "close", close["unit"])
    first = next(each for each in found if each["level"] == 1)
    status, tried = await ack(a_town, first["id"], SUPERVISOR, call={"to": "hotline", "reached": False})
    assert (status, tried["acked_by"], len(tried["calls"])) == (200, None, 1)
    status, done = await ack(a_town, first["id"], SUPERVISOR)
    assert (status, done["acked_by"], done["call_demanded"]) == (200, SUPERVISOR.name, False)
