"""Looking at the place before dispatch: the nearest collector, one visit for all who ask about the same."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.harness.town import Town, principal
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import DISPATCHER, SUPERVISOR, account
from tests.integration.casework.walks import brought, opened

NEAR = principal("collector", "dispatch", name="near")
FAR = principal("collector", "dispatch", name="far")


async def posted(town: Town, path: str, who: Any, **body: Any) -> tuple[int, Any]:
    async with town.http.post(f"{town.url}/api/v1{path}", json=body, headers=town.acts_as(who)) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


async def collectors(town: Town) -> None:
    for who, lon in ((NEAR, 116.191), (FAR, 116.25)):
        await account(town, who.name, "collector", "dispatch")
        assert (await posted(town, "/checks/position", who, lon=lon, lat=33.13))[0] == 204


async def test_the_nearest_collector_is_asked_and_the_result_brings_the_case_back(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "verifying")
    (mine,) = (await a_town.get("/checks", NEAR))[1]["items"]
    assert (mine["cases"], mine["account"]) == ([number], "near")
    assert (await a_town.get("/checks", FAR))[1]["items"] == []
    assert (await posted(a_town, f"/checks/{mine['id']}/result", FAR, result="found"))[0] == 404
    told = {"result": "found", "note": "积水约二十厘米"}
    status, answer = await posted(a_town, f"/checks/{mine['id']}/result", NEAR, **told)
    assert (status, answer["result"], answer["by_you"]) == (200, "found", True)
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "triage"
    assert [d["status"] for d in await clocks_of(a_town, number, "verify")] == ["met"]
    assert (await events_of(a_town, number))[-1] == "site_checked"


async def test_nobody_goes_twice_to_one_place_about_one_matter(a_town: Town) -> None:
    await collectors(a_town)
    first = await brought(a_town, "verifying")
    second = await opened(
        a_town, category=None, text="另一个说不清楚的事情在同一个地方", caller={"name": "李四", "phone": "13900000001"}
    )
    assert second != first
    assert (await a_town.act(second, "check", DISPATCHER, **BODY["check"]))[0] == 200
    assert await a_town.value("SELECT count(*) FROM site_checks") == 1
    (visit,) = (await a_town.get("/checks", NEAR))[1]["items"]
    fates = await asyncio.gather(
        posted(a_town, f"/checks/{visit['id']}/result", NEAR, result="found"),
        posted(a_town, f"/checks/{visit['id']}/result", NEAR, result="not_found"),
    )
    assert sorted(answer["by_you"] for _, answer in fates) == [False, True]
    assert len({answer["result"] for _, answer in fates}) == 1
    assert [row["state"] for row in await a_town.rows("SELECT state FROM cases ORDER BY id")] == ["triage", "triage"]
    # The same again within a day: the visit answers; after it somebody goes.
    status, after = await a_town.act(first, "check", DISPATCHER, **BODY["check"])
    assert (status, after["state"]) == (200, "triage")
    assert (await events_of(a_town, first))[-1] == "site_check_reused"
    a_town.clock.travel(timedelta(hours=25))
    status, after = await a_town.act(first, "check", DISPATCHER, **BODY["check"])
    assert (status, after["state"]) == (200, "verifying")
    assert await a_town.value("SELECT count(*) FROM site_checks") == 2
    _, figures = await a_town.get("/stats/checks?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z", SUPERVISOR)
    assert figures["repeat_visit_rate"] == {"numerator": 0, "denominator": 1, "excluded": 0, "value": 0.0}


async def test_a_case_without_a_place_cannot_be_looked_at_and_a_secret_one_is_not_listed(a_town: Town) -> None:
    number = await opened(a_town, category=None, text="说不清楚在哪里", location=None)
    status, problem = await a_town.act(number, "check", DISPATCHER, **BODY["check"])
    assert (status, problem["field"]) == (409, "location")
    secret = await opened(a_town, category=None, kind="tipoff", text="举报有人偷排", caller=None)
    reader = principal("dispatcher", "dispatch", name="named")
    reader = type(reader)(
        reader.name, reader.kind, reader.unit, reader.roles | {"restricted_reader"}, reader.permissions | {"restricted.read"},
        reader.channels,
    )  # fmt: skip
    assert (await a_town.act(secret, "check", reader, **BODY["check"]))[0] == 200
    assert (await a_town.get("/checks", DISPATCHER))[1]["items"] == []


async def test_a_case_that_left_meanwhile_is_not_brought_back(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "verifying")
    (visit,) = (await a_town.get("/checks", NEAR))[1]["items"]
    assert (await a_town.act(number, "emergency", DISPATCHER, **BODY["emergency"]))[0] == 200
    assert (await posted(a_town, f"/checks/{visit['id']}/result", NEAR, result="found"))[0] == 200
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "to_sign"


async def test_where_a_collector_is_must_be_a_place_on_earth(a_town: Town) -> None:
    await collectors(a_town)
    assert (await posted(a_town, "/checks/position", NEAR, lon=116.2, lat=33.1, crs="mars"))[1]["field"] == "crs"
    assert (await posted(a_town, "/checks/position", NEAR, lon=200, lat=33.1))[0] == 400
    assert await a_town.value("SELECT count(*) FROM collector_positions") == 2
