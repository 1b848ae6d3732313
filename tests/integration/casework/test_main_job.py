"""The main job by hand: who may do what, in which order, and what it does to the case."""

from itertools import product
from typing import Any

from tests.harness.town import Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, STRANGER, WHO
from tests.integration.casework.walks import brought, opened


async def test_the_whole_job_leaves_a_whole_record(a_town: Town) -> None:
    number = await brought(a_town, "triage", caller=CITIZEN)
    for action in ("dispatch", "sign", "contact", "reply", "approve", "close"):
        who = principal("handler", "water-affairs") if action in ("sign", "contact", "reply") else WHO[action]
        assert (await a_town.act(number, action, who, **BODY[action]))[0] == 200, action
    assert await events_of(a_town, number) == [
        "received", "dispatched", "signed", "contacted", "replied", "approved", "followup_set", "followed_up", "closed",
    ]  # fmt: skip
    rows = await a_town.rows("SELECT type, actor FROM case_events ORDER BY seq")
    assert {row["type"]: row["actor"] for row in rows}["closed"] == "followup-hotline"
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE stopped_at IS NULL") == 0
    assert await a_town.value("SELECT solved FROM cases WHERE case_no = $1", number) is True


async def test_a_case_of_nobody_who_can_be_asked_is_closed_with_its_approval(a_town: Town) -> None:
    number = await opened(a_town)
    for action in ("sign", "reply", "approve"):
        status, after = await a_town.act(number, action, WHO[action], **BODY[action])
        assert status == 200
    assert after["state"] == "closed"
    assert await a_town.value("SELECT solved FROM cases WHERE case_no = $1", number) is None


async def test_a_reply_waits_at_the_desk_and_its_reviewers_hear_of_it(a_town: Town) -> None:
    number = await brought(a_town, "review")
    _, page = await a_town.get("/units/dispatch/queue", WHO["approve"])
    assert [(row["case_no"], row["state"]) for row in page["items"]] == [(number, "review")]
    _, inbox = await a_town.get("/notices", WHO["approve"])
    assert [n["topic"] for n in inbox["items"]] == ["replied"]


async def test_another_units_handler_finds_nothing_whatever_they_try(a_town: Town) -> None:
    number = await brought(a_town, "to_sign")
    for path in ("", "/events", "/explain", "/deadlines/explain"):
        assert (await a_town.get(f"/cases/{number}{path}", STRANGER))[0] == 404
    for action, body in product(("sign", "return", "reply", "contact"), ({}, {"note": "x"})):
        status, problem = await a_town.act(number, action, STRANGER, version=1, **body)
        assert (status, problem["type"]) == (404, "/problems/not-found")
    assert (await a_town.get("/cases", STRANGER))[1]["items"] == []
    assert (await a_town.get("/units/drainage/queue", STRANGER))[0] == 404
    headers = a_town.acts_as(STRANGER)
    async with a_town.http.post(f"{a_town.url}/api/v1/units/drainage/queue/pull", json={}, headers=headers) as answer:
        assert answer.status == 403


async def test_unknown_actions_units_categories_and_missing_fields_are_named(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "unit"),
        ({"unit": "no-such"}, "unit"),
        ({"unit": "drainage", "assists": ["no-such"]}, "assists"),
        ({"unit": "drainage", "category": "X9"}, "category"),
    ]
    for body, field in cases:
        status, problem = await a_town.act(number, "dispatch", DISPATCHER, **body)
        assert (status, problem["field"]) == (400, field)
    assert (await a_town.act(number, "explode", DISPATCHER, version=1))[0] == 404
    # twice the same assist, and the lead among them, are one task each
    status, _ = await a_town.act(
        number, "dispatch", DISPATCHER, unit="drainage", assists=["gas", "gas", "drainage"], category="E0506"
    )
    assert status == 200
    rows = await a_town.rows("SELECT role, unit FROM assignments ORDER BY id")
    assert [tuple(row) for row in rows] == [("lead", "drainage"), ("assist", "gas")]


async def test_a_category_given_by_hand_brings_its_urgency_and_its_secrecy(a_town: Town) -> None:
    danger = await brought(a_town, "triage")
    assert (await a_town.act(danger, "dispatch", DISPATCHER, unit="gas", category="E0502"))[0] == 200
    row = (await a_town.rows("SELECT urgency, safety FROM cases WHERE case_no = $1", danger))[0]
    assert tuple(row) == ("critical", True)
    _, answer = await a_town.send(
        report(category=None, text="邻居家里天天打人，孩子在哭", location={"lon": 116.21, "lat": 33.13})
    )
    secret = answer["case_no"]
    assert (await a_town.act(secret, "dispatch", DISPATCHER, unit="police", category="S110401"))[0] == 200
    assert (await a_town.get(f"/cases/{secret}", DISPATCHER))[0] == 404
    assert (await a_town.get(f"/cases/{secret}", principal("handler", "police")))[0] == 404
    assert (await a_town.get(f"/cases/{secret}", principal("unit_head", "police")))[0] == 200
