"""The operator's desk: what becomes of a call before a unit has it, and what is taken back."""

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.town import Town, principal, report
from tests.integration.casework.looking import clocks_of, events_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, OPERATOR, SUPERVISOR
from tests.integration.casework.walks import brought, desk_call, held, opened


async def told(town: Town, number: str) -> list[str]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    return [text["text"] for text in case["texts"] if text["kind"] == "told"]


async def test_a_call_stays_on_the_desk_until_the_operator_says_what_follows(a_town: Town) -> None:
    number = await held(a_town, category="E0506", text="路口积水很深")
    row = (await a_town.rows("SELECT state, owner_unit FROM cases WHERE case_no = $1", number))[0]
    assert tuple(row) == ("received", "hotline")
    status, after = await a_town.act(number, "accept", OPERATOR)
    assert (status, after["state"]) == (200, "to_sign")  # the duty book knows whose it is
    assert await events_of(a_town, number) == ["received", "accepted", "dispatched"]


async def test_a_held_call_is_never_attached_by_itself(a_town: Town) -> None:
    first = await opened(a_town, caller=CITIZEN)
    status, answer = await desk_call(a_town, report=report(caller=CITIZEN))
    assert (status, answer["report"]["match"]["suggested"], answer["report"]["match"]["case_no"]) == (201, True, first)
    assert answer["report"]["case_no"] != first


async def test_a_call_and_what_follows_are_one_request_and_each_is_done_once(a_town: Town) -> None:
    sent: dict[str, Any] = {
        "report": report(caller=CITIZEN, category=None, text="公园几点关门"),
        "action": "answer",
        "body": {"told": "晚上十点关门"},
    }
    status, answer = await desk_call(a_town, **sent)
    assert (status, answer["result"]["state"]) == (201, "answered")
    assert await desk_call(a_town, **sent) == (200, answer)
    assert await told(a_town, answer["report"]["case_no"]) == ["晚上十点关门"]
    assert await a_town.value("SELECT count(*) FROM cases") == 1


@pytest.mark.parametrize("code", ["silent", "misdialled", "harassment", "broken_off", "praise"])
async def test_one_key_ends_a_call_without_a_word_typed(a_town: Town, code: str) -> None:
    made = {"channel": "hotline", "external_id": f"call-{code}"}
    status, answer = await desk_call(a_town, report=made, action="end", body={"reason_code": code})
    assert (status, answer["result"]["state"]) == (201, "answered")
    assert await a_town.value("SELECT ending FROM cases") == code


async def test_a_question_has_its_limit_and_what_the_caller_adds_answers_it(a_town: Town) -> None:
    number = await brought(a_town, "need_info")
    (asked,) = await clocks_of(a_town, number, "need_info")
    assert (asked["status"], asked["unit"]) == ("running", "hotline")
    status, problem = await a_town.act(number, "reject", OPERATOR, reason_code="no_contact")
    assert (status, problem["field"]) == (409, "reason_code")
    assert "allowed_actions" in problem
    url = f"{a_town.url}/api/v1/reports/{await receipt_of(a_town, number)}/supplements"
    async with a_town.http.post(url, json={"text": "在三号楼"}, headers=a_town.acts_as(OPERATOR)) as answer:
        assert answer.status == 201
    assert await a_town.value("SELECT state FROM cases WHERE case_no = $1", number) == "triage"
    assert [d["status"] for d in await clocks_of(a_town, number, "need_info")] == ["met"]


async def test_a_caller_is_asked_only_so_often_and_given_up_only_after_the_limit(a_town: Town) -> None:
    number = await brought(a_town, "need_info")
    assert (await a_town.act(number, "accept", OPERATOR))[0] == 200
    assert (await a_town.act(number, "ask", OPERATOR, note="哪一栋"))[0] == 200
    assert (await a_town.act(number, "accept", OPERATOR))[0] == 200
    status, problem = await a_town.act(number, "ask", OPERATOR, note="再问一次")
    assert (status, problem["type"]) == (409, "/problems/rule-broken")
    other = await held(a_town, text="另一件事说不清楚", caller={"name": "李四", "phone": "13900000009"})
    assert (await a_town.act(other, "ask", OPERATOR, note="请补充"))[0] == 200
    a_town.clock.travel(timedelta(days=4))
    status, after = await a_town.act(other, "reject", OPERATOR, reason_code="no_contact")
    assert (status, after["state"]) == (200, "rejected")


