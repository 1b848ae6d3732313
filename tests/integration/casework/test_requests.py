"""A unit asks for a suspension or an extension; somebody else decides, and nothing moves before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.store.clock import TravelClock
from tests.harness.town import REPLY, Town, principal, town
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events, events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, HEAD, STRANGER, SUPERVISOR
from tests.integration.casework.walks import brought, deciding, elsewhere, opened

TOLD = "管网改造预计两个月完工，届时继续办理"
EXTEND: dict[str, Any] = {"request": "extend", "note": "配件在途"}


def suspend(town: Town) -> dict[str, Any]:
    until = (town.clock.at + timedelta(days=60)).isoformat()
    return {"request": "suspend", "until": until, "reason_code": "pipes", "note": "等待管网改造，已告知市民"}


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
    status, answer = await a_town.act(
        number, "decide", DISPATCHER, request="suspend", approve=True, note="同意", told=TOLD
    )
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
        ({**suspend(a_town), "reason_code": "no_mood"}, 400, "reason_code"),
        ({k: v for k, v in suspend(a_town).items() if k != "reason_code"}, 400, "reason_code"),
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


YES: dict[str, Any] = {"approve": True, "note": "情况属实"}
CHIEF = principal("unit_head", "water-affairs")
STEPS = ("unit_head", "dispatch")


async def test_a_request_in_two_steps_waits_for_the_head_and_then_for_the_desk(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    before = await due(a_town, number)
    with deciding(a_town, *STEPS):
        assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    assert [clock["unit"] for clock in await clocks_of(a_town, number, "approval")] == ["drainage"]
    _, page = await a_town.get("/requests", HEAD)
    assert [(row["case_no"], row["step"]) for row in page["items"]] == [(number, "unit_head")]
    status, problem = await a_town.act(number, "decide", DISPATCHER, **YES)
    assert (status, problem["permission"]) == (403, "task.manage")
    other = principal("unit_head", "gas")
    assert (await a_town.act(number, "decide", other, **YES))[0] == 404
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="协办"))[0] == 200
    assert (await a_town.act(number, "decide", other, **YES))[0] == 403  # of a unit that assists
    assert (await a_town.act(number, "decide", principal("unit_head", "drainage", name=HANDLER.name), **YES))[0] == 409
    assert (await a_town.act(number, "decide", CHIEF, **YES))[0] == 200  # of the unit above it, for want of its own
    assert await due(a_town, number) == before
    first, second = await clocks_of(a_town, number, "approval")
    assert (first["status"], second["unit"], second["status"]) == ("met", "dispatch", "running")
    assert (await a_town.get("/requests", DISPATCHER))[1]["items"][0]["step"] == "dispatch"
    twice = principal("dispatcher", "dispatch", name=CHIEF.name)
    status, problem = await a_town.act(number, "decide", twice, **YES)
    assert (status, problem["field"]) == (409, "request")
    with pytest.raises(asyncpg.CheckViolationError, match="nobody_decides_twice"):
        await a_town.rows("UPDATE requests SET approved = true, decided_by = head_by, decided_at = now()")
    assert (await a_town.act(number, "decide", HEAD, **YES))[0] == 403
    assert (await a_town.act(number, "decide", DISPATCHER, **YES))[0] == 200
    assert await due(a_town, number) > before
    assert await requests_of(a_town, number) == [("extend", "approved")]
    async with a_town._owner() as connection:
        await examine(connection, {})


async def test_what_the_head_refuses_never_reaches_the_desk(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    before = await due(a_town, number)
    with deciding(a_town, *STEPS):
        assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
        assert (await a_town.act(number, "decide", HEAD, approve=False, note="两天内可以办完"))[0] == 200
        assert await requests_of(a_town, number) == [("extend", "refused")]
        assert [clock["unit"] for clock in await clocks_of(a_town, number, "approval")] == ["drainage"]
        assert (await a_town.get("/requests", DISPATCHER))[1]["items"] == []
        assert (await a_town.act(number, "decide", DISPATCHER, request="extend", **YES))[0] == 404
        # A head asks the desk at once.
        assert (await a_town.act(number, "request", HEAD, **EXTEND))[0] == 200
    assert [clock["unit"] for clock in await clocks_of(a_town, number, "approval")] == ["drainage", "dispatch"]
    assert await due(a_town, number) == before
    (refused,) = await events(a_town, number, "decided")
    assert (refused["approved"], refused["actor"]) == (False, HEAD.name)
    async with a_town._owner() as connection:
        await examine(connection, {})


async def test_a_desk_does_not_suspend_or_extend_of_its_own_accord(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for action in ("suspend", "extend"):
        status, problem = await a_town.act(number, action, DISPATCHER, **BODY[action])
        assert (status, problem["permission"]) == (403, "case.direct")
    assert (await a_town.act(number, "extend", SUPERVISOR, **BODY["extend"]))[0] == 200
    assert (await a_town.act(number, "request", HANDLER, **EXTEND))[0] == 200
    assert (await a_town.act(number, "decide", DISPATCHER, **YES))[0] == 200
    extended = await events(a_town, number, "extended")
    assert [each.get("directed", False) for each in extended] == [True, False]


async def test_a_suspension_says_why_and_what_the_citizen_is_told(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for left_out, field in (("reason_code", "reason_code"), ("told", "told"), ("note", "note")):
        body = {name: value for name, value in BODY["suspend"].items() if name != left_out}
        status, problem = await a_town.act(number, "suspend", SUPERVISOR, **body)
        assert (status, problem["field"]) == (400, field)
    assert (await a_town.act(number, "suspend", SUPERVISOR, **BODY["suspend"]))[0] == 200
    (event,) = await events(a_town, number, "suspended")
    assert (event["reason_code"], event["directed"]) == ("pipes", True)
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert [t["text"] for t in case["texts"] if t["kind"] == "progress"] == [BODY["suspend"]["told"]]
    nobody = await brought(a_town, "handling", caller=None, location=elsewhere())
    alone = {name: value for name, value in BODY["suspend"].items() if name != "told"}
    assert (await a_town.act(nobody, "suspend", SUPERVISOR, **alone))[0] == 200


async def test_a_suspension_over_spring_festival_freezes_the_working_time_of_its_days(
    city_url: str, redis_url: str
) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)

    lamps, boss = principal("handler", "lighting"), principal("dispatcher", "dispatch")
    async with town(city_url, redis_url, clock=TravelClock(local("2026-02-10T10:00")), loaded=True) as at:
        await at.rows("SELECT make_partitions('2026-02-01', 1)")
        number = await opened(at, category="S090401", text="路灯不亮", caller=CITIZEN)
        assert (await at.act(number, "sign", lamps))[0] == 200
        # Five working days: the 11th to the 14th, a Saturday that is worked, and the day after the holiday.
        before = await due(at, number)
        assert before == local("2026-02-24T18:00")
        at.clock.at = local("2026-02-11T09:00")
        asked = suspend(at) | {"until": "2026-02-25T09:00:00+08:00", "reason_code": "parts"}
        assert (await at.act(number, "request", lamps, **asked))[0] == 200
        at.clock.at = local("2026-02-12T10:00")
        status, answer = await at.act(number, "decide", boss, told="节后到货即修", **YES)
        assert (status, answer["state"]) == (200, "suspended")
        for moment in ("2026-02-17T00:00", "2026-02-25T08:59"):
            at.clock.at = local(moment)
            await at.fire()
            assert await at.value("SELECT state FROM cases") == "suspended"
        at.clock.at = local("2026-02-25T09:00")
        await at.fire()
        assert await at.value("SELECT state FROM cases") == "handling"
        after = await due(at, number)
        # Six hours of the 12th, the 13th, 14th and 24th, and the first hour of the 25th; the nine days of the holiday count for nothing.
        assert at.services.cities.current.calendar.worked(before, after) == (6 + 3 * 8 + 1) * 3600
        assert after == local("2026-02-28T17:00")  # a Saturday that is worked
        assert await requests_of(at, number) == [("suspend", "approved")]
