"""A unit asks for a suspension or an extension; somebody else decides, and nothing moves before."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.always import examine
from tests.integration.casework.people import (
    DISPATCHER,
    HANDLER,
    HEAD,
    STRANGER,
    SUPERVISOR,
    brought,
    clocks_of,
    elsewhere,
    events_of,
)

EXTEND: dict[str, Any] = {"request": "extend", "note": "配件在途"}


def suspend(town: Town) -> dict[str, Any]:
    until = (town.clock.at + timedelta(days=60)).isoformat()
    return {"request": "suspend", "until": until, "note": "等待管网改造，已告知市民"}


async def due(town: Town, number: str) -> Any:
    (clock,) = await clocks_of(town, number, "close")
    return clock["due_at"]


async def requests_of(town: Town, number: str) -> list[tuple[str, str]]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    return [(each["request"], each["status"]) for each in case["requests"]]


async def test_what_is_asked_for_happens_once_it_is_approved(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    before = await due(a_town, number)
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    assert await due(a_town, number) == before
    assert await requests_of(a_town, number) == [("extend", "waiting")]
    status, answer = await a_town.act(number, "decide", SUPERVISOR, approve=True, note="情况属实")
    assert (status, answer["state"]) == (200, "handling")
    assert await due(a_town, number) > before
    assert (await a_town.act(number, "request", HEAD, **suspend(a_town)))[0] == 200
    status, answer = await a_town.act(number, "decide", DISPATCHER, request="suspend", approve=True, note="同意")
    assert (status, answer["state"]) == (200, "suspended")
    assert await requests_of(a_town, number) == [("extend", "approved"), ("suspend", "approved")]
    events = [each for each in await events_of(a_town, number) if each != "deadline_recomputed"]
    assert events[-5:] == ["decided", "extended", "requested", "decided", "suspended"]
    connection = await asyncpg.connect(a_town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def test_what_is_refused_changes_nothing_and_does_not_count(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    before = await due(a_town, number)
    for _ in range(3):  # an extension is granted twice at most
        assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
        assert (await a_town.act(number, "decide", SUPERVISOR, approve=False, note="理由不足"))[0] == 200
    assert await due(a_town, number) == before
    assert await requests_of(a_town, number) == [("extend", "refused")] * 3
    _, inbox = await a_town.get("/notices", HANDLER)
    assert [n["body"]["approved"] for n in inbox["items"] if n["topic"] == "decided"] == [False] * 3
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    assert (await a_town.act(number, "decide", SUPERVISOR, approve=True, note="情况属实"))[0] == 200
    assert await due(a_town, number) > before


async def test_who_asked_does_not_decide(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    both = principal("supervisor", "drainage", name=HANDLER.name)
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    status, problem = await a_town.act(number, "decide", both, approve=True, note="同意")
    assert (status, problem["field"]) == (409, "request")
    assert (await a_town.act(number, "decide", HEAD, approve=True, note="同意"))[0] == 403
    with pytest.raises(asyncpg.CheckViolationError):
        await a_town.rows("UPDATE requests SET approved = true, decided_by = asked_by, decided_at = now()")


async def test_a_request_is_refused_where_it_could_not_be_approved(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    faulty: tuple[tuple[dict[str, Any], int, str], ...] = (
        ({"request": "suspend", "note": "x"}, 400, "until"),
        ({"request": "suspend", "note": "x", "until": "2030-01-01T00:00:00+08:00"}, 400, "until"),
        ({"request": "extend", "note": "x", "limit": "三天"}, 400, "limit"),
        ({"request": "extend"}, 400, "note"),
        ({"note": "x"}, 400, "request"),
    )
    for body, status, field in faulty:
        answered, problem = await a_town.act(number, "request", HANDLER, **body)
        assert (answered, problem["field"]) == (status, field), body
    assert (await a_town.act(number, "request", STRANGER, version=1, **EXTEND))[0] == 404
    assert (await a_town.act(number, "decide", SUPERVISOR, approve=True, note="x"))[1]["field"] == "request"
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    status, problem = await a_town.act(number, "request", HEAD, **EXTEND)
    assert (status, problem["field"]) == (409, "request")
    a_town.clock.travel(timedelta(days=30))
    await a_town.fire()
    assert (await a_town.act(number, "decide", SUPERVISOR, approve=True, note="迟了"))[1]["field"] == "limit"
    assert (await a_town.act(number, "decide", SUPERVISOR, approve=False, note="已经超期"))[0] == 200
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[1]["field"] == "limit"


async def test_a_request_that_nobody_decides_climbs_and_lapses_with_the_task(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    (clock,) = await clocks_of(a_town, number, "approval")
    assert clock["unit"] == "dispatch"
    a_town.clock.travel(clock["due_at"] - a_town.clock.at + timedelta(hours=1))
    await a_town.fire()
    assert [c["status"] for c in await clocks_of(a_town, number, "approval")] == ["missed"]
    assert await requests_of(a_town, number) == [("extend", "waiting")]
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="water-affairs", note="管网属水务局"))[0] == 200
    assert await requests_of(a_town, number) == [("extend", "lapsed")]
    water = principal("handler", "water-affairs")
    assert (await a_town.act(number, "sign", water))[0] == 200
    assert (await a_town.act(number, "request", water, **suspend(a_town)))[0] == 200
    assert (await a_town.act(number, "reply", water, **REPLY))[0] == 200
    assert await requests_of(a_town, number) == [("extend", "lapsed"), ("suspend", "lapsed")]


async def test_what_waits_for_a_decision_is_listed_the_first_due_first(a_town: Town) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(await brought(a_town, "handling", location=elsewhere()))
        assert (await a_town.act(numbers[-1], "request", HANDLER, **EXTEND))[0] == 200
        a_town.clock.travel(timedelta(minutes=10))
    status, page = await a_town.get("/requests?limit=2", DISPATCHER)
    assert (status, [row["case_no"] for row in page["items"]]) == (200, numbers[:2])
    assert {(row["request"], row["unit"], row["status"]) for row in page["items"]} == {
        ("extend", "drainage", "running")
    }
    assert "张三丰" not in str(page)
    _, rest = await a_town.get(f"/requests?limit=2&cursor={page['next']}", DISPATCHER)
    assert [row["case_no"] for row in rest["items"]] == numbers[2:]
    assert (await a_town.act(numbers[0], "decide", SUPERVISOR, approve=False, note="理由不足"))[0] == 200
    _, page = await a_town.get("/requests", DISPATCHER)
    assert [row["case_no"] for row in page["items"]] == numbers[1:]
    assert (await a_town.get("/requests", HANDLER))[0] == 403
    await a_town.rows("UPDATE cases SET restricted = true WHERE case_no = $1", numbers[1])
    assert [row["case_no"] for row in (await a_town.get("/requests", DISPATCHER))[1]["items"]] == numbers[2:]
