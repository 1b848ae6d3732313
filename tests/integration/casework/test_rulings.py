"""Returns, disputes and rulings: who returned what, who decides, and how long nobody leads at most."""

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.pictures import PDF, add
from tests.harness.town import Town, principal, report
from tests.integration.casework.always import BEYOND_THE_BOUND
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, SUPERVISOR, WHO
from tests.integration.casework.walks import brought, opened


async def lead_of(town: Town, number: str) -> Any:
    rows = await town.rows(
        "SELECT a.* FROM assignments a JOIN cases c ON c.lead_assignment_id = a.id WHERE c.case_no = $1", number
    )
    return rows[0] if rows else None


async def test_a_return_comes_inside_its_window_with_words_and_what_its_reason_asks_for(a_town: Town) -> None:
    number = await opened(a_town, category="E0110", assigned_unit="drainage", caller=CITIZEN)
    assert (await a_town.act(number, "return", HANDLER, reason_code="need_info"))[1]["field"] == "note"
    shown: dict[str, Any] = {"reason_code": "other_owner", "unit": "gas", "note": "权属燃气公司"}
    assert (await a_town.act(number, "return", HANDLER, **shown))[1]["field"] == "evidence"
    _, paper = await add(a_town, number, HANDLER, PDF)
    a_town.clock.travel(timedelta(days=10))
    status, problem = await a_town.act(number, "return", HANDLER, **shown, evidence=[paper["file_id"]])
    assert (status, problem["type"]) == (409, "/problems/rule-broken")
    assert "allowed_actions" in problem


async def test_the_second_return_goes_to_ruling_and_the_unit_named_cannot_return(a_town: Town) -> None:
    number = await brought(a_town, "returned")
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas"))[0] == 200
    gas = principal("handler", "gas")
    status, after = await a_town.act(number, "return", gas, **BODY["return"])
    assert (status, after["state"]) == (200, "ruling")
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert [each["unit"] for each in case["returns"]] == ["drainage", "gas"]
    assert (await a_town.act(number, "rule", SUPERVISOR, unit="drainage"))[1]["field"] == "note"
    status, after = await a_town.act(number, "rule", SUPERVISOR, unit="drainage", note="按权属裁定")
    assert (status, after["state"]) == (200, "to_sign")
    assert (await lead_of(a_town, number))["return_locked"] is True
    status, problem = await a_town.act(number, "return", HANDLER, **BODY["return"])
    assert (status, problem["type"]) == (409, "/problems/rule-broken")
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="gas", note="x"))[0] == 409
    (proposal,) = (await a_town.get("/duty/proposals", SUPERVISOR))[1]["items"]
    assert (proposal["to_unit"], proposal["from_units"], proposal["status"]) == ("drainage", ["gas"], "open")
    _, counted = await a_town.get("/stats/disputes?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z", SUPERVISOR)
    assert [(row["from_unit"], row["to_unit"], row["count"]) for row in counted["settled"]] == [("gas", "drainage", 1)]


async def test_act_first_and_discuss_later(a_town: Town) -> None:
    number = await brought(a_town, "ruling")
    assert (await a_town.act(number, "interim", DISPATCHER, unit="drainage", note="x"))[0] == 409  # it returned it
    assert (await a_town.act(number, "interim", DISPATCHER, **BODY["interim"]))[0] == 200
    water = principal("handler", "water-affairs")
    assert (await a_town.act(number, "return", water, **BODY["return"]))[0] == 409
    assert (await a_town.act(number, "sign", water))[0] == 200
    assert [d["status"] for d in await clocks_of(a_town, number, "ruling")] == ["running"]
    a_town.clock.travel(timedelta(hours=1))
    _, held = await a_town.get(f"/cases/{number}/stages", SUPERVISOR)
    assert any(each["disputed"] for each in held["stretches"])
    assert sum(each["seconds"] for each in held["by_stage"]) == held["total_seconds"]
    status, after = await a_town.act(number, "rule", SUPERVISOR, unit="water-affairs", note="确认")
    assert (status, after["state"]) == (200, "handling")
    lead = await lead_of(a_town, number)
    assert (lead["interim"], lead["return_locked"]) == (False, True)
    assert (await a_town.act(number, "rule", SUPERVISOR, unit="gas", note="x"))[0] == 409  # nobody asks any more


async def test_two_months_of_kicking_the_ball_cannot_be_played(a_town: Town) -> None:
    """踢皮球两个月: every unit returns as long as it can and nobody decides; somebody leads all the same, bound to it."""
    number = await opened(a_town, category="E0110", assigned_unit="drainage", caller=CITIZEN)
    (close,) = await clocks_of(a_town, number, "close")
    without = timedelta()
    for _ in range(60 * 8):
        lead = await lead_of(a_town, number)
        if lead is not None:
            await a_town.act(number, "return", principal("handler", lead["unit"]), **BODY["return"])
        elif await a_town.value("SELECT state FROM cases") == "returned":
            gave_back = {
                row["unit"] for row in await a_town.rows("SELECT unit FROM assignments WHERE state = 'returned'")
            }
            unit = next(u for u in ("gas", "housing", "transport") if u not in gave_back)
            await a_town.act(number, "dispatch", DISPATCHER, unit=unit)
        if await lead_of(a_town, number) is None:
            without += timedelta(hours=3)
        a_town.clock.travel(timedelta(hours=3))
        await a_town.fire()
        assert await a_town.rows(BEYOND_THE_BOUND, a_town.clock.at) == []
    lead = await lead_of(a_town, number)
    assert (lead["unit"], lead["interim"], lead["return_locked"]) == ("coordination", True, True)
    assert await a_town.value("SELECT count(*) FROM assignments WHERE state = 'returned' AND role = 'lead'") == 2
    assert without <= timedelta(days=2)
    (again,) = await clocks_of(a_town, number, "close")
    assert (again["started_at"], again["due_at"]) == (close["started_at"], close["due_at"])


