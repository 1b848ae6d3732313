"""The dispatch desk: list, proposal, consultation, redispatch, emergency, co-operating units and parts."""

from datetime import timedelta
from typing import Any

from tests.harness.town import Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, OPERATOR, STRANGER, SUPERVISOR
from tests.integration.casework.walks import brought, opened

WATER = principal("handler", "water-affairs")


async def tasks_of(town: Town, number: str) -> list[tuple[str, str, str]]:
    rows = await town.rows(
        "SELECT a.role, a.unit, a.state FROM assignments a JOIN cases c ON c.id = a.case_id WHERE c.case_no = $1 ORDER BY a.id",
        number,
    )
    return [(row["role"], row["unit"], row["state"]) for row in rows]


async def test_a_redispatch_ends_the_former_task_and_moves_no_case_clock(a_town: Town) -> None:
    number = await opened(a_town, category="E0110", assigned_unit="drainage", caller=CITIZEN)
    assert (await a_town.act(number, "assist", DISPATCHER, **BODY["assist"]))[0] == 200
    (close,) = await clocks_of(a_town, number, "close")
    a_town.clock.travel(timedelta(hours=1))
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="drainage", note="x"))[0] == 409
    status, after = await a_town.act(number, "redispatch", DISPATCHER, **BODY["redispatch"])
    assert (status, after["state"]) == (200, "to_sign")
    assert await tasks_of(a_town, number) == [
        ("lead", "drainage", "withdrawn"), ("assist", "gas", "to_sign"), ("lead", "water-affairs", "to_sign"),
    ]  # fmt: skip
    (again,) = await clocks_of(a_town, number, "close")
    assert (again["started_at"], again["due_at"], again["unit"]) == (
        close["started_at"],
        close["due_at"],
        "water-affairs",
    )


async def test_an_emergency_is_critical_at_once_and_demands_a_call(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    status, after = await a_town.act(number, "emergency", DISPATCHER, **BODY["emergency"])
    assert (status, after["state"]) == (200, "to_sign")
    row = (await a_town.rows("SELECT urgency FROM cases WHERE case_no = $1", number))[0]
    assert row["urgency"] == "critical"
    assert [d["limit_text"] for d in await clocks_of(a_town, number, "sign")] == ["30min"]
    assert (await a_town.act(number, "call", OPERATOR, to="water-affairs", reached=True))[0] == 200
    assert [d["status"] for d in await clocks_of(a_town, number, "danger")] == ["met"]


async def test_units_say_what_they_think_and_the_desk_decides_with_its_record(a_town: Town) -> None:
    number = await brought(a_town, "consulting")
    gas = principal("handler", "gas")
    assert (await a_town.get(f"/cases/{number}", gas))[0] == 200
    assert (await a_town.get(f"/cases/{number}", principal("handler", "housing")))[0] == 404
    assert [d["unit"] for d in await clocks_of(a_town, number, "consult")] == ["gas", "water-affairs"]
    assert (await a_town.act(number, "advise", gas))[1]["field"] == "note"
    assert (await a_town.act(number, "advise", gas, **BODY["advise"]))[0] == 200
    _, case = await a_town.get(f"/cases/{number}", DISPATCHER)
    assert [text["text"] for text in case["texts"] if text["kind"] == "opinion"] == ["该处管线不是我司资产"]
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="drainage"))[1]["field"] == "note"
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="drainage", note="会商一致"))[0] == 200
    assert (await tasks_of(a_town, number))[:2] == [
        ("consult", "gas", "done"),
        ("consult", "water-affairs", "withdrawn"),
    ]
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'consult' AND stopped_at IS NULL") == 0