async def test_the_dispatch_desk_sends_back_with_a_reason_and_every_field_stays(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    assert (await a_town.act(number, "send_back", DISPATCHER))[0] == 400
    status, after = await a_town.act(number, "send_back", DISPATCHER, note="缺少地点")
    assert (status, after["state"]) == (200, "received")
    assert await a_town.value("SELECT owner_unit FROM cases") == "hotline"
    _, inbox = await a_town.get("/notices", OPERATOR)
    assert [n["topic"] for n in inbox["items"]] == ["sent_back"]


async def test_a_tenth_of_a_yuan_is_refused_with_its_reason_and_taken_back_by_a_supervisor(a_town: Town) -> None:
    """投诉超市价格高0.1元: nobody's business, told why, on record, reversible; the case clock never restarts."""
    number = await held(a_town, text="超市的可乐比别家贵0.1元，我要投诉", category=None)
    (close,) = await clocks_of(a_town, number, "close")
    status, problem = await a_town.act(number, "reject", OPERATOR, reason_code="too_small")
    assert (status, problem["field"]) == (400, "reason_code")
    a_town.clock.travel(timedelta(minutes=5))
    status, after = await a_town.act(number, "reject", OPERATOR, reason_code="trivial")
    assert (status, after["state"]) == (200, "rejected")
    (said,) = await told(a_town, number)
    assert "自主经营" in said
    assert (await clocks_of(a_town, number, "close"))[0]["status"] == "met"
    a_town.clock.travel(timedelta(hours=3))
    assert (await a_town.act(number, "restore", OPERATOR, note="x"))[0] == 403
    status, after = await a_town.act(number, "restore", SUPERVISOR, note="涉及明码标价，应当受理")
    assert (status, after["state"]) == (200, "triage")
    (again,) = await clocks_of(a_town, number, "close")
    assert (again["id"], again["started_at"], again["due_at"]) == (close["id"], close["started_at"], close["due_at"])
    assert again["status"] == "running"
    await a_town.fire()
    _, figures = await a_town.get("/stats/desk?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z", SUPERVISOR)
    assert figures["rejection_reversal_rate"] == {"numerator": 1, "denominator": 1, "excluded": 0, "value": 1.0}
    assert figures["direct_answer_rate"]["denominator"] == 1


async def test_quarrelling_neighbours_are_shown_the_way_that_is_open_to_them(a_town: Town) -> None:
    number = await held(a_town, text="邻居家孩子太吵，要求政府出面调解赔偿", category=None)
    status, after = await a_town.act(number, "refer", OPERATOR, reason_code="legal_aid", note="双方民事纠纷")
    assert (status, after["state"]) == (200, "referred")
    assert [each for each in after["allowed_actions"] if "order" not in each] == ["judge", "restore"]
    assert "12348" in (await told(a_town, number))[0]
    assert await a_town.value("SELECT count(*) FROM assignments") == 0


async def test_an_article_is_cited_by_the_version_that_was_read_out(a_town: Town) -> None:
    number = await held(a_town)
    status, problem = await a_town.act(number, "answer", OPERATOR)
    assert (status, problem["field"]) == (400, "told")
    status, problem = await a_town.act(number, "answer", OPERATOR, article=1, article_version=1)
    assert (status, problem["field"]) == (400, "article_version")
    written = {
        "title": "公园开放时间", "text": "每天六点到二十二点", "unit": "hotline", "valid_until": "2027-12-31T00:00:00+08:00",
    }  # fmt: skip
    url = f"{a_town.url}/api/v1/knowledge"
    async with a_town.http.post(url, json=written, headers=a_town.acts_as(DISPATCHER)) as answer:
        article = await answer.json()
        assert answer.status == 201, article
    told_from = {"article": article["id"], "article_version": article["version"]}
    assert (await a_town.act(number, "answer", OPERATOR, **told_from))[0] == 200
    row = (await a_town.rows("SELECT article, version FROM citations"))[0]
    assert tuple(row) == (article["id"], article["version"])


async def test_a_caller_takes_it_back_and_the_case_ends_only_when_nobody_remains(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN)
    _, second = await a_town.send(report(caller={"name": "李四", "phone": "13900000001"}))
    assert second["case_no"] == number
    first = await receipt_of(a_town, number)
    status, after = await a_town.act(number, "retract", OPERATOR, receipt_no=first)
    assert (status, after["state"]) == (200, "to_sign")
    status, after = await a_town.act(number, "retract", OPERATOR, receipt_no=second["receipt_no"])
    assert (status, after["state"]) == (200, "terminated")
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE stopped_at IS NULL") == 0
    _, inbox = await a_town.get("/notices", HANDLER)
    assert "retracted" in [n["topic"] for n in inbox["items"]]
    foreign = await opened(a_town, location={"lon": 116.21, "lat": 33.13})
    assert (await a_town.act(foreign, "retract", OPERATOR, receipt_no=first))[0] == 400


async def test_a_gas_leak_is_not_over_because_its_caller_takes_it_back(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN, text="楼道里燃气泄漏")
    status, after = await a_town.act(number, "retract", OPERATOR, receipt_no=await receipt_of(a_town, number))
    assert (status, after["state"]) == (200, "to_sign")


async def test_an_operator_of_a_city_that_lets_only_dispatchers_refuse_may_not(a_town: Town) -> None:
    number = await held(a_town)
    cities = a_town.services.cities
    before = cities.current.casework
    object.__setattr__(cities.current, "casework", type(before)(rejecters=("dispatcher",)))
    try:
        status, problem = await a_town.act(number, "reject", OPERATOR, reason_code="trivial")
        assert (status, problem["type"]) == (403, "/problems/not-permitted")
        assert (await a_town.act(number, "reject", principal("dispatcher", "dispatch"), reason_code="trivial"))[
            0
        ] == 200
    finally:
        object.__setattr__(cities.current, "casework", before)
