"""Deadlines that act: warning, miss, ladder, review, acknowledgement, catching up."""

from datetime import datetime, timedelta

import pytest

from tests.harness.town import REPLY, START, Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import ack, clocks_of, events_of
from tests.integration.casework.people import (
    CITIZEN,
    COMMANDER,
    DISPATCHER,
    HANDLER,
    HEAD,
    REVIEWER,
    SUPERVISOR,
    WHO,
    account,
)
from tests.integration.casework.walks import brought, opened

REACHED = {"to": "drainage", "reached": True}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def fired(town: Town, clock: str, number: str) -> list[tuple[int, str, datetime]]:
    rows = await town.rows(
        "SELECT e.level, e.colour, e.planned_at FROM escalations e JOIN deadlines d ON d.id = e.deadline_id JOIN cases c ON c.id = e.case_id "
        "WHERE d.clock = $1 AND c.case_no = $2 AND d.unit = 'drainage' ORDER BY e.id",
        clock,
        number,
    )
    return [tuple(row) for row in rows]


async def test_an_urgent_task_climbs_the_ladder_at_the_planned_instants(a_town: Town) -> None:
    number = await opened(a_town)  # urgent: signed within 30 minutes, then +30 min, +2 h
    steps = [(24 * MINUTE, 0, "yellow"), (30 * MINUTE, 1, "blue"), (HOUR, 2, "orange"), (2.5 * HOUR, 3, "red")]
    for count, (after, level, colour) in enumerate(steps):
        a_town.clock.at = START + after - timedelta(seconds=1)
        await a_town.fire()
        assert len(await fired(a_town, "sign", number)) == count
        a_town.clock.at = START + after
        await a_town.fire()
        assert (await fired(a_town, "sign", number))[-1] == (level, colour, START + after)
        assert await a_town.fire() == 0
        # Acknowledged, a level leaves the next one at its own instant.
        for each in await a_town.rows("SELECT id FROM escalations WHERE acked_at IS NULL"):
            assert (await ack(a_town, each["id"], COMMANDER, call=REACHED))[0] == 200
    (clock,) = [c for c in await clocks_of(a_town, number, "sign") if c["unit"] == "drainage"]
    assert (clock["status"], clock["next_at"]) == ("missed", None)


async def test_after_days_of_downtime_every_step_is_taken_once_in_the_order_in_which_it_was_due(a_town: Town) -> None:
    numbers = [await opened(a_town), await brought(a_town, "triage", location={"lon": 116.198, "lat": 33.14})]
    planned = await a_town.value(
        "SELECT sum(jsonb_array_length(plan)) FROM deadlines WHERE clock <> 'close' AND stopped_at IS NULL"
    )
    a_town.clock.travel(30 * DAY)
    assert await a_town.fire() >= planned
    assert await a_town.fire() == 0
    assert await a_town.value("SELECT count(*) FROM escalations e WHERE fired_at <> $1", a_town.clock.at) == 0
    for number in numbers:
        rows = await a_town.rows(
            "SELECT convert_from(body, 'UTF8')::jsonb AS b FROM case_events e JOIN cases c ON c.id = e.case_id "
            "WHERE c.case_no = $1 AND e.type IN ('deadline_warned', 'deadline_missed', 'escalated') ORDER BY e.seq",
            number,
        )
        instants = await a_town.rows(
            "SELECT x.b->>'planned_at' AS p FROM unnest($1::jsonb[]) AS x(b)", [r["b"] for r in rows]
        )
        order = [datetime.fromisoformat(r["p"]) for r in instants]
        assert len(order) > 6
        assert order == sorted(order)
    # every step stands in the plan at the instant that is on record
    assert await a_town.value(
        "SELECT count(*) FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE NOT EXISTS "
        "(SELECT FROM jsonb_array_elements(d.plan) p WHERE (p->>'at')::timestamptz = e.planned_at AND (p->>'level')::int = e.level)"
    ) == 0  # fmt: skip


