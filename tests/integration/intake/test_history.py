"""Times that come from outside: a superior's limit, a relay's time of receipt, and recorded history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch.casework.history import Closed, Closing, settle_all
from tests.harness.town import REPLAYER, START, Town, report

WHO = {"name": "市民甲", "phone": "13800138000"}


def _due(answer: dict[str, Any], clock: str) -> datetime:
    return next(datetime.fromisoformat(d["due_at"]) for d in answer["deadlines"] if d["deadline"] == clock)


def _past(**fields: Any) -> dict[str, Any]:
    return report(channel="history", **{"received_at": "2025-11-18T10:00:00+08:00"} | fields)


async def test_a_limit_given_by_a_superior_is_honoured_and_explained(a_town: Town) -> None:
    due = START + timedelta(hours=30)
    _, answer = await a_town.send(report(due_at=due.isoformat()))
    assert _due(answer, "close") == due
    assert await a_town.value("SELECT rule FROM deadlines WHERE clock = 'close'") == "given"


async def test_a_given_limit_or_unit_of_a_report_that_joins_a_case_is_kept_and_named(a_town: Town) -> None:
    _, first = await a_town.send(report())
    _, second = await a_town.send(report(due_at=(START + timedelta(hours=30)).isoformat(), assigned_unit="emergency"))
    assert (second["outcome"], second["case_no"]) == ("attached", first["case_no"])
    assert [(w["field"], w["code"]) for w in second["warnings"]] == [("due_at", "joined"), ("assigned_unit", "joined")]
    assert _due(second, "close") == _due(first, "close")


async def test_the_case_clock_of_a_relayed_report_starts_at_its_receipt_and_those_of_the_unit_now(a_town: Town) -> None:
    received = START - timedelta(hours=1)
    _, answer = await a_town.send(report(received_at=received.isoformat()))
    starts = {d["deadline"]: datetime.fromisoformat(d["started_at"]) for d in answer["deadlines"]}
    assert starts["close"] == received
    assert starts["sign"] == START
    assert await a_town.value("SELECT opened_at FROM cases") == received


async def test_a_relay_that_comes_after_its_limit_is_escalated_at_once(a_town: Town) -> None:
    await a_town.send(report(received_at=(START - timedelta(days=3)).isoformat()))
    await a_town.fire()
    assert (
        await a_town.value(
            "SELECT count(*) FROM escalations e JOIN deadlines d ON d.id = e.deadline_id WHERE d.clock = 'close'"
        )
        > 0
    )


async def test_deadlines_that_were_past_when_history_came_in_are_missed_without_alarm(a_town: Town) -> None:
    _, answer = await a_town.send(_past(caller=WHO), REPLAYER)
    assert {d["status"] for d in answer["deadlines"] if d["deadline"] != "review"} == {"missed"}
    await a_town.fire()
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE historic AND status = 'missed'") >= 3
    assert await a_town.value("SELECT count(*) FROM escalations") == 0
    assert await a_town.value("SELECT count(*) FROM notices") == 0


async def test_an_open_case_of_history_still_has_a_live_review(a_town: Town) -> None:
    await a_town.send(_past(), REPLAYER)
    due = await a_town.value("SELECT next_at FROM deadlines WHERE clock = 'review' AND stopped_at IS NULL")
    assert due > START
    a_town.clock.at = due
    assert await a_town.fire() > 0


async def test_a_limit_that_is_not_past_yet_runs_on(a_town: Town) -> None:
    received = START - timedelta(minutes=30)
    _, answer = await a_town.send(_past(received_at=received.isoformat()), REPLAYER)
    assert _due(answer, "close") > START
    assert await a_town.value("SELECT historic OR next_at IS NULL FROM deadlines WHERE clock = 'close'") is False
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE clock = 'review'") == 0


async def test_a_repeat_in_history_reminds_nobody(a_town: Town) -> None:
    await a_town.send(_past(caller=WHO), REPLAYER)
    _, again = await a_town.send(_past(caller=WHO, received_at="2025-11-19T10:00:00+08:00"), REPLAYER)
    assert again["match"]["verdict"] == "repeat"
    assert await a_town.value("SELECT count(*) FROM notices") == 0


async def test_open_is_judged_as_of_the_time_of_receipt(a_town: Town) -> None:
    _, old = await a_town.send(_past(), REPLAYER)
    _, near = await a_town.send(_past(received_at="2025-12-01T10:00:00+08:00"), REPLAYER)
    _, later = await a_town.send(_past(received_at="2026-02-01T10:00:00+08:00"), REPLAYER)
    assert (near["outcome"], near["case_no"]) == ("attached", old["case_no"])
    assert later["outcome"] == "opened"


SETTLED = datetime(2025, 11, 20, 2, tzinfo=UTC)
WORDS = "小区门口的路灯已经坏了两个星期一直没有人来修理"
PLACED = {"category": "C0103"}
NOWHERE = {"category": None, "location": None}


@pytest.mark.parametrize(
    ("fields", "state"), [(PLACED, "to_sign"), (NOWHERE, "triage")], ids=["had a lead", "never had a lead"]
)
async def test_a_repeat_on_settled_history_opens_a_new_round_with_a_live_deadline(
    a_town: Town, fields: dict[str, Any], state: str
) -> None:
    made = {"caller": WHO, "text": WORDS} | fields
    _, first = await a_town.send(_past(**made), REPLAYER)
    key = await a_town.value("SELECT external_id FROM report_keys")
    closing = Closing(channel="history", external_id=key, at=SETTLED)
    [closed] = await settle_all(a_town.services.workplace, [closing], REPLAYER)
    assert isinstance(closed, Closed)
    _, again = await a_town.send(_past(**made, received_at="2025-11-25T10:00:00+08:00"), REPLAYER)
    assert (again["outcome"], again["case_no"], again["state"]) == ("reopened", first["case_no"], state)
    row = (await a_town.rows("SELECT round, is_open, opened_at, next_due_at > $1 FROM cases", START))[0]
    assert tuple(row)[:3] == (2, True, datetime(2025, 11, 18, 2, tzinfo=UTC))
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE stopped_at IS NULL AND next_at > $1", START) == 1
