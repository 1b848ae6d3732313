"""Emergency mode: one command, at once for what is reported, in chunks for what is open, and taken back when it is over."""

from datetime import timedelta
from typing import Any

import pytest

from dispatch.casework.sweeping import AGAIN, HEARD
from dispatch.city.emergencies import PEACE
from tests.harness.town import START, Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import COMMANDER, DISPATCHER, SUPERVISOR
from tests.integration.casework.walks import opened
from tests.integration.emergency.orders import (
    DISTRICT,
    LITTER,
    REASON,
    audited,
    end,
    here,
    litter,
    looked_at,
    overtaken,
    post,
    start,
    state_of,
    there,
    whole,
)


async def test_a_rainstorm_in_one_district(a_town: Town) -> None:
    inside, outside = [await litter(a_town, here(n)) for n in range(3)], await litter(a_town, there(0))
    other_kind = await opened(a_town, category="S090401", text="路灯不亮", location=here(4))
    before = {number: await state_of(a_town, number) for number in (*inside, outside, other_kind)}
    clocks = await looked_at(a_town, {})
    made = await start(a_town, areas=[DISTRICT], limits={"close": "4h", "reply": "2h"})
    assert (made["state"], made["total"], made["done"], made["swept"]) == ("started", 3, 0, False)
    # At once for what is reported from now on.
    _, new = await a_town.send(report(**LITTER, location=here(5)))
    assert new["priority"]["urgency"] == "critical"
    assert {d["deadline"]: d["limit"] for d in new["deadlines"]}.items() >= {("close", "4h"), ("reply", "2h")}
    _, elsewhere = await a_town.send(report(**LITTER, location=there(1)))
    assert elsewhere["priority"]["urgency"] == "ordinary"
    assert [(await state_of(a_town, number))["urgency"] for number in inside] == ["ordinary"] * 3
    # What is open comes after.
    assert await a_town.sweep() == 3
    for number in inside:
        case = await state_of(a_town, number)
        assert (case["urgency"], case["version"]) == ("critical", before[number]["version"] + 1)
        (close,) = await clocks_of(a_town, number, "close")
        assert close["due_at"] == close["started_at"] + timedelta(hours=4)
        assert close["rule"] == f"emergency:{made['id']}"
        assert (await events_of(a_town, number)).count("emergency_raised") == 1
    for number in (outside, other_kind):
        assert await state_of(a_town, number) == before[number]
    status, shown = await a_town.get(f"/emergencies/{made['id']}", SUPERVISOR)
    assert (status, shown["state"], shown["done"], shown["total"], shown["swept"]) == (200, "swept", 3, 3, True)
    assert await a_town.sweep() == 0
    assert await audited(a_town) == [(COMMANDER.name, "emergency.start", f"emergency:{made['id']}")]
    await looked_at(a_town, clocks)


async def test_why_a_case_is_urgent_and_its_clocks_are_short_is_explained(a_town: Town) -> None:
    old = await litter(a_town, here(0))
    made = await start(a_town, limits={"close": "4h"})
    await a_town.sweep()
    new = await litter(a_town, here(1))
    for number in (old, new):
        _, why = await a_town.get(f"/cases/{number}/explain", SUPERVISOR)
        (stood,) = why["emergencies"]
        assert (stood["emergency"], stood["urgency"], stood["base"]) == (made["id"], "critical", "ordinary")
        _, clocks = await a_town.get(f"/cases/{number}/deadlines/explain", SUPERVISOR)
        (close,) = [each for each in clocks["deadlines"] if each["clock"] == "close"]
        assert (close["rule"], close["slices"] != []) == (f"emergency:{made['id']}", True)
    _, record = await a_town.get(f"/cases/{old}/events?limit=50", SUPERVISOR)
    (raised,) = [event for event in record["items"] if event["type"] == "emergency_raised"]
    assert raised["data"] == {"emergency": made["id"], "before": "ordinary", "after": "critical"}