async def test_a_review_comes_back_each_working_day_until_a_person_decides(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    a_town.clock.at = START + 60 * DAY  # everything has climbed to its top
    await a_town.fire()
    a_town.clock.at = START + 100 * DAY  # the orders that its top levels issued, too
    await a_town.fire()
    first = len(await clocks_of(a_town, number, "review"))
    for count in range(first, first + 3):
        (*earlier, review) = await clocks_of(a_town, number, "review")
        assert (len(earlier) + 1, review["round"], review["status"]) == (count, count, "running")
        assert all(each["stopped_at"] is not None for each in earlier)
        a_town.clock.at = review["due_at"] - MINUTE
        assert await a_town.fire() == 0
        a_town.clock.at = review["due_at"]
        assert await a_town.fire() == 1
    assert (await a_town.act(number, "redispatch", DISPATCHER, **BODY["redispatch"]))[0] == 200
    assert {r["status"] for r in await clocks_of(a_town, number, "review")} == {"missed", "cancelled"}
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'review' AND stopped_at IS NULL") == 0


async def test_the_limit_of_a_stopped_clock_never_acts(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    a_town.clock.travel(3 * HOUR)
    await a_town.fire()
    assert await fired(a_town, "sign", number) == []
    assert (await a_town.act(number, "reply", HANDLER, **REPLY))[0] == 200
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    assert (await a_town.act(number, "close", WHO["close"], **BODY["close"]))[0] == 200
    before = await a_town.value("SELECT max(id) FROM escalations")
    a_town.clock.travel(100 * DAY)
    await a_town.fire()
    # Only what the late signature of others had ordered goes on.
    late = await a_town.rows(
        "SELECT DISTINCT d.clock FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE e.id > $1", before
    )
    assert {row["clock"] for row in late} == {"order", "unread"}


async def test_a_moved_deadline_acts_at_its_new_instant_only(a_town: Town) -> None:
    number = await opened(a_town)
    # What an approved extension will do: a later due instant with the same ladder.
    await a_town.rows(
        "WITH d AS (UPDATE deadlines SET due_at = due_at + interval '1 day', next_at = next_at + interval '1 day', plan = (SELECT jsonb_agg(p || "
        "jsonb_build_object('at', to_char((p->>'at')::timestamptz + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'))) "
        "FROM jsonb_array_elements(plan) p) WHERE stopped_at IS NULL RETURNING case_id, due_at) "
        "UPDATE cases SET next_due_at = (SELECT min(due_at) FROM d WHERE d.case_id = cases.id)"
    )
    a_town.clock.travel(2 * HOUR)
    assert await a_town.fire() == 0
    a_town.clock.at = START + DAY + 24 * MINUTE
    await a_town.fire()
    assert [level for level, _, _ in await fired(a_town, "sign", number)] == [0]


async def test_a_ladder_without_a_step_at_the_limit_still_says_that_it_was_missed(a_town: Town) -> None:
    number = await opened(a_town)
    await a_town.rows(
        "UPDATE deadlines SET plan = (SELECT jsonb_agg(p ORDER BY p->>'at') FROM jsonb_array_elements(plan) p WHERE p->>'level' IN ('0', '2')) "
        "WHERE clock = 'sign'"
    )
    a_town.clock.at = START + 31 * MINUTE
    await a_town.fire()
    (clock,) = [c for c in await clocks_of(a_town, number, "sign") if c["unit"] == "drainage"]
    assert clock["status"] == "missed"
    assert [level for level, _, _ in await fired(a_town, "sign", number)] == [0]
    a_town.clock.at = START + HOUR
    await a_town.fire()
    assert [level for level, _, _ in await fired(a_town, "sign", number)] == [0, 2]


async def test_an_escalation_is_acknowledged_once_by_who_may_see_it(a_town: Town) -> None:
    number = await opened(a_town)
    a_town.clock.travel(31 * MINUTE)
    await a_town.fire()
    _, page = await a_town.get("/escalations?level=1&waiting=true", SUPERVISOR)
    (level,) = [e for e in page["items"] if e["clock"] == "sign" and e["unit"] == "drainage"]

    assert (await ack(a_town, level["id"], HANDLER))[0] == 403
    assert (await ack(a_town, level["id"], principal("unit_head", "gas")))[0] == 404
    first, second = await ack(a_town, level["id"], HEAD, call=REACHED), await ack(a_town, level["id"], SUPERVISOR)
    assert first == second
    assert (first[0], first[1]["acked_by"]) == (200, "unit_head-drainage")
    assert (await events_of(a_town, number)).count("acknowledged") == 1
    _, page = await a_town.get("/escalations?level=1&waiting=true", SUPERVISOR)
    assert level["id"] not in {e["id"] for e in page["items"]}


@pytest.mark.parametrize("vacant", [False, True])
async def test_each_level_reaches_the_people_it_names(a_town: Town, vacant: bool) -> None:
    if not vacant:
        for name, role, unit in (("w1", "handler", "drainage"), ("h1", "unit_head", "drainage")):
            await account(a_town, name, role, unit)
    await account(a_town, "sup", "supervisor", "supervision")
    await account(a_town, "com", "commander", "city")
    await a_town.rows(
        "INSERT INTO webhooks (id, url, key_id, nonce, sealed) VALUES ('hook', 'http://127.0.0.1:9/', 'k', '', '')"
    )
    number = await opened(a_town, caller=CITIZEN)
    a_town.clock.at = START + 2.5 * HOUR
    await a_town.fire()
    rows = await a_town.rows(
        "SELECT body->>'level' AS level, recipient, medium FROM notices WHERE body->>'clock' = 'sign' AND event_seq IN "
        "(SELECT seq FROM case_events e WHERE convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage')"
    )
    told = {
        level: sorted(r["recipient"] for r in rows if r["level"] == level and r["medium"] == "inbox")
        for level in "0123"
    }
    worker, head = ("unit:drainage", "unit:drainage") if vacant else ("account:w1", "account:h1")
    assert told == {"0": [worker], "1": [head], "2": sorted([head, "account:sup"]), "3": ["account:com"]}
    hooks = [r for r in rows if r["medium"] == "webhook"]
    assert {(r["level"], r["recipient"]) for r in hooks} == {(level, "webhook:hook") for level in "0123"}
    _, page = await a_town.get("/escalations?level=3", COMMANDER)
    assert number in {e["case_no"] for e in page["items"]}


async def test_a_late_reply_leaves_no_case_on_which_nothing_acts(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN)
    a_town.clock.travel(40 * DAY)
    while await a_town.fire():
        pass
    # Long past every limit it goes to another unit, which does its task at once: then only exhausted clocks are left.
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="gas", note="改派"))[0] == 200
    gas = principal("handler", "gas")
    assert (await a_town.act(number, "sign", gas))[0] == 200
    assert (await a_town.act(number, "reply", gas, **REPLY))[0] == 200
    (review,) = [c for c in await clocks_of(a_town, number, "review") if c["status"] == "running"]
    assert review["unit"] == "dispatch"
    assert (await events_of(a_town, number))[-1] == "review_set"
    a_town.clock.travel(4 * DAY)
    assert await a_town.fire() > 0


