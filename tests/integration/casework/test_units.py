"""Inside a unit, below it, above it and beside it: whose hands, parts, levels, the whistle, what comes from above."""

from datetime import timedelta
from typing import Any

import pytest

from dispatch.casework import handover
from tests.harness.town import REPLY, Town, principal, report
from tests.integration.casework.bodies import BODY, GOOD
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import (
    CITIZEN,
    DISPATCHER,
    FOLLOWUP,
    HANDLER,
    HEAD,
    REVIEWER,
    SUPERVISOR,
    WHO,
    account,
    leave,
)
from tests.integration.casework.test_dispatch_desk import tasks_of
from tests.integration.casework.walks import brought, elsewhere, opened

STREET, COMMUNITY = "s-990101001", "c-990101001001"
CHIEF = principal("unit_head", STREET)


async def at_street(town: Town, **fields: Any) -> str:
    number = await opened(town, **({"assigned_unit": STREET, "category": "E0110", "caller": CITIZEN} | fields))
    assert (await town.act(number, "sign", principal("handler", STREET)))[0] == 200
    return number


async def test_a_task_is_given_to_a_person_or_to_who_stands_in(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for name in ("w1", "w2"):
        await account(a_town, name, "handler", "drainage")
    await account(a_town, "elsewhere", "handler", "gas")
    for nobody in ("elsewhere", "no-such"):
        assert (await a_town.act(number, "assign", HEAD, account=nobody))[1]["field"] == "account"
    assert (await a_town.act(number, "assign", HEAD, account="w1"))[0] == 200
    await leave(a_town, "w1", a_town.clock.at, a_town.clock.at + timedelta(days=2), "w2")
    _, mine = await a_town.get("/tasks/mine", principal("handler", "drainage", name="w2"))
    assert [(row["case_no"], row["for"]) for row in mine["items"]] == [(number, "w1")]
    await a_town.rows("UPDATE cases SET about_unit = 'drainage'")
    assert (await a_town.get("/tasks/mine", principal("handler", "drainage", name="w2")))[1]["items"] == []
    await a_town.rows("UPDATE cases SET about_unit = NULL")
    assert (await a_town.act(number, "assign", HEAD, account="w1"))[0] == 200
    assert await a_town.value("SELECT handler FROM assignments WHERE role = 'lead'") == "w2"


async def test_parts_go_down_the_tree_inside_the_limit_and_the_lead_stays_answerable(a_town: Town) -> None:
    number = await at_street(a_town)
    below = principal("handler", COMMUNITY)
    assert (await a_town.act(number, "delegate", CHIEF, units=["gas"], note="x"))[1]["field"] == "units"
    assert (await a_town.act(number, "delegate", CHIEF, units=[COMMUNITY], note="x", limit="900h"))[1][
        "field"
    ] == "limit"
    assert (await a_town.act(number, "delegate", CHIEF, units=[COMMUNITY], note="请处置", limit="1h"))[0] == 200
    assert (await a_town.act(number, "reply", principal("handler", STREET), note="x"))[0] == 409
    for action in ("sign", "reply"):
        assert (await a_town.act(number, action, below, **BODY[action]))[0] == 200
    child = await a_town.value("SELECT id FROM assignments WHERE role = 'child'")
    version = await a_town.value("SELECT version FROM assignments WHERE id = $1", child)
    told = {"assignment": child, "note": "照片看不清"}
    assert (await a_town.act(number, "redo", CHIEF, version=version, **told))[0] == 200
    assert (await a_town.act(number, "reply", principal("handler", STREET), note="x"))[0] == 409
    assert (await a_town.act(number, "return", below, **BODY["return"]))[0] == 200
    _, inbox = await a_town.get("/notices", principal("handler", STREET))
    assert "returned" in [n["topic"] for n in inbox["items"]]
    assert (await a_town.act(number, "reply", principal("handler", STREET), **REPLY))[0] == 200


async def test_a_part_without_a_limit_of_its_own_ends_with_the_task(a_town: Town) -> None:
    number = await at_street(a_town)
    (whole,) = await clocks_of(a_town, number, "reply")
    a_town.clock.travel(timedelta(hours=1))  # a limit that starts now would end later
    assert (await a_town.act(number, "delegate", CHIEF, units=[COMMUNITY], note="请处置"))[0] == 200
    below = principal("handler", COMMUNITY)
    for action in ("sign", "reply"):
        assert (await a_town.act(number, action, below, **BODY[action]))[0] == 200
    child, version = tuple((await a_town.rows("SELECT id, version FROM assignments WHERE role = 'child'"))[0])
    told = {"assignment": child, "note": "照片看不清"}
    status, problem = await a_town.act(number, "redo", CHIEF, version=version, limit="900h", **told)
    assert (status, problem["field"]) == (409, "limit")
    assert (await a_town.act(number, "redo", CHIEF, version=version, **told))[0] == 200
    again = [d["due_at"] for d in await clocks_of(a_town, number, "reply") if d["assignment_id"] == child]
    assert again == [whole["due_at"], whole["due_at"]]


async def test_what_a_part_ends_with_stands_still_while_the_case_does(a_town: Town) -> None:
    number = await at_street(a_town)
    a_town.clock.travel(timedelta(hours=1))
    assert (await a_town.act(number, "delegate", CHIEF, units=[COMMUNITY], note="请处置"))[0] == 200
    until = a_town.clock.at + timedelta(days=30)
    assert (await a_town.act(number, "suspend", SUPERVISOR, **BODY["suspend"] | {"until": until.isoformat()}))[0] == 200
    whole, part = await clocks_of(a_town, number, "reply")
    assert until < whole["due_at"] == part["due_at"]


async def test_parts_of_a_co_operating_unit_go_on_when_the_lead_changes(a_town: Town) -> None:
    number = await at_street(a_town)
    assert (await a_town.act(number, "assist", DISPATCHER, unit="water-affairs", note="协办"))[0] == 200
    water = principal("unit_head", "water-affairs")
    assert (await a_town.act(number, "sign", principal("handler", "water-affairs")))[0] == 200
    assert (await a_town.act(number, "delegate", water, units=["drainage"], note="请排查管网"))[0] == 200
    assert (await a_town.act(number, "hand_up", CHIEF, note="需上级统筹"))[0] == 200
    live = [(role, unit) for role, unit, state in await tasks_of(a_town, number) if state in ("to_sign", "handling")]
    assert {("assist", "water-affairs"), ("child", "drainage")} < set(live)


async def test_who_gets_a_task_is_told_and_nobody_else(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for name in ("w1", "w2"):
        await account(a_town, name, "handler", "drainage")
    assert (await a_town.act(number, "assign", HEAD, account="w2"))[0] == 200
    told = await a_town.rows("SELECT recipient FROM notices WHERE topic = 'assigned' AND medium = 'inbox'")
    assert [row["recipient"] for row in told] == ["account:w2"]


async def test_a_part_that_is_taken_back_ends_with_its_clocks(a_town: Town) -> None:
    number = await at_street(a_town)
    assert (await a_town.act(number, "delegate", CHIEF, units=[COMMUNITY], note="请处置"))[0] == 200
    child = await a_town.value("SELECT id FROM assignments WHERE role = 'child'")
    assert (await a_town.act(number, "recall", CHIEF, version=1, assignment=child, note="本级办理"))[0] == 200
    assert (
        await a_town.value("SELECT count(*) FROM deadlines WHERE assignment_id = $1 AND stopped_at IS NULL", child) == 0
    )


async def test_up_and_down_the_levels_with_one_number_and_one_clock(a_town: Town) -> None:
    number = await at_street(a_town)
    (close,) = await clocks_of(a_town, number, "close")
    assert (await a_town.act(number, "hand_down", CHIEF, unit="gas", note="x"))[1]["field"] == "unit"
    assert (await a_town.act(number, "hand_down", CHIEF, unit=COMMUNITY, note="由社区处置"))[0] == 200
    assert (await a_town.act(number, "hand_up", principal("unit_head", COMMUNITY), note="权限不足"))[0] == 200
    assert (await a_town.act(number, "hand_down", CHIEF, unit=COMMUNITY, note="再去"))[0] == 409  # it handed it up
    district = await a_town.value("SELECT parent FROM units WHERE code = $1", STREET)
    for unit in (STREET, district):
        assert (await a_town.act(number, "hand_up", principal("unit_head", unit), note="需上级统筹"))[0] == 200
    status, _ = await a_town.act(number, "hand_up", principal("unit_head", "city"), note="x")
    assert status == 409
    assert [unit for _, unit, _ in await tasks_of(a_town, number) if _ is not None][-1] == "city"
    (again,) = await clocks_of(a_town, number, "close")
    assert (again["started_at"], again["due_at"], again["unit"]) == (close["started_at"], close["due_at"], "city")
    for unit in (STREET, district, "city"):  # whoever had it sees the whole way
        assert (await a_town.get(f"/cases/{number}", principal("handler", unit)))[0] == 200


async def test_a_street_whistles_and_departments_come(a_town: Town) -> None:
    number = await at_street(a_town)
    assert (await a_town.act(number, "whistle", CHIEF, units=["gas", "housing"], note="请到现场"))[0] == 200
    gas = principal("handler", "gas")
    assert (await a_town.act(number, "return", gas, **BODY["return"]))[0] == 409
    assert [d["unit"] for d in await clocks_of(a_town, number, "whistle")] == ["gas", "housing"]
    for action in ("sign", "reply"):
        assert (await a_town.act(number, action, gas, **BODY[action]))[0] == 200
    a_town.clock.travel(timedelta(days=5))
    await a_town.fire()
    _, page = await a_town.get("/stats/whistles?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z", SUPERVISOR)
    assert [(row["street"], row["department"], row["answered_in_time"]["value"]) for row in page["items"]] == [
        (STREET, "gas", 1.0), (STREET, "housing", 0.0),
    ]  # fmt: skip
    other = await brought(a_town, "handling", location={"lon": 116.22, "lat": 33.14})
    assert (await a_town.act(other, "whistle", HEAD, units=["gas"], note="x"))[0] == 409  # no street


async def test_nobody_leaves_before_their_work_is_handed_over(a_town: Town) -> None:
    for name in ("w1", "w2"):
        await account(a_town, name, "handler", "drainage")
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "assign", HEAD, account="w1"))[0] == 200
    accounts = a_town.services.people.accounts
    refused = None
    try:
        await accounts.retire("test", "w1")
    except Exception as refusal:
        refused = refusal
    assert "hand them over" in str(refused)
    url = f"{a_town.url}/api/v1/accounts/w1/handover"
    for who, expected in ((principal("unit_head", "gas"), 403), (HANDLER, 403), (HEAD, 200)):
        async with a_town.http.post(f"{url}?dry_run=true", json={"to": "w2"}, headers=a_town.acts_as(who)) as answer:
            assert answer.status == expected
    assert await a_town.value("SELECT handler FROM assignments WHERE role = 'lead'") == "w1"
    async with a_town.http.post(url, json={"to": "w2"}, headers=a_town.acts_as(HEAD)) as answer:
        assert (await answer.json())["moved"] == 1
    assert await a_town.value("SELECT handler FROM assignments WHERE role = 'lead'") == "w2"
    await accounts.retire("test", "w1")