async def test_what_ends_earlier_anyway_keeps_its_limit_and_what_is_given_or_missed_stays(a_town: Town) -> None:
    given = await litter(a_town, here(1), due_at="2026-11-20T18:00:00+08:00")
    missed = await litter(a_town, here(2))
    a_town.clock.travel(timedelta(hours=7))
    await a_town.fire()
    (gone,) = await clocks_of(a_town, missed, "close")
    levels = await a_town.rows("SELECT deadline_id, level FROM escalations ORDER BY id")
    assert gone["status"] == "missed"
    short = await opened(a_town, category="E0506", location=here(0))
    clocks = await looked_at(a_town, {})
    before = {number: (await clocks_of(a_town, number, "close"))[0] for number in (short, given)}
    await start(a_town, categories=["event"], limits={"close": "24h"})
    await a_town.sweep()
    assert (await clocks_of(a_town, short, "close"))[0]["due_at"] == before[short]["due_at"]
    assert (await clocks_of(a_town, given, "close"))[0]["due_at"] == before[given]["due_at"]
    (still,) = await clocks_of(a_town, missed, "close")
    assert (still["status"], still["due_at"], still["limit_text"]) == ("missed", gone["due_at"], gone["limit_text"])
    await a_town.fire()
    fired = await a_town.rows("SELECT deadline_id, level FROM escalations ORDER BY id")
    assert fired[: len(levels)] == levels
    assert len({tuple(row) for row in fired}) == len(fired)
    await looked_at(a_town, clocks)


async def test_what_was_suspended_stays_so_and_its_clock_is_shorter_behind_the_pause(a_town: Town) -> None:
    number = await opened(a_town, category="E0113", text="有人乱挖绿地", location=here(0))
    unit = principal("handler", (await state_of(a_town, number))["owner_unit"])
    assert (await a_town.act(number, "sign", unit))[0] == 200
    until = "2026-11-19T10:00:00+08:00"
    assert (await a_town.act(number, "suspend", SUPERVISOR, **BODY["suspend"] | {"until": until}))[0] == 200
    (before,) = await clocks_of(a_town, number, "close")
    made = await start(a_town, limits={"close": "6h"})
    await a_town.sweep()
    (after,) = await clocks_of(a_town, number, "close")
    assert (await state_of(a_town, number))["state"] == "suspended"
    assert after["adjustments"] == before["adjustments"]
    assert after["due_at"] == START + timedelta(days=1, hours=6)
    await end(a_town, made["id"])
    await a_town.sweep()
    assert (await clocks_of(a_town, number, "close"))[0]["due_at"] == before["due_at"]
    await looked_at(a_town, {})


async def given_to(town: Town, number: str) -> list[tuple[object, ...]]:
    """Limit and end of the clocks that a case is measured by."""
    clocks = [(await clocks_of(town, number, name))[0] for name in ("close", "reply")]
    return [(each["due_at"], each["limit_text"], each["mode"], each["rule"]) for each in clocks]


async def test_the_end_gives_back_what_would_be_without_it(a_town: Town) -> None:
    old = await litter(a_town, here(0))
    before = await given_to(a_town, old)
    made = await start(a_town, limits={"close": "4h", "reply": "2h", "sign": "10min"})
    await a_town.sweep()
    new = await litter(a_town, here(1))
    a_town.clock.travel(timedelta(minutes=11))
    await a_town.fire()
    levels = await a_town.rows("SELECT deadline_id, level FROM escalations ORDER BY id")
    assert levels
    clocks = await looked_at(a_town, {})
    ended = await end(a_town, made["id"])
    assert (ended["state"], ended["total"], ended["done"]) == ("ended", 2, 0)
    _, later = await a_town.send(report(**LITTER, location=here(2)))
    assert later["priority"]["urgency"] == "ordinary"
    assert await a_town.sweep() == 2
    for number in (old, new):
        assert (await state_of(a_town, number))["urgency"] == "ordinary"
        assert (await events_of(a_town, number)).count("emergency_lowered") == 1
        assert {sign["status"] for sign in await clocks_of(a_town, number, "sign")} == {"missed"}
    assert await given_to(a_town, old) == before
    assert await a_town.rows("SELECT deadline_id, level FROM escalations ORDER BY id") == levels
    assert (await end(a_town, made["id"]))["ended_at"] == ended["ended_at"]
    assert [action for _, action, _ in await audited(a_town)] == ["emergency.start", "emergency.end"]
    await looked_at(a_town, clocks)


