"""Danger words: the shift leader is alerted, a logged call is demanded, and nothing ends the case with words before."""

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.town import Town, report
from tests.integration.casework.looking import clocks_of, events_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, OPERATOR
from tests.integration.casework.walks import desk_call, held, opened


@pytest.mark.parametrize(
    ("text", "code", "urgency"),
    [
        ("厨房里闻到煤气味", "gas", "critical"),
        ("工地围墙坍塌了", "collapse", "critical"),
        ("电线掉在路上", "live_wire", "critical"),
        ("老人被困电梯", "trapped", "critical"),
        ("有人说不想活了", "suicide", "critical"),
        ("他扬言要报复", "threat", "critical"),
        ("几十个人聚集在门口", "gathering", "urgent"),
        ("工地欠薪三个月，工人讨薪", "wages", "urgent"),
        ("孩子走失两小时", "missing", "critical"),
        ("食堂食物中毒", "food", "critical"),
    ],
)  # fmt: skip
async def test_each_word_starts_the_procedure(a_town: Town, text: str, code: str, urgency: str) -> None:
    _, answer = await a_town.send(report(text=text, category=None, caller=CITIZEN))
    assert answer["danger"] == [code]
    row = (await a_town.rows("SELECT urgency, danger FROM cases"))[0]
    assert (row["urgency"], row["danger"]) == (urgency, [code])
    (clock,) = await clocks_of(a_town, answer["case_no"], "danger")
    assert (clock["status"], clock["unit"]) == ("running", "dispatch")
    told = {row["recipient"] for row in await a_town.rows("SELECT recipient FROM notices WHERE topic = 'danger'")}
    assert told == {"unit:dispatch", "unit:*"}


async def test_violence_at_home_is_seen_by_named_readers_and_its_procedure_runs_all_the_same(a_town: Town) -> None:
    _, answer = await a_town.send(report(text="邻居家暴，孩子在哭", category=None, caller=CITIZEN))
    assert await a_town.value("SELECT restricted FROM cases") is True
    assert (await a_town.get(f"/cases/{answer['case_no']}", DISPATCHER))[0] == 404
    assert len(await clocks_of(a_town, answer["case_no"], "danger")) == 1


async def test_nothing_ends_it_before_a_call_reached_somebody(a_town: Town) -> None:
    number = await held(a_town, text="家里有燃气味，怎么办")
    endings: list[tuple[str, dict[str, Any]]] = [
        ("answer", {"told": "请开窗"}), ("end", {"reason_code": "silent"}), ("reject", {"reason_code": "trivial"}),
        ("refer", {"reason_code": "fire"}),
    ]  # fmt: skip
    for action, body in endings:
        status, problem = await a_town.act(number, action, OPERATOR, **body)
        assert (status, problem["field"]) == (409, "call"), action
        assert "call" in problem["allowed_actions"]
    assert (await a_town.act(number, "call", OPERATOR, to="gas"))[0] == 400
    assert (await a_town.act(number, "call", OPERATOR, to="13812345678", reached=True))[0] == 400
    assert (await a_town.act(number, "call", OPERATOR, to="gas", reached=False))[0] == 200
    assert (await a_town.act(number, "refer", OPERATOR, reason_code="fire"))[0] == 409
    assert (await a_town.act(number, "call", OPERATOR, to="fire", reached=True, three_way=True))[0] == 200
    assert [d["status"] for d in await clocks_of(a_town, number, "danger")] == ["met"]
    status, after = await a_town.act(number, "refer", OPERATOR, reason_code="fire")
    assert (status, after["state"]) == (200, "referred")


async def test_a_call_that_nobody_makes_climbs_to_the_commander(a_town: Town) -> None:
    number = await opened(a_town, text="路面塌陷", caller=CITIZEN)
    a_town.clock.travel(timedelta(minutes=11))
    await a_town.fire()
    (clock,) = await clocks_of(a_town, number, "danger")
    assert clock["status"] == "missed"
    levels = await a_town.rows(
        "SELECT level, call_demanded FROM escalations WHERE deadline_id = $1 ORDER BY level", clock["id"]
    )
    assert levels[-1]["call_demanded"] is True


async def test_a_new_danger_in_a_later_report_or_an_addition_starts_it_anew(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN)
    assert await clocks_of(a_town, number, "danger") == []
    _, second = await a_town.send(
        report(text="积水里有电线掉下来，漏电", caller={"name": "李四", "phone": "13900000001"})
    )
    assert (second["case_no"], second["danger"]) == (number, ["live_wire"])
    assert (await a_town.act(number, "call", OPERATOR, to="drainage", reached=True))[0] == 200
    url = f"{a_town.url}/api/v1/reports/{await receipt_of(a_town, number)}/supplements"
    for text in ("有人被困了", "还是有人被困"):
        async with a_town.http.post(url, json={"text": text}, headers=a_town.acts_as(OPERATOR)) as answer:
            assert answer.status == 201
    assert [d["status"] for d in await clocks_of(a_town, number, "danger")] == ["met", "running"]
    assert (await events_of(a_town, number)).count("danger_found") == 2
    row = (await a_town.rows("SELECT danger, safety FROM cases"))[0]
    assert (row["danger"], row["safety"]) == (["live_wire", "trapped"], True)


async def test_history_that_is_fed_alarms_nobody(a_town: Town) -> None:
    from tests.harness.town import REPLAYER

    made = report(channel="history", text="当年燃气泄漏", received_at="2026-10-01T10:00:00+08:00")
    status, _ = await a_town.send(made, REPLAYER)
    assert status == 201
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'danger'") == 0


async def test_a_secret_typed_by_mistake_is_gone_everywhere(a_town: Town) -> None:
    words = "七三一工程地下库房的通行口令"
    number = await held(a_town, text=words)
    assert (await a_town.act(number, "ask", OPERATOR, note="口令请再说一遍"))[0] == 200
    status, after = await a_town.act(number, "expunge", OPERATOR)
    assert (status, after["state"]) == (200, "rejected")
    _, case = await a_town.get(f"/cases/{number}", DISPATCHER)
    assert case["texts"] == []
    _, found = await a_town.get("/cases?q=地下库房", DISPATCHER)
    assert found["items"] == []
    tables = await a_town.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    for (table,) in map(tuple, tables):
        hits = await a_town.value(
            f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE '%口令%' OR t::text LIKE '%地下%'"
        )
        assert hits == 0, table
    assert (await events_of(a_town, number))[-1] == "expunged"


async def test_a_call_about_a_secret_is_registered_without_its_words(a_town: Town) -> None:
    made = report(category=None, text="绝密文件在某处", caller=CITIZEN, location=None)
    status, answer = await desk_call(a_town, report=made, action="reject", body={"reason_code": "secret"})
    assert (status, answer["result"]["state"]) == (201, "rejected")
    _, case = await a_town.get(f"/cases/{answer['report']['case_no']}", DISPATCHER)
    assert all("绝密" not in text["text"] for text in case["texts"])
    assert await a_town.value("SELECT count(*) FROM callers") == 0
