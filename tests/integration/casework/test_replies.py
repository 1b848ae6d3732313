"""What a unit replies, and who signs it before it is the unit's word."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from dispatch.people.principal import Principal
from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.always import examine
from tests.integration.casework.looking import clocks_of, events_of, the_clock
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, REVIEWER, SUPERVISOR, account, leave
from tests.integration.casework.walks import opened

# A unit of the demo city whose replies two heads sign, its own and that of the unit above.
UNIT, ABOVE = "labour-inspection", "labour"
WRITER = principal("handler", UNIT)
CHIEF, BUREAU = principal("unit_head", UNIT), principal("unit_head", ABOVE)
WHY: dict[str, Any] = {"approve": False, "note": "依据写得不清楚"}
YES: dict[str, Any] = {"approve": True}


async def handled(town: Town, unit: str = UNIT, who: Principal = WRITER, **fields: Any) -> str:
    """A case that a unit has signed."""
    number = await opened(town, **({"caller": CITIZEN, "assigned_unit": unit} | fields))
    assert (await town.act(number, "sign", who))[0] == 200
    return number


async def signs(town: Town, number: str, who: Principal, **body: Any) -> tuple[int, Any]:
    """`sign_off` of the lead's task, at its present version."""
    version = await town.value(
        "SELECT a.version FROM assignments a JOIN cases c ON c.lead_assignment_id = a.id WHERE c.case_no = $1", number
    )
    return await town.act(number, "sign_off", who, version=version, **body)


async def replies_of(town: Town, number: str) -> list[dict[str, Any]]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    found: list[dict[str, Any]] = case["replies"]
    return found


async def bodies(town: Town, number: str, type: str) -> list[dict[str, Any]]:
    """The bodies of a case's events of one type."""
    rows = await town.rows(
        "SELECT e.body FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 AND e.type = $2 ORDER BY e.seq",
        number,
        type,
    )
    return [msgspec.json.decode(row["body"]) for row in rows]


async def said(town: Town, number: str, kind: str) -> list[tuple[str, str]]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    return [(text["author"], text["text"]) for text in case["texts"] if text["kind"] == kind]


async def topics(town: Town, who: Principal) -> list[str]:
    """What somebody's inbox holds, the oldest first."""
    _, inbox = await town.get("/notices", who)
    return [notice["topic"] for notice in reversed(inbox["items"])]


async def examined(town: Town) -> None:
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def test_a_lead_says_what_was_found_what_came_of_it_and_what_the_citizen_hears(a_town: Town) -> None:
    number = await handled(a_town, "drainage", HANDLER)
    unsolved = REPLY | {"outcome": "unsolved", "reason_code": "funding"}
    faulty: tuple[tuple[dict[str, Any], str], ...] = (
        ({"note": "已经处理"}, "finding"),
        (REPLY | {"note": ""}, "note"),
        (REPLY | {"answer": ""}, "answer"),
        ({k: v for k, v in REPLY.items() if k != "outcome"}, "outcome"),
        (REPLY | {"finding": "maybe"}, "finding"),
        (REPLY | {"reason_code": "funding"}, "reason_code"),
        (REPLY | {"outcome": "unsolved"}, "reason_code"),
        (REPLY | {"outcome": "partly"}, "reason_code"),
        (unsolved | {"reason_code": "no_such"}, "reason_code"),
    )
    for body, field in faulty:
        status, problem = await a_town.act(number, "reply", HANDLER, **body)
        assert (status, problem["field"]) == (400, field), body
    status, after = await a_town.act(number, "reply", HANDLER, **unsolved)
    assert (status, after["state"]) == (200, "review")
    form = {"finding": "founded", "outcome": "unsolved", "reason_code": "funding"}
    (event,) = await bodies(a_town, number, "replied")
    assert {name: event[name] for name in form} == form
    (shown,) = await replies_of(a_town, number)
    assert {name: shown[name] for name in form} == form
    assert (shown["status"], shown["written_by"], shown["steps"]) == ("confirmed", HANDLER.name, [])
    assert await said(a_town, number, "reply") == [(HANDLER.name, REPLY["note"])]
    assert await said(a_town, number, "answer") == [(HANDLER.name, REPLY["answer"])]
    _, page = await a_town.get("/units/dispatch/queue", REVIEWER)
    assert [row["reply"] for row in page["items"]] == [form | {"waits_for": None}]
    words = [row["x"] for row in await a_town.rows("SELECT convert_from(body, 'UTF8') AS x FROM case_events")]
    assert not any(REPLY["answer"] in each or REPLY["note"] in each for each in words)
    await examined(a_town)


async def test_a_task_that_is_no_leads_gives_an_account_only(a_town: Town) -> None:
    number = await handled(a_town, "drainage", HANDLER)
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="现场有燃气管线"))[0] == 200
    gas = principal("handler", "gas")
    assert (await a_town.act(number, "sign", gas))[0] == 200
    assert (await a_town.act(number, "reply", gas))[1]["field"] == "note"
    assert (await a_town.act(number, "reply", gas, note="已加固"))[0] == 200
    (shown,) = await replies_of(a_town, number)
    assert (shown["unit"], shown["role"], shown["finding"], shown["status"]) == ("gas", "assist", None, "confirmed")
    assert await said(a_town, number, "answer") == []