async def test_the_security_administrator_hands_over_however_much_there_is(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "SWEEP", 2)
    for name in ("w1", "w2"):
        await account(a_town, name, "handler", "drainage")
    numbers = [await brought(a_town, "handling", location=elsewhere()) for _ in range(5)]
    for number in numbers:
        assert (await a_town.act(number, "assign", HEAD, account="w1"))[0] == 200
    headers = a_town.acts_as(principal("secadmin", "city"))
    async with a_town.http.post(
        f"{a_town.url}/api/v1/accounts/w1/handover", json={"to": "w2"}, headers=headers
    ) as answer:
        assert (answer.status, (await answer.json())["moved"]) == (200, 5)
    assert {row["handler"] for row in await a_town.rows("SELECT handler FROM assignments WHERE role = 'lead'")} == {
        "w2"
    }
    for number in numbers:
        assert (await events_of(a_town, number))[-1] == "handed_over"


async def test_what_came_from_above_is_closed_after_its_result_was_told(a_town: Town) -> None:
    made = report(source_ref={"system": "province", "number": "P-77"}, due_at="2026-12-20T18:00:00+08:00", caller=None)
    _, answer = await a_town.send(made)
    number = answer["case_no"]
    for action in ("sign", "reply"):
        assert (await a_town.act(number, action, HANDLER, **BODY[action]))[0] == 200
    status, after = await a_town.act(number, "approve", REVIEWER)
    assert (status, after["state"]) == (200, "followup")
    (owed,) = await clocks_of(a_town, number, "report_back")
    assert (owed["limit_text"], owed["due_at"].isoformat()) == ("given", "2026-12-20T10:00:00+00:00")
    status, problem = await a_town.act(number, "close", FOLLOWUP, **GOOD)
    assert (status, problem["field"]) == (409, "report_back")
    assert (await a_town.act(number, "report_back", FOLLOWUP, **BODY["report_back"]))[0] == 200
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD))[1]["state"] == "closed"
    _, case = await a_town.get(f"/cases/{number}", WHO["rule"])
    assert case["source_ref"] == {"system": "province", "number": "P-77"}


async def test_a_part_that_another_unit_was_given_is_taken_back_by_the_lead(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "divide", WHO["divide"], units=["gas"], note="分工"))[0] == 200
    child = await a_town.value("SELECT id FROM assignments WHERE role = 'child'")
    stranger = principal("unit_head", "housing")
    assert (await a_town.act(number, "recall", stranger, version=1, assignment=child, note="x"))[0] == 404
    assert (await a_town.act(number, "sign", HEAD, version=1, assignment=child))[0] == 404  # it is not theirs to sign
    assert (await a_town.act(number, "recall", HEAD, version=1, assignment=child, note="本单位自办"))[0] == 200
    assert (await a_town.act(number, "reply", HANDLER, **BODY["reply"]))[0] == 200


async def test_what_was_handed_up_is_no_return_on_the_way_to_a_ruling(a_town: Town) -> None:
    number = await at_street(a_town)
    assert (await a_town.act(number, "hand_up", CHIEF, note="需上级统筹"))[0] == 200
    district = await a_town.value("SELECT parent FROM units WHERE code = $1", STREET)
    status, after = await a_town.act(number, "return", principal("handler", district), **BODY["return"])
    assert (status, after["state"]) == (200, "returned")
