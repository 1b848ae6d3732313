"""Known incidents: found by place and kind, changed while they last, and closed by one answer to everybody."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dispatch.casework import record
from dispatch.casework.closing import end
from tests.harness.town import Town, principal
from tests.integration.casework.people import CITIZEN
from tests.integration.casework.walks import brought, opened
from tests.integration.desk.desk import DISPATCHER, HANDLER, OPERATOR, SUPERVISOR, announced, announcing, ask

SPOKEN = "水管已修复，恢复供水，感谢您的来电。"


async def ids(town: Town, query: str = "") -> list[int]:
    status, page = await ask(town, "GET", f"/incidents{query}", OPERATOR)
    assert status == 200, page
    return [each["id"] for each in page["items"]]


async def tracked(town: Town, receipt: dict[str, Any]) -> list[str]:
    path = f"{town.url}/api/v1/track/{receipt['receipt_no']}"
    async with town.http.get(path, headers={"X-Track-Code": receipt["track_code"]}) as answer:
        return [each["text"] for each in (await answer.json())["told"]]


async def merged(town: Town, number: str, into: str) -> None:
    """Ends a case as merged into another; its receipts stay with it."""
    services = town.services
    ids = {r["case_no"]: r["id"] for r in await town.rows("SELECT id, case_no FROM cases")}
    async with services.pool.acquire() as connection, connection.transaction():
        change = (await record.hold(connection, [ids[number]]))[ids[number]]
        end(change, "merged", town.clock.at)
        change.case.merged_into = ids[into]
        change.event("merged", town.clock.at, "test", into=into)
        await record.save(connection, services.keyring, services.cities.current.map.areas, [change])


async def test_an_incident_is_found_by_area_point_and_category(a_town: Town) -> None:
    case_no = await opened(a_town)
    citywide = await announced(a_town, case_no)
    district = await announced(a_town, case_no, areas=["990103"], kind="stoppage", title="计划停水")
    of_kind = await announced(a_town, case_no, categories=["E05"])
    assert set(await ids(a_town)) == {citywide, district, of_kind}
    assert set(await ids(a_town, "?area=990103001")) == {citywide, district, of_kind}
    assert district not in await ids(a_town, "?area=990101")
    area = await a_town.value("SELECT area FROM cases WHERE case_no = $1", case_no)
    here = await announced(a_town, case_no, areas=[area])
    elsewhere = await announced(a_town, case_no, areas=["990104" if not area.startswith("990104") else "990101"])
    found = await ids(a_town, "?lon=116.19&lat=33.13")
    assert here in found
    assert elsewhere not in found
    assert of_kind in await ids(a_town, "?category=E0506")
    assert of_kind not in await ids(a_town, "?category=E0110")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("area=1", "area"),
        ("category=E9999", "category"),
        ("lon=116.19", "lat"),
        ("lat=33.1", "lon"),
        ("lon=1&lat=1", "lon"),
    ],
)
async def test_a_place_that_is_none_is_named(a_town: Town, query: str, field: str) -> None:
    status, problem = await ask(a_town, "GET", f"/incidents?{query}", OPERATOR)
    assert (status, problem["field"]) == (400, field)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"areas": ["9901", "x"]}, "areas[1]"),
        ({"categories": ["x"]}, "categories[0]"),
        ({"expected_end": "2026-11-18T09:00:00+08:00"}, "expected_end"),
        ({"spoken": "请拨13812345678"}, "spoken"),
        ({"title": "请拨13812345678"}, "title"),
        ({"case_no": "1"}, "case_no"),
    ],
)
async def test_what_cannot_be_right_is_refused_by_name(a_town: Town, fields: dict[str, Any], field: str) -> None:
    made = announcing(await opened(a_town)) | fields
    status, problem = await ask(a_town, "POST", "/incidents", DISPATCHER, made)
    assert (status, problem["field"]) == (400, field)


async def test_its_case_is_one_that_calls_can_join(a_town: Town) -> None:
    closed = await brought(a_town, "closed")
    status, problem = await ask(a_town, "POST", "/incidents", DISPATCHER, announcing(closed))
    assert (status, problem["field"]) == (409, "case_no")
    restricted = await opened(a_town, category="S110401", text="邻居天天被打")
    status, problem = await ask(a_town, "POST", "/incidents", DISPATCHER, announcing(restricted))
    assert (status, problem["field"]) == (400, "case_no")
    assert (await ask(a_town, "POST", "/incidents", OPERATOR, announcing(closed)))[0] == 403


async def test_who_may_not_read_its_case_does_not_learn_the_number(a_town: Town) -> None:
    case_no = await opened(a_town)
    await announced(a_town, case_no)
    for who, shown in ((HANDLER, case_no), (principal("handler", "gas"), None)):
        _, page = await ask(a_town, "GET", "/incidents", who)
        assert [each["case_no"] for each in page["items"]] == [shown]


async def test_what_is_expected_and_said_can_change_until_it_is_over(a_town: Town) -> None:
    number = await announced(a_town, await opened(a_town))
    path = f"/incidents/{number}"
    _, changed = await ask(a_town, "PATCH", path, SUPERVISOR, {"expected_end": "2026-11-18T20:00:00+08:00"})
    assert (changed["expected_end"], changed["spoken"]) == ("2026-11-18T12:00:00Z", announcing("")["spoken"])
    assert (await ask(a_town, "PATCH", path, SUPERVISOR, {"spoken": "还需两小时"}))[1]["spoken"] == "还需两小时"
    assert (await ask(a_town, "PATCH", path, SUPERVISOR, {}))[0] == 400
    assert (await ask(a_town, "POST", f"{path}/close", SUPERVISOR, {"told": SPOKEN}))[0] == 200
    assert (await ask(a_town, "PATCH", path, SUPERVISOR, {"spoken": "又坏了"}))[0] == 409
    assert (await ids(a_town), await ids(a_town, "?open=false")) == ([], [number])
    assert (await ask(a_town, "PATCH", "/incidents/999", SUPERVISOR, {"spoken": "又坏了"}))[0] == 404


async def test_who_may_not_read_its_case_neither_changes_nor_closes_it(a_town: Town) -> None:
    number = await announced(a_town, await opened(a_town))
    stranger = principal("dispatcher", "gas")
    for method, path, body in (("PATCH", "", {"spoken": "又坏了"}), ("POST", "/close", {"told": SPOKEN})):
        status, problem = await ask(a_town, method, f"/incidents/{number}{path}", stranger, body)
        assert (status, problem["field"]) == (403, "incident")
    assert await ids(a_town) == [number]


async def test_calls_about_an_incident_whose_case_was_merged_join_the_case_it_went_into(a_town: Town) -> None:
    first = await opened(a_town, caller=CITIZEN)
    number = await announced(a_town, first)
    into = await opened(a_town, location={"lon": 116.2113, "lat": 33.1313}, category="E0110", text="另一件事情")
    await merged(a_town, first, into)
    receipt = await _attached(a_town, number, "a-1", "13912340001")
    assert receipt["case_no"] == into
    _, ended = await ask(a_town, "POST", f"/incidents/{number}/close", DISPATCHER, {"told": SPOKEN})
    assert ended["receipts"] == 2
    assert (await ask(a_town, "POST", f"/incidents/{number}/close", DISPATCHER, {"told": SPOKEN}))[1] == ended
    assert await tracked(a_town, receipt) == [SPOKEN]


async def test_closing_answers_every_receipt_once_and_leaves_the_case_to_its_unit(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    number = await announced(a_town, case_no)
    receipts = [await _attached(a_town, number, f"a-{n}", f"1391234{n:04}") for n in range(3)]
    before = await a_town.value("SELECT state FROM cases WHERE case_no = $1", case_no)
    path = f"/incidents/{number}/close"
    fates = await asyncio.gather(*(ask(a_town, "POST", path, DISPATCHER, {"told": SPOKEN}) for _ in range(3)))
    assert [(status, ended["receipts"]) for status, ended in fates] == [(200, 4)] * 3
    assert (await ask(a_town, "POST", path, DISPATCHER, {"told": "另一种说法"}))[1] == fates[0][1]
    _, lines = await ask(a_town, "GET", f"/cases/{case_no}/events", OPERATOR)
    answered = [line for line in lines["items"] if line["type"] == "all_answered"]
    assert [(line["data"]["receipts"], line["data"]["incident"]) for line in answered] == [(4, number)]
    assert SPOKEN not in msgspec.json.encode(lines).decode()
    assert [await tracked(a_town, each) for each in receipts] == [[SPOKEN]] * 3
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", case_no) == before
    assert (await a_town.act(case_no, "sign", HANDLER))[0] == 200


async def test_what_was_told_before_somebody_called_is_not_their_answer(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    first, second = await announced(a_town, case_no), await announced(a_town, case_no)
    early = await _attached(a_town, first, "a-1", "13912340001")
    assert (await ask(a_town, "POST", f"/incidents/{first}/close", DISPATCHER, {"told": SPOKEN}))[0] == 200
    a_town.clock.travel(timedelta(minutes=1))
    late = await _attached(a_town, second, "a-2", "13912340002")
    assert (await tracked(a_town, early), await tracked(a_town, late)) == ([SPOKEN], [])


async def _attached(town: Town, incident: int, key: str, phone: str) -> dict[str, Any]:
    call = {
        "channel": "demo",
        "external_id": key,
        "text": "家里没水了",
        "caller": {"name": "市民", "phone": phone},
    }
    status, made = await ask(town, "POST", "/attachments", OPERATOR, {"report": call, "incident": incident})
    assert status == 201, made
    answer: dict[str, Any] = made
    return answer