async def test_two_steps_a_refusal_and_a_second_draft(a_town: Town) -> None:
    number = await handled(a_town)
    status, after = await a_town.act(number, "reply", WRITER, **REPLY)
    assert (status, after["state"]) == (200, "handling")
    assert await topics(a_town, CHIEF) == ["sign_off"]
    assert "sign_off" not in await topics(a_town, BUREAU)
    # The words for the citizen are inside until the unit stands by them, and the reviewer sees nothing yet.
    assert await said(a_town, number, "answer") == []
    assert (await a_town.get("/units/dispatch/queue", REVIEWER))[1]["items"] == []
    _, page = await a_town.get(f"/units/{UNIT}/queue", CHIEF)
    assert page["items"][0]["reply"]["waits_for"] == {"unit": UNIT, "role": "unit_head"}
    # It goes from step to step, in that order.
    assert (await signs(a_town, number, BUREAU, **YES))[1]["type"] == "/problems/rule-broken"
    assert (await signs(a_town, number, CHIEF))[1]["field"] == "approve"
    assert (await signs(a_town, number, CHIEF, **YES))[1]["state"] == "handling"
    assert await topics(a_town, BUREAU) == ["sign_off"]
    # The second step refuses, with a reason, and the writer has it back.
    assert (await signs(a_town, number, BUREAU, approve=False))[1]["field"] == "note"
    assert (await signs(a_town, number, BUREAU, **WHY))[0] == 200
    assert "sign_off_refused" in await topics(a_town, WRITER)
    assert await said(a_town, number, "reason") == [(BUREAU.name, WHY["note"])]
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 409
    # Another draft begins at the first step again.
    assert (await a_town.act(number, "reply", WRITER, **REPLY | {"answer": "已责令补发工资"}))[0] == 200
    assert (await signs(a_town, number, BUREAU, **YES))[0] == 409
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 200
    status, after = await signs(a_town, number, BUREAU, **YES)
    assert (status, after["state"]) == (200, "review")
    assert await said(a_town, number, "answer") == [(WRITER.name, "已责令补发工资")]
    assert [each["status"] for each in await replies_of(a_town, number)] == ["refused", "confirmed"]
    steps = [[(s["unit"], s["signed_by"], s["approved"]) for s in r["steps"]] for r in await replies_of(a_town, number)]
    assert steps == [
        [(UNIT, CHIEF.name, True), (ABOVE, BUREAU.name, False)],
        [(UNIT, CHIEF.name, True), (ABOVE, BUREAU.name, True)],
    ]
    drafted = ["reply_drafted", "signed_off", "signed_off"]
    assert (await events_of(a_town, number))[-7:] == [*drafted, *drafted, "replied"]
    assert (await topics(a_town, REVIEWER)) == ["replied"]
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    await examined(a_town)


