"""Levels that nobody acknowledges come before their own instant, and holidays swallow none of them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from tests.harness.town import START, Town
from tests.integration.casework.looking import ack, clocks_of, events, fire_at, levels, the_clock, told
from tests.integration.casework.people import CITIZEN, COMMANDER, HANDLER
from tests.integration.casework.walks import brought, opened

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REACHED = {"to": "drainage", "reached": True}
# The urgent ladder of the demo city: signed within 30 minutes; +30 min, +2 h; climbs after 15 and 30 minutes.
DUE = START + 30 * MINUTE


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