async def test_what_is_pulled_late_is_looked_at_too(a_town: Town) -> None:
    number = await opened(a_town)
    a_town.clock.travel(40 * DAY)
    while await a_town.fire():
        pass
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="gas", note="改派"))[0] == 200
    await a_town.rows(
        "UPDATE deadlines SET next_at = NULL, status = 'missed' WHERE clock = 'reply' AND stopped_at IS NULL AND unit = 'gas'"
    )
    async with a_town.http.post(
        f"{a_town.url}/api/v1/units/gas/queue/pull",
        json={"count": 1},
        headers=a_town.acts_as(principal("handler", "gas")),
    ) as answer:
        assert answer.status == 200, await answer.text()
    assert (await events_of(a_town, number))[-1] == "review_set"


async def test_the_case_clock_is_read_anew_from_its_start_once_it_is_known_what_the_case_is(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    (before,) = await clocks_of(a_town, number, "close")
    a_town.clock.travel(10 * MINUTE)
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas", category="E0502"))[0] == 200
    (after,) = await clocks_of(a_town, number, "close")
    # A leak of gas: two hours that run through, from the minute in which somebody called.
    assert (before["limit_text"], after["limit_text"]) == ("5wd", "2h")
    assert (after["started_at"], after["due_at"]) == (before["started_at"], START + 2 * HOUR)
    assert await a_town.value("SELECT next_due_at FROM cases WHERE case_no = $1", number) <= after["due_at"]
    assert (await events_of(a_town, number))[-1] == "deadline_recomputed"
    a_town.clock.at = START + 2 * HOUR + MINUTE
    await a_town.fire()
    assert (await clocks_of(a_town, number, "close"))[0]["status"] == "missed"


async def test_levels_that_fired_stay_when_the_case_clock_is_read_anew_and_come_once(a_town: Town) -> None:
    levels_of = (
        "SELECT e.level, e.planned_at FROM escalations e JOIN deadlines d ON d.id = e.deadline_id"
        " WHERE d.clock = 'close' AND d.case_id = (SELECT id FROM cases WHERE case_no = $1) ORDER BY e.id"
    )
    number = await brought(a_town, "triage")
    (before,) = await clocks_of(a_town, number, "close")
    a_town.clock.at = before["due_at"] - MINUTE
    while await a_town.fire():
        pass
    warned = await a_town.rows(levels_of, number)
    assert [row["level"] for row in warned] == [0]
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas", category="E0502"))[0] == 200
    while await a_town.fire():
        pass
    levels = await a_town.rows(levels_of, number)
    assert levels[0] == warned[0]
    assert [row["level"] for row in levels] == list(range(len(levels)))
    assert len(levels) > 1
    assert (
        await a_town.value(
            "SELECT count(*) FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE NOT EXISTS ("
            "SELECT FROM jsonb_array_elements(d.plan) p WHERE (p->>'at')::timestamptz = e.planned_at AND (p->>'level')::int = e.level)"
        )
        == 0
    )


async def test_a_limit_that_a_superior_gave_stays_when_the_category_becomes_known(a_town: Town) -> None:
    relay = principal("replayer", "hotline", channels=frozenset({"history"}))
    due = START + 6 * HOUR
    _, answer = await a_town.send(
        report(
            channel="history", category=None, text="说不清的事", received_at=START.isoformat(), due_at=due.isoformat()
        ),
        relay,
    )
    assert (await a_town.act(answer["case_no"], "dispatch", DISPATCHER, unit="gas", category="E0502"))[0] == 200
    (close,) = await clocks_of(a_town, answer["case_no"], "close")
    assert (close["limit_text"], close["due_at"]) == ("given", due)


async def test_what_acted_is_sent_at_once_and_waits_for_no_poll(a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await opened(a_town)
    told = list[None]()
    monkeypatch.setattr(a_town.services.signals, "changed", lambda: told.append(None))
    await a_town.fire()
    assert not told
    a_town.clock.travel(timedelta(days=3))
    assert await a_town.fire()
    assert told