async def test_who_wrote_a_reply_does_not_sign_it_and_nobody_signs_twice(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", CHIEF, **REPLY))[0] == 200
    status, problem = await signs(a_town, number, CHIEF, **YES)
    assert (status, problem["type"], problem["field"]) == (409, "/problems/rule-broken", "approve")
    assert (await signs(a_town, number, WRITER, **YES))[0] == 403
    second = principal("unit_head", UNIT, name="second-head")
    assert (await signs(a_town, number, second, **YES))[0] == 200
    # The same person, who moved up since, is not the next signature as well.
    promoted = principal("unit_head", ABOVE, name=second.name)
    assert (await signs(a_town, number, promoted, **YES))[0] == 409
    for statement in (
        "UPDATE reply_steps SET signed_by = written_by, signed_at = now(), approved = true WHERE step = 2",
        "UPDATE reply_steps SET signed_by = 'second-head', signed_at = now(), approved = true WHERE step = 2",
        "UPDATE replies SET status = 'confirmed', ended_at = now()",
        "UPDATE replies SET finding = NULL",
        "UPDATE replies SET outcome = 'partly'",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await a_town.rows(statement)
    assert (await signs(a_town, number, BUREAU, **YES))[1]["state"] == "review"


async def test_a_reply_that_waits_for_its_head_is_late_and_the_unit_is_charged(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    clock = await the_clock(a_town, number, "reply", UNIT)
    assert (clock["status"], clock["stopped_at"]) == ("running", None)
    a_town.clock.travel(clock["due_at"] - a_town.clock.at + timedelta(minutes=1))
    await a_town.fire()
    assert (await the_clock(a_town, number, "reply", UNIT))["status"] == "missed"
    reached = await a_town.rows("SELECT level FROM escalations WHERE deadline_id = $1", clock["id"])
    assert len(reached) > 0  # its ladder went on as for a task that nobody answers
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 200
    assert (await signs(a_town, number, BUREAU, **YES))[1]["state"] == "review"
    late = await the_clock(a_town, number, "reply", UNIT)
    assert (late["status"], late["unit"], late["stopped_at"]) == ("missed", UNIT, a_town.clock.at)
    assert await a_town.value("SELECT replied_at FROM assignments WHERE role = 'lead'") == a_town.clock.at


async def test_a_draft_lapses_when_the_task_ends_or_another_one_is_written(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 200
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    assert [each["status"] for each in await replies_of(a_town, number)] == ["lapsed", "waiting"]
    # What was signed of the first does not count for the second.
    assert (await signs(a_town, number, BUREAU, **YES))[0] == 409
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="gas", note="改派"))[0] == 200
    assert [each["status"] for each in await replies_of(a_town, number)] == ["lapsed", "lapsed"]
    task = await a_town.value("SELECT id FROM assignments WHERE unit = $1", UNIT)
    version = await a_town.value("SELECT version FROM assignments WHERE id = $1", task)
    assert (await a_town.act(number, "sign_off", CHIEF, version=version, assignment=task, **YES))[0] == 409
    returned = await handled(a_town, location={"lon": 116.22, "lat": 33.14})
    assert (await a_town.act(returned, "reply", WRITER, **REPLY))[0] == 200
    assert (await a_town.act(returned, "return", WRITER, reason_code="need_info", note="没有单位名称"))[0] == 200
    assert [each["status"] for each in await replies_of(a_town, returned)] == ["lapsed"]
    assert await said(a_town, number, "answer") == []
    await examined(a_town)


async def test_what_is_given_away_meanwhile_is_answered_before_the_last_signature(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    assert (await a_town.act(number, "divide", DISPATCHER, units=["gas"], note="分工"))[0] == 200
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 200
    status, problem = await signs(a_town, number, BUREAU, **YES)
    assert (status, problem["field"]) == (409, "assignment")
    gas = principal("handler", "gas")
    assert (await a_town.act(number, "sign", gas))[0] == 200
    assert (await a_town.act(number, "reply", gas, note="已加固"))[0] == 200
    assert (await signs(a_town, number, BUREAU, **YES))[1]["state"] == "review"


async def test_who_stands_in_for_a_head_on_leave_signs_for_them(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    for name, unit in (("head", UNIT), ("deputy", ABOVE)):
        await account(a_town, name, "unit_head", unit)
    deputy = principal("unit_head", ABOVE, name="deputy")
    assert (await signs(a_town, number, deputy, **YES))[0] == 409
    await leave(a_town, "head", a_town.clock.at, a_town.clock.at + timedelta(days=1), "deputy")
    assert (await signs(a_town, number, deputy, **YES))[0] == 200
    assert (await signs(a_town, number, deputy, **YES))[0] == 409
    assert (await signs(a_town, number, BUREAU, **YES))[0] == 200


async def test_a_restricted_case_leaves_its_unit_for_no_signature(a_town: Town) -> None:
    number = await opened(a_town, category="S110401", text="包工头欠薪还打人", caller=CITIZEN, assigned_unit=UNIT)
    heads = [CHIEF, principal("unit_head", UNIT, name="second-head")]
    assert (await a_town.act(number, "sign", heads[0]))[0] == 200
    assert (await a_town.act(number, "reply", heads[0], **REPLY))[1]["state"] == "handling"
    assert (await signs(a_town, number, BUREAU, **YES))[0] == 404
    assert (await signs(a_town, number, heads[1], **YES))[1]["state"] == "review"


async def test_words_of_a_draft_that_were_erased_come_back_with_no_signature(a_town: Town) -> None:
    number = await handled(a_town)
    assert (await a_town.act(number, "reply", WRITER, **REPLY))[0] == 200
    await a_town.rows("DELETE FROM case_keys")
    assert (await signs(a_town, number, CHIEF, **YES))[0] == 200
    assert (await signs(a_town, number, BUREAU, **YES))[1]["state"] == "review"
    assert await a_town.value("SELECT count(*) FROM texts WHERE kind = 'answer'") == 0


async def test_every_reply_of_a_unit_is_signed_also_where_it_only_helps(a_town: Town) -> None:
    number = await handled(a_town, "drainage", HANDLER)
    assert (await a_town.act(number, "assist", DISPATCHER, unit="housing-fund", note="核对账户", limit="3h"))[0] == 200
    fund, head = principal("handler", "housing-fund"), principal("unit_head", "housing-fund")
    assert (await a_town.act(number, "sign", fund))[0] == 200
    assert (await a_town.act(number, "reply", fund, note="账户正常"))[0] == 200
    (clock,) = [each for each in await clocks_of(a_town, number, "reply") if each["unit"] == "housing-fund"]
    assert clock["status"] == "running"
    assert (await a_town.act(number, "sign_off", head, **YES))[0] == 200
    (clock,) = [each for each in await clocks_of(a_town, number, "reply") if each["unit"] == "housing-fund"]
    assert clock["status"] == "met"
    assert await a_town.value("SELECT state FROM assignments WHERE unit = 'housing-fund'") == "replied"
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "handling"