@pytest.mark.parametrize("state", ["triage", "received", "verifying", "consulting", "returned", "ruling", "need_info"])
async def test_whatever_a_case_waits_for_somebody_leads_past_the_limit_of_the_ruling(a_town: Town, state: str) -> None:
    number = await brought(a_town, state)
    for _ in range(70):
        a_town.clock.travel(timedelta(hours=3))
        await a_town.fire()
        assert await a_town.rows(BEYOND_THE_BOUND, a_town.clock.at) == []
    lead = await lead_of(a_town, number)
    assert (lead["unit"], lead["interim"]) == ("coordination", True)
    assert "appointed" in await events_of(a_town, number)
    status, after = await a_town.act(number, "rule", SUPERVISOR, unit="water-affairs", note="裁定")
    assert (status, after["state"]) == (200, "to_sign")


async def test_facts_that_come_after_the_limit_for_dispatch_ask_for_a_ruling_at_once(a_town: Town) -> None:
    """While they were awaited nothing asked for one; the desk had its limit all the same."""
    number = await brought(a_town, "need_info")
    (dispatch,), (asked,) = await clocks_of(a_town, number, "dispatch"), await clocks_of(a_town, number, "need_info")
    a_town.clock.travel(dispatch["due_at"] - a_town.clock.at + timedelta(hours=12))
    await a_town.fire()
    assert a_town.clock.at < asked["due_at"]
    assert await clocks_of(a_town, number, "ruling") == []
    url = f"{a_town.url}/api/v1/reports/{await receipt_of(a_town, number)}/supplements"
    async with a_town.http.post(url, json={"text": "在三号楼"}, headers=a_town.acts_as(WHO["accept"])) as answer:
        assert answer.status == 201
    assert [d["status"] for d in await clocks_of(a_town, number, "ruling")] == ["running"]
    assert "ruling_asked" in await events_of(a_town, number)
    assert await a_town.rows(BEYOND_THE_BOUND, a_town.clock.at) == []


async def test_on_the_border_the_first_receiver_leads_until_it_is_ruled(a_town: Town) -> None:
    """边界道路: both areas are shown, and saying that it is the neighbour's is a dispute and no return."""
    number = await opened(a_town, category="E0110", caller=CITIZEN)
    unit = (await lead_of(a_town, number))["unit"]
    other = await a_town.value(
        "SELECT area FROM units u JOIN (SELECT $1::text AS area) a ON true LIMIT 1", "990101002001"
    )
    await a_town.rows("UPDATE cases SET border = ARRAY[$1::text]", other)
    worker = principal("handler", unit)
    told: dict[str, Any] = {"reason_code": "not_our_area", "unit": "s-990101002", "note": "路对面是文庙街道"}
    status, after = await a_town.act(number, "return", worker, **told)
    assert (status, after["state"]) == (200, "to_sign")
    lead = await lead_of(a_town, number)
    assert (lead["unit"], lead["interim"], lead["return_locked"]) == (unit, True, True)
    assert [d["status"] for d in await clocks_of(a_town, number, "ruling")] == ["running"]
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert case["border"] == [other]
    assert (await a_town.act(number, "rule", SUPERVISOR, unit=unit, note="首接负责"))[0] == 200


async def test_near_a_border_a_report_shows_both_areas(a_town: Town) -> None:
    city = a_town.services.cities.current
    here = next(c for c in city.map.cells if c.area == "990101001001")
    west, _, east, _ = here.polygon.bounds
    found = set()
    for step in range(60):
        lon, lat = west + (east - west) * step / 10, here.polygon.centroid.y
        _, answer = await a_town.send(report(category="E0110", location={"lon": lon, "lat": lat}))
        found.add(tuple(await a_town.value("SELECT border FROM cases WHERE case_no = $1", answer["case_no"])))
    assert any(found)


async def test_a_proposal_is_decided_once(a_town: Town) -> None:
    number = await brought(a_town, "ruling")
    assert (await a_town.act(number, "rule", WHO["rule"], **BODY["rule"]))[0] == 200
    (made,) = (await a_town.get("/duty/proposals?status=open", SUPERVISOR))[1]["items"]
    url = f"{a_town.url}/api/v1/duty/proposals/{made['id']}/decide"
    for accept in (True, False):
        async with a_town.http.post(url, json={"accept": accept}, headers=a_town.acts_as(SUPERVISOR)) as answer:
            assert (answer.status, (await answer.json())["status"]) == (200, "accepted")