async def test_what_a_person_said_meanwhile_stays(a_town: Town) -> None:
    lower, same, kind, plain = [await litter(a_town, here(n)) for n in range(4)]
    made = await start(a_town, urgency="urgent")
    await a_town.sweep()
    said: list[tuple[str, dict[str, Any]]] = [
        (lower, {"urgency": "ordinary"}),
        (same, {"urgency": "urgent"}),
        (kind, {"category": "E0113"}),
    ]
    for number, body in said:
        assert (await a_town.act(number, "reclassify", DISPATCHER, note="核实过", **body))[0] == 200
    # Nor does a later pass raise what a person lowered.
    a_town.clock.travel(AGAIN)
    await a_town.sweep()
    assert (await state_of(a_town, lower))["urgency"] == "ordinary"
    await end(a_town, made["id"])
    await a_town.sweep()
    assert [(await state_of(a_town, number))["urgency"] for number in (lower, same, kind, plain)] == [
        "ordinary", "urgent", "ordinary", "ordinary",
    ]  # fmt: skip
    assert (await state_of(a_town, kind))["category"] == "E0113"
    await looked_at(a_town, {})


@pytest.mark.parametrize(("first", "last"), [("urgent", "critical"), ("critical", "urgent")])
async def test_of_two_emergencies_the_higher_counts_and_each_ends_alone(a_town: Town, first: str, last: str) -> None:
    old = await litter(a_town, here(0))
    one = await start(a_town, urgency=first, limits={"close": "3h"})
    await a_town.sweep()
    two = await start(a_town, urgency=last, areas=[DISTRICT], limits={"close": "5h"})
    await a_town.sweep()
    new = await litter(a_town, here(1))

    async def stand() -> set[tuple[str, str]]:
        return {
            ((await state_of(a_town, number))["urgency"], (await clocks_of(a_town, number, "close"))[0]["limit_text"])
            for number in (old, new)
        }

    assert await stand() == {("critical", "3h")}
    await end(a_town, one["id"])
    await a_town.sweep()
    assert await stand() == {(last, "5h")}
    await end(a_town, two["id"])
    await a_town.sweep()
    assert await stand() == {("ordinary", "4wh")}
    await looked_at(a_town, {})


async def test_a_person_overrules_every_emergency_there_was_and_none_that_comes(a_town: Town) -> None:
    number = await litter(a_town, here(0))
    one, two = [await start(a_town, urgency=urgency) for urgency in ("urgent", "critical")]
    await a_town.sweep()
    assert (await a_town.act(number, "reclassify", DISPATCHER, note="核实过", urgency="ordinary"))[0] == 200
    await end(a_town, two["id"])
    await a_town.sweep()
    assert (await state_of(a_town, number))["urgency"] == "ordinary"
    three = await start(a_town, urgency="critical")
    await a_town.sweep()
    assert (await state_of(a_town, number))["urgency"] == "critical"
    await end(a_town, three["id"])
    await a_town.sweep()
    assert (await state_of(a_town, number))["urgency"] == "ordinary"
    assert one["id"] < two["id"] < three["id"]


async def test_a_dry_run_counts_what_then_happens_and_writes_nothing(a_town: Town) -> None:
    inside = [await litter(a_town, here(n)) for n in range(3)]
    await litter(a_town, there(0))
    suspect = await litter(a_town, here(4), kind="tipoff")
    order = {"areas": [DISTRICT], "limits": {"close": "4h", "reply": "20min"}}
    a_town.clock.travel(timedelta(minutes=21))
    before = await whole(a_town)
    foreseen = await start(a_town, dry_run=True, **order)
    assert await whole(a_town) == before
    assert (foreseen["cases"], foreseen["by_urgency"], foreseen["by_state"]) == (4, {"ordinary": 4}, {"to_sign": 4})
    assert sum(foreseen["by_unit"].values()) == 4
    assert foreseen["first"] == inside  # and not the number of the restricted one
    made = await start(a_town, **order)
    due = {row["id"]: row["due_at"] for row in await a_town.rows("SELECT id, due_at FROM deadlines")}
    await a_town.sweep()
    moved = [(due[row["id"]], row["due_at"]) for row in await a_town.rows("SELECT id, due_at FROM deadlines")]
    assert sum(after < was for was, after in moved) == foreseen["earlier"] > foreseen["overdue"] > 0
    assert sum(after <= a_town.clock.at < was for was, after in moved) == foreseen["overdue"]
    assert (await state_of(a_town, suspect))["urgency"] == "critical"
    before = await whole(a_town)
    back = await end(a_town, made["id"], dry_run=True)
    assert await whole(a_town) == before
    assert (back["cases"], back["by_urgency"], back["earlier"], back["later"]) == (
        4,
        {"critical": 4},
        0,
        foreseen["earlier"],
    )
    await end(a_town, made["id"])
    due = {row["id"]: row["due_at"] for row in await a_town.rows("SELECT id, due_at FROM deadlines")}
    await a_town.sweep()
    after = await a_town.rows("SELECT id, due_at FROM deadlines")
    assert sum(row["due_at"] > due[row["id"]] for row in after) == back["later"]