async def test_the_lead_answers_once_every_part_was_answered(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "divide", DISPATCHER, units=["gas", "water-affairs"], note="分工"))[0] == 200
    status, problem = await a_town.act(number, "reply", HANDLER, **BODY["reply"])
    assert (status, problem["field"]) == (409, "assignment")
    for who in (principal("handler", "gas"), WATER):
        for action in ("sign", "reply"):
            assert (await a_town.act(number, action, who, **BODY[action]))[0] == 200
    status, after = await a_town.act(number, "reply", HANDLER, **BODY["reply"])
    assert (status, after["state"]) == (200, "review")
    assert [t for t in await tasks_of(a_town, number) if t[0] == "child"] == [
        ("child", "gas", "done"), ("child", "water-affairs", "done"),
    ]  # fmt: skip


async def test_a_co_operating_unit_has_its_own_limit(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    status, problem = await a_town.act(number, "assist", DISPATCHER, unit="gas", note="x", limit="3 小时")
    assert (status, problem["field"]) == (400, "limit")
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="x", limit="3h"))[0] == 200
    (clock,) = [d for d in await clocks_of(a_town, number, "reply") if d["unit"] == "gas"]
    assert (clock["limit_text"], clock["rule"]) == ("3h", "named")
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="x"))[0] == 409


async def test_the_proposal_says_who_is_out_of_the_question_and_why(a_town: Town) -> None:
    number = await brought(a_town, "returned")
    status, proposal = await a_town.get(f"/cases/{number}/proposal", DISPATCHER)
    assert status == 200
    assert {"unit": "drainage", "why": "returned"} in proposal["excluded"]
    assert proposal["lead"] not in (None, "drainage")
    assert proposal["limits"]["sign"]["limit"] == "30min"
    assert (await a_town.get(f"/cases/{number}/proposal", OPERATOR))[0] == 403


async def test_the_list_of_the_desk_shows_what_waits_most_urgent_first(a_town: Town) -> None:
    unclear = await brought(a_town, "triage", location=None)
    urgent = await opened(a_town, category=None, text="有人被困在电梯里", location={"lon": 116.21, "lat": 33.13})
    returned = await brought(a_town, "returned", location={"lon": 116.22, "lat": 33.14})
    await a_town.send(report(category=None, kind="tipoff", text="举报某单位"))
    _, page = await a_town.get("/desk/triage", DISPATCHER)
    assert [row["case_no"] for row in page["items"]] == [urgent, returned, unclear]
    rows = {row["case_no"]: row for row in page["items"]}
    assert rows[unclear]["missing"] == ["place", "category", "contact"]
    assert rows[urgent]["danger"] == ["trapped"]
    assert rows[returned]["returns"] == [{"unit": "drainage", "reason": "need_info"}]
    _, first = await a_town.get("/desk/triage?limit=2", DISPATCHER)
    _, rest = await a_town.get(f"/desk/triage?limit=2&cursor={first['next']}", DISPATCHER)
    assert [row["case_no"] for row in (*first["items"], *rest["items"])] == [urgent, returned, unclear]


async def test_a_suggested_match_is_decided_by_a_person(a_town: Town) -> None:
    from tests.integration.casework.walks import desk_call

    number = await opened(a_town, caller=CITIZEN)
    _, held = await desk_call(a_town, report=report(caller=CITIZEN))
    other = held["report"]["case_no"]
    _, page = await a_town.get("/suggestions", DISPATCHER)
    assert [(row["case_no"], row["other"]) for row in page["items"]] == [(other, number)]
    assert (await a_town.act(other, "dismiss", DISPATCHER, other=number, note="不是一件事"))[0] == 200
    assert (await a_town.get("/suggestions", DISPATCHER))[1]["items"] == []
    _, bands = await a_town.get("/stats/matching", SUPERVISOR)
    assert [(row["same"], row["different"]) for row in bands["items"]] == [(0, 1)]
    assert "dismissed" in " ".join(await events_of(a_town, other))


async def test_who_has_nothing_to_do_with_it_sees_nothing_of_it(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    for path in (f"/cases/{number}/stages", f"/cases/{number}"):
        assert (await a_town.get(path, STRANGER))[0] == 404
    body: dict[str, Any] = {"unit": "gas", "note": "x"}
    assert (await a_town.act(number, "redispatch", DISPATCHER, **body))[0] == 409
