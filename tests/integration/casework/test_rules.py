"""Rules that every action keeps: versions, keys, clocks that never restart, returns, assists."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, HEAD, REVIEWER, SUPERVISOR
from tests.integration.casework.walks import brought, opened

WATER = principal("handler", "water-affairs")
GAS = principal("handler", "gas")


async def _post(town: Town, number: str, action: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    url = f"{town.url}/api/v1/cases/{number}/actions/{action}"
    async with town.http.post(url, json=body, headers=town.acts_as(HANDLER) | headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_an_action_needs_the_version_it_was_decided_on(a_town: Town) -> None:
    number = await opened(a_town)
    status, problem = await _post(a_town, number, "sign", {}, {})
    assert (status, problem["type"], problem["current_version"]) == (428, "/problems/version-missing", 1)
    for stale in ('"0"', "2", 'W/"7"', "abc", '""'):
        status, problem = await _post(a_town, number, "sign", {"If-Match": stale}, {})
        assert (status, problem["current_version"]) == (412, 1), stale
    assert (await _post(a_town, number, "sign", {"If-Match": '"1"'}, {}))[0] == 200
    status, problem = await _post(a_town, number, "reply", {"If-Match": '"1"'}, {"note": "好"})
    assert (status, problem["current_version"]) == (412, 2)
    # A logged attempt to reach the citizen changes no version.
    assert (await _post(a_town, number, "contact", {"If-Match": '"2"'}, {"reached": False}))[0] == 200
    assert (await _post(a_town, number, "reply", {"If-Match": 'W/"2"'}, REPLY))[0] == 200
    # Desk actions go by the version of the case.
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert (await a_town.act(number, "approve", REVIEWER, version=case["version"] - 1))[0] == 412
    assert (await a_town.act(number, "approve", REVIEWER, version=case["version"]))[0] == 200


async def test_of_two_people_who_decide_at_once_one_is_told_to_look_again(a_town: Town) -> None:
    number = await opened(a_town)
    other = principal("handler", "drainage", name="second")
    fates = await asyncio.gather(*(a_town.act(number, "sign", who, version=1) for who in (HANDLER, other) * 4))
    assert sorted(status for status, _ in fates) == [200] + [412] * 7
    assert (await events_of(a_town, number)).count("signed") == 1


async def test_a_repeated_key_gets_the_first_answer_and_acts_once(a_town: Town) -> None:
    number = await opened(a_town)
    fates = await asyncio.gather(*(a_town.act(number, "sign", HANDLER, version=1, key="k1") for _ in range(8)))
    assert {status for status, _ in fates} == {200}
    assert len({str(answer) for _, answer in fates}) == 1
    assert (await events_of(a_town, number)).count("signed") == 1
    status, problem = await a_town.act(number, "sign", HANDLER, version=1, key="k1", note="something else")
    assert (status, problem["type"]) == (422, "/problems/idempotency-conflict")
    # The key is this person's own.
    assert (await a_town.act(number, "sign", principal("handler", "drainage", name="b"), version=1, key="k1"))[0] == 412


async def test_one_key_for_two_cases_at_once_acts_on_one_of_them(a_town: Town) -> None:
    first = await opened(a_town)
    second = await opened(a_town, category="E0507", text="另一件事")
    lead = str(
        await a_town.value(
            "SELECT a.unit FROM assignments a JOIN cases c ON c.id = a.case_id WHERE c.case_no = $1", second
        )
    )
    city = principal("handler", "city")
    assert lead
    fates = await asyncio.gather(
        *(a_town.act(number, "sign", city, version=1, key="same") for number in (first, second))
    )
    assert sorted(status for status, _ in fates) == [200, 422]


async def test_a_refusal_is_not_remembered(a_town: Town) -> None:
    number = await opened(a_town)
    assert (await a_town.act(number, "reply", HANDLER, version=1, key="k", note="早了"))[0] == 409
    assert (await a_town.act(number, "sign", HANDLER, version=1))[0] == 200
    assert (await a_town.act(number, "reply", HANDLER, version=2, key="k2", **REPLY))[0] == 200


async def test_the_case_clock_never_restarts_and_task_clocks_are_new(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN)
    (close,) = await clocks_of(a_town, number, "close")
    first = await clocks_of(a_town, number, "reply")
    a_town.clock.travel(timedelta(minutes=20))
    assert (await a_town.act(number, "return", HANDLER, reason_code="not_our_duty", unit="gas", note="不归我们"))[
        0
    ] == 200
    (returned,) = await clocks_of(a_town, number, "close")
    assert returned["unit"] == "dispatch"  # whose time is running now
    a_town.clock.travel(timedelta(minutes=5))
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="water-affairs"))[0] == 200
    (again,) = await clocks_of(a_town, number, "close")
    for kept in ("id", "started_at", "due_at", "round", "status"):
        assert close[kept] == returned[kept] == again[kept]
    assert again["unit"] == "water-affairs"
    old, new = [d for d in await clocks_of(a_town, number, "reply") if d["unit"] in ("drainage", "water-affairs")]
    assert (old["status"], old["stopped_at"], new["status"]) == (
        "cancelled",
        first[0]["started_at"] + timedelta(minutes=20),
        "running",
    )
    assert new["started_at"] == first[0]["started_at"] + timedelta(minutes=25)
    assert [d["round"] for d in await clocks_of(a_town, number, "dispatch")] == [1, 2]
    signs = {d["unit"]: d["status"] for d in await clocks_of(a_town, number, "sign")}
    assert (signs["drainage"], signs["water-affairs"]) == ("met", "running")


async def test_reopening_adds_a_round_and_leaves_the_earlier_one_as_it_was(a_town: Town) -> None:
    number = await brought(a_town, "closed")
    (close,) = await clocks_of(a_town, number, "close")
    a_town.clock.travel(timedelta(days=1))
    status, after = await a_town.act(number, "reopen", SUPERVISOR, note="又积水了")
    assert (status, after["state"]) == (200, "to_sign")
    kept, fresh = await clocks_of(a_town, number, "close")
    assert kept == close
    assert (fresh["round"], fresh["started_at"]) == (2, a_town.clock.at)
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "return", HANDLER, **BODY["return"]))[0] == 200
    assert [d["round"] for d in await clocks_of(a_town, number, "dispatch")] == [1, 2]


async def test_a_unit_that_returned_a_case_cannot_get_it_back(a_town: Town) -> None:
    number = await brought(a_town, "returned")
    for body in ({"unit": "drainage"}, {"unit": "gas", "assists": ["drainage"]}):
        status, problem = await a_town.act(number, "dispatch", DISPATCHER, **body)
        assert (status, problem["type"]) == (409, "/problems/rule-broken"), body
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas"))[0] == 200
    assert (await a_town.act(number, "sign", HANDLER))[0] == 409  # its own task is over


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason_code"),
        ({"reason_code": "too_lazy"}, "reason_code"),
        ({"reason_code": "not_our_duty"}, "unit"),
        ({"reason_code": "not_our_duty", "unit": "no-such"}, "unit"),
        ({"reason_code": "not_our_duty", "unit": "drainage"}, "unit"),
    ],
)
async def test_a_return_needs_one_of_the_citys_reasons(a_town: Town, body: dict[str, Any], field: str) -> None:
    number = await opened(a_town)
    status, problem = await a_town.act(number, "return", HANDLER, **body)
    assert (status, problem["field"]) == (400, field)
    assert (await events_of(a_town, number))[-1] == "dispatched"


async def test_an_assist_that_returns_leaves_the_lead_at_work(a_town: Town) -> None:
    number = await brought(a_town, "triage", caller=CITIZEN)
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="drainage", assists=["gas", "water-affairs"]))[
        0
    ] == 200
    assert (await a_town.act(number, "return", GAS, reason_code="need_info", note="地址不全"))[0] == 200
    assert (await a_town.act(number, "sign", HEAD))[0] == 200
    assert await a_town.value("SELECT state FROM cases") == "handling"
    # a lead's return ends what the other assists do, too
    assert (await a_town.act(number, "sign", WATER))[0] == 200
    assert (await a_town.act(number, "return", HANDLER, reason_code="need_info", note="地址不全"))[0] == 200
    rows = await a_town.rows("SELECT unit, state, role FROM assignments ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("drainage", "returned", "lead"), ("gas", "returned", "assist"), ("water-affairs", "withdrawn", "assist"),
    ]  # fmt: skip
    live = await a_town.rows("SELECT clock, unit FROM deadlines WHERE stopped_at IS NULL ORDER BY clock")
    assert [tuple(row) for row in live] == [("close", "dispatch"), ("dispatch", "dispatch"), ("ruling", "dispatch")]
    _, inbox = await a_town.get("/notices", DISPATCHER)
    assert [n["topic"] for n in inbox["items"]] == ["returned", "returned"]
    status, problem = await a_town.act(number, "dispatch", DISPATCHER, unit="gas")
    assert (status, problem["type"]) == (409, "/problems/rule-broken")


async def test_three_attempts_to_reach_the_citizen_stop_the_contact_clock(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for _ in range(2):
        assert (await a_town.act(number, "contact", HANDLER, reached=False))[0] == 200
    (clock,) = await clocks_of(a_town, number, "contact")
    assert clock["status"] == "running"
    assert (await a_town.act(number, "contact", HANDLER, reached=False))[0] == 200
    (clock,) = await clocks_of(a_town, number, "contact")
    assert clock["status"] == "met"