async def test_what_comes_to_be_covered_later_is_found_in_a_later_pass(a_town: Town) -> None:
    number = await opened(a_town, category=None, text="这里有件事情说不清楚要找谁", location=here(0))
    made = await start(a_town, limits={"close": "4h"})
    await a_town.sweep()
    assert (await a_town.act(number, "reclassify", DISPATCHER, note="是垃圾", category="E0110"))[0] == 200
    assert await a_town.sweep() == 0
    a_town.clock.travel(AGAIN)
    assert await a_town.sweep() == 1
    assert (await state_of(a_town, number))["urgency"] == "critical"
    _, shown = await a_town.get(f"/emergencies/{made['id']}", COMMANDER)
    assert (shown["done"], shown["total"]) == (1, 1)
    await end(a_town, made["id"])
    await a_town.sweep()
    assert (await state_of(a_town, number))["urgency"] == "ordinary"
    await looked_at(a_town, {})


async def test_whoever_acts_before_having_heard_is_put_right_by_a_second_look(a_town: Town) -> None:
    number = await litter(a_town, here(0))
    made = await start(a_town, urgency="urgent", limits={"reply": "1h"})
    await a_town.sweep()
    in_force = a_town.services.cities.current
    with overtaken(a_town, PEACE):
        body: dict[str, Any] = {"unit": "water-affairs", "note": "改派", "reason_code": "need_info"}
        status, answer = await a_town.act(number, "redispatch", DISPATCHER, **body)
        assert status == 200, answer
        assert (await clocks_of(a_town, number, "reply"))[-1]["limit_text"] != "1h"
    assert a_town.services.cities.current is in_force
    a_town.clock.travel(max(HEARD, AGAIN))
    await a_town.sweep()
    assert (await clocks_of(a_town, number, "reply"))[-1]["limit_text"] == "1h"
    assert (await events_of(a_town, number)).count("emergency_raised") == 1
    with_it = a_town.services.cities.current.emergencies
    await end(a_town, made["id"])
    await a_town.sweep()
    with overtaken(a_town, with_it):
        assert (await a_town.act(number, "redispatch", DISPATCHER, **(body | {"unit": "gardens"})))[0] == 200
        assert (await clocks_of(a_town, number, "reply"))[-1]["limit_text"] == "1h"
    assert await a_town.sweep() == 0
    a_town.clock.travel(HEARD)
    assert await a_town.sweep() == 1
    assert (await clocks_of(a_town, number, "reply"))[-1]["limit_text"] != "1h"
    assert (await events_of(a_town, number)).count("emergency_lowered") == 1
    a_town.clock.travel(HEARD)
    assert await a_town.sweep() == 0
    await looked_at(a_town, {})


async def test_a_report_that_was_prepared_before_is_taken_in_as_it_is_now(a_town: Town) -> None:
    await start(a_town)
    with overtaken(a_town, PEACE, back=False):
        _, new = await a_town.send(report(**LITTER, location=here(0)))
    assert new["priority"]["urgency"] == "critical"


async def test_only_a_commander_orders_and_only_what_the_city_knows(a_town: Town) -> None:
    body = {"categories": ["E01"], "reason": REASON}
    status, refused = await post(a_town, "", SUPERVISOR, **body)
    assert (status, refused["permission"]) == (403, "emergency.manage")
    for wrong, field in (
        ({"categories": ["Z9"]}, "categories[0]"), ({"categories": []}, "categories"), ({"areas": ["9901", "1"]}, "areas[1]"),
        ({"limits": {"close": "4小时"}}, "limits.close"), ({"reason": "联系13812345678"}, "reason"), ({"reason": " "}, "reason"),
        ({"expected_end": "2026-11-17T00:00:00+08:00"}, "expected_end"), ({"incident": 7}, "incident"),
        ({"urgency": "ordinary"}, "urgency"),
    ):  # fmt: skip
        for dry_run in (False, True):
            status, refused = await post(a_town, "", **(body | wrong | {"dry_run": dry_run}))
            assert (status, refused.get("field")) == (400, field), refused
    assert (await post(a_town, "/77/end"))[0] == 404
    assert await a_town.value("SELECT count(*) FROM emergencies") == 0
