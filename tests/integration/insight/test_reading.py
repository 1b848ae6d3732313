"""Lists, search, queue, snapshot, figures and the citizen's page."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.harness.town import REPLY, Town, principal, report
from tests.integration.casework.bodies import EXPLAINED, GOOD

SUPERVISOR = principal("supervisor", "supervision")
OPERATOR = principal("operator", "hotline")
HANDLER = principal("handler", "drainage")
CALLER = {"name": "张三丰", "phone": "13812345678"}


def places(count: int, row: int = 0) -> list[dict[str, float]]:
    return [{"lon": 116.17 + 0.003 * (i % 15), "lat": 33.12 + 0.003 * (row + i // 15)} for i in range(count)]


async def many(town: Town, count: int, row: int = 0, **fields: Any) -> list[str]:
    answers = await asyncio.gather(*(town.send(report(location=place, **fields)) for place in places(count, row)))
    return [answer["case_no"] for _, answer in answers]


async def numbers(town: Town, query: str, who: Any = SUPERVISOR) -> list[str]:
    status, page = await town.get(f"/cases?{query}", who)
    assert status == 200, page
    return [case["case_no"] for case in page["items"]]


async def walk(town: Town, path: str, who: Any) -> AsyncIterator[Any]:
    cursor = ""
    while True:
        _, page = await town.get(f"{path}&cursor={cursor}" if cursor else path, who)
        for item in page["items"]:
            yield item
        if not (cursor := page.get("next")):
            return


async def test_a_walk_through_the_list_meets_every_case_once_while_new_ones_come(a_town: Town) -> None:
    old = await many(a_town, 30)
    met, coming = [], 0
    async for case in walk(a_town, "/cases?limit=4", SUPERVISOR):
        met.append(case["case_no"])
        if len(met) % 8 == 0:
            coming += 1
            await many(a_town, 2, row=4 + coming)
    assert coming >= 3
    assert sorted(met) == sorted(old)


@pytest.mark.parametrize("word", ["x", "!!!!", "é", "A" * 60, "{}"])
async def test_a_cursor_that_is_not_ours_is_refused(a_town: Town, word: str) -> None:
    await many(a_town, 3)
    _, page = await a_town.get("/cases?limit=2", SUPERVISOR)
    good = page["next"]
    for bad in (
        word,
        good[:-2] + ("AA" if not good.endswith("AA") else "BB"),
        "A" + good[1:] if good[0] != "A" else "B" + good[1:],
    ):
        status, problem = await a_town.get(f"/cases?limit=2&cursor={quote(bad)}", SUPERVISOR)
        assert (status, problem["field"]) == (400, "cursor"), bad
    assert (await a_town.get(f"/escalations?cursor={good}", SUPERVISOR))[0] == 400


async def test_filters_narrow_the_list_and_each_other(a_town: Town) -> None:
    water = await many(a_town, 3)
    waste = await many(a_town, 2, row=5, category="E0110")
    waiting = await many(a_town, 1, row=8, category=None, text="说不清楚的事情")
    await a_town.act(water[0], "sign", HANDLER)
    assert await numbers(a_town, "state=handling") == [water[0]]
    assert sorted(await numbers(a_town, "state=to_sign,handling")) == sorted(water + waste)
    assert sorted(await numbers(a_town, "category=E0110")) == sorted(waste)
    assert await numbers(a_town, "unit=dispatch") == waiting
    assert sorted(await numbers(a_town, "area=9901")) == sorted(water + waste + waiting)
    assert await numbers(a_town, "area=990104") == []
    assert await numbers(a_town, "area=nowhere") == []
    a_town.clock.travel(timedelta(minutes=31))
    # Whoever is late in it, a lead or an assist, the case is overdue.
    assert sorted(await numbers(a_town, "overdue=true&category=E0506")) == sorted(water)
    assert await numbers(a_town, "overdue=true&state=handling") == [water[0]]
    assert await numbers(a_town, "overdue=true&category=E0110") == []
    assert (await a_town.get("/cases?limit=0", SUPERVISOR))[0] == 400
    assert (await a_town.get("/cases?colour=red", SUPERVISOR))[0] == 400


async def test_cases_are_found_by_words_number_receipt_and_telephone(a_town: Town) -> None:
    _, drain = await a_town.send(report(text="人民路口下水道井盖丢失，非常危险", caller=CALLER))
    _, other = await a_town.send(report(category="E0110", text="小区门口垃圾堆积", location=places(1, 6)[0]))
    number = drain["case_no"]
    assert await numbers(a_town, f"q={quote('井盖丢失')}") == [number]
    assert await numbers(a_town, f"q={quote('垃')}") == [other["case_no"]]
    assert await numbers(a_town, f"q={quote('井盖 垃圾')}") == []
    assert await numbers(a_town, f"q={number}") == await numbers(a_town, f"q={drain['receipt_no'].lower()}") == [number]
    assert await a_town.value("SELECT count(*) FROM access_log") == 0
    # The telephone is for those who may look callers up, and each look is on record without the number.
    assert await numbers(a_town, "q=13812345678") == []
    assert await numbers(a_town, f"q={quote('138 1234-5678')}", OPERATOR) == [number]
    rows = await a_town.rows("SELECT actor, action, subject FROM access_log")
    assert [tuple(row)[:2] for row in rows] == [("operator-hotline", "caller.search")]
    assert "13812345678" not in rows[0]["subject"]
    # Another unit's handler finds nothing by any of them.
    for q in (number, "井盖丢失", "13812345678"):
        assert await numbers(a_town, f"q={quote(q)}", principal("handler", "gas")) == []


@pytest.mark.parametrize(
    "q", ["\\", "'", "''", "a'b\\", " ", "&", "! | &", ":*", "%", "\u0000x", "😀", "<->", "R", "水" * 200]
)
async def test_no_search_breaks_the_search(a_town: Town, q: str) -> None:
    await many(a_town, 1)
    status, _ = await a_town.get(f"/cases?q={quote(q)}", SUPERVISOR)
    assert status in (200, 400), q


async def test_the_snapshot_counts_what_the_list_shows(a_town: Town) -> None:
    await many(a_town, 4)
    await many(a_town, 3, row=5, category="E0110")
    await many(a_town, 2, row=8, category=None, text="不知道归谁管")
    await a_town.send(report(category="S110401", text="邻居打孩子"))
    a_town.clock.travel(timedelta(hours=1))
    district, street = principal("supervisor", "d-990101"), principal("supervisor", "s-990101001")
    for who in (SUPERVISOR, HANDLER, district, street, principal("dispatcher", "dispatch")):
        _, snapshot = await a_town.get("/snapshot?limit=1000", who)
        listed = [case async for case in walk(a_town, "/cases?limit=50", who)]
        assert sum(row["cases"] for row in snapshot["counts"]) == len(listed) == len(snapshot["cases"]), who
        overdue = [case async for case in walk(a_town, "/cases?limit=50&overdue=true", who)]
        assert sum(row["overdue"] for row in snapshot["counts"]) == len(overdue), who
        ranks = [("ordinary", "urgent", "critical").index(case["priority"]["urgency"]) for case in snapshot["cases"]]
        assert ranks == sorted(ranks, reverse=True)


async def test_every_ratio_has_its_parts_and_is_at_most_one(a_town: Town) -> None:
    _, empty = await a_town.get("/stats/overview", SUPERVISOR)
    assert empty["solved"] == {"numerator": 0, "denominator": 0, "excluded": 0, "value": None}
    made = await many(a_town, 4, caller=CALLER)
    reviewer, followup = principal("reviewer", "dispatch"), principal("followup", "hotline")
    for nth, number in enumerate(made):
        steps: list[tuple[str, Any, dict[str, Any]]] = [
            ("sign", HANDLER, {}),
            ("reply", HANDLER, REPLY),
            ("approve", reviewer, {}),
        ]
        for action, who, body in steps:
            assert (await a_town.act(number, action, who, **body))[0] == 200
        if nth < 3:
            assert (await a_town.act(number, "close", followup, **(GOOD if nth == 0 else EXPLAINED)))[0] == 200
    assert (await a_town.act(made[2], "reopen", followup, note="没有解决"))[0] == 200
    a_town.clock.travel(timedelta(hours=2))
    await a_town.fire()
    _, figures = await a_town.get("/stats/overview", SUPERVISOR)
    assert (figures["opened"], figures["open"]) == (4, 2)
    assert figures["solved"] == {"numerator": 1, "denominator": 2, "excluded": 0, "value": 0.5}
    for ratio in (figures["solved"], *figures["on_time"].values()):
        assert 0 <= ratio["numerator"] <= ratio["denominator"]
        assert ratio["excluded"] >= 0
        assert ratio["value"] is None or ratio["value"] == ratio["numerator"] / ratio["denominator"]
    assert 0 < figures["on_time"]["sign"]["value"] < 1  # the assists never signed
    assert (await a_town.get("/stats/overview", principal("unit_head", "drainage")))[0] == 400


async def test_the_citizen_sees_progress_with_the_code_and_nothing_without(a_town: Town) -> None:
    _, answer = await a_town.send(report(caller=CALLER))
    _, other = await a_town.send(report(category="E0110", location=places(1, 6)[0]))
    url = f"{a_town.url}/api/v1/track/{answer['receipt_no']}"

    async def track(code: str | None) -> tuple[int, Any]:
        async with a_town.http.get(url, headers={"X-Track-Code": code} if code is not None else {}) as reply:
            return reply.status, await reply.json(content_type=None)

    for wrong in (None, "", "0000000000", other["track_code"], answer["track_code"][:-1]):
        assert (await track(wrong))[0] == 404
    status, seen = await track(answer["track_code"].lower())
    assert (status, seen["state"], set(seen)) == (
        200,
        "in_progress",
        {"receipt_no", "state", "received_at", "expected_by", "told", "steps", "evaluation"},
    )
    assert (await a_town.act(answer["case_no"], "sign", HANDLER))[0] == 200
    assert (await a_town.act(answer["case_no"], "reply", HANDLER, **REPLY))[0] == 200
    assert (await a_town.act(answer["case_no"], "approve", principal("reviewer", "dispatch")))[0] == 200
    assert (await track(answer["track_code"]))[1]["state"] == "answered"
