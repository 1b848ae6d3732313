"""What cannot be taken in has an owner and a deadline, is listed, read on record, corrected and released."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import AsyncMock

import msgspec
import pytest

from dispatch.store.clock import SQL
from tests.harness.town import REPLAYER, START, Town, json_of, principal, report

DISPATCHER = principal("dispatcher", "dispatch")
LAST_YEAR = "2025-11-18T10:00:00+08:00"


def _hopeless(**fields: Any) -> dict[str, Any]:
    return report(channel="history", **{"category": "E9999", "text": None} | fields)


async def _release(town: Town, number: int, corrected: dict[str, Any]) -> tuple[int, Any]:
    url = f"{town.url}/api/v1/quarantine/{number}/release"
    async with town.http.post(url, json=corrected, headers=town.acts_as(DISPATCHER)) as answer:
        return answer.status, await json_of(answer)


async def test_what_a_replayer_sends_and_nobody_can_act_on_is_listed_with_owner_and_deadline(a_town: Town) -> None:
    status, answer = await a_town.send(_hopeless(), REPLAYER)
    assert (status, answer["outcome"], answer.get("case_no")) == (201, "quarantined", None)
    _, page = await a_town.get("/quarantine", DISPATCHER)
    [entry] = page["items"]
    assert (entry["receipt_no"], entry["reason"], entry["field"]) == (
        answer["receipt_no"],
        "nothing-to-act-on",
        "category",
    )
    assert entry["owner_unit"] == "dispatch"
    assert datetime.fromisoformat(entry["due_at"]) > START


async def test_neither_words_nor_category_is_quarantined_too(a_town: Town) -> None:
    _, answer = await a_town.send(_hopeless(category=None, title="无"), REPLAYER)
    assert answer["outcome"] == "quarantined"


async def test_the_words_are_sealed_and_who_reads_them_is_on_record(a_town: Town) -> None:
    made = _hopeless(caller={"name": "欧阳测试", "phone": "13800138000"})
    await a_town.send(made, REPLAYER)
    number, sealed = (await a_town.rows("SELECT id, sealed FROM quarantine"))[0]
    assert b"13800138000" not in sealed
    status, shown = await a_town.get(f"/quarantine/{number}", DISPATCHER)
    assert (status, shown["report"]["caller"]["phone"]) == (200, "13800138000")
    [logged] = await a_town.rows("SELECT actor, action, subject FROM access_log")
    assert tuple(logged) == (DISPATCHER.name, "quarantine.read", shown["receipt_no"])


async def test_its_deadline_acts_again_each_working_day_until_somebody_decides(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(a_town.services.relay, "once", AsyncMock(return_value=False))
    _, answer = await a_town.send(_hopeless(), REPLAYER)
    assert await a_town.fire() == 0
    told, acted = [], []
    for _ in range(3):
        a_town.clock.at = await a_town.value("SELECT next_at FROM quarantine")
        acted.append(a_town.clock.at)
        assert await a_town.fire() == 1
        [message] = await a_town.rows("DELETE FROM outbox RETURNING message")
        told.append(msgspec.json.decode(message[0]))
        assert await a_town.fire() == 0
    assert [(m["type"], m["receipt_no"], m["level"], m["units"]) for m in told] == [
        ("escalation", answer["receipt_no"], level, ["dispatch"]) for level in (1, 2, 3)
    ]
    assert [later - earlier for earlier, later in pairwise(acted)] == [timedelta(days=1)] * 2


async def test_a_corrected_report_is_released_under_its_receipt(a_town: Town) -> None:
    made = _hopeless()
    _, first = await a_town.send(made, REPLAYER)
    number = await a_town.value("SELECT id FROM quarantine")
    status, answer = await _release(a_town, number, {**made, "category": "E0506"})
    assert (status, answer["outcome"], answer["receipt_no"]) == (200, "opened", first["receipt_no"])
    entry = (await a_town.rows("SELECT status, ended_by, next_at FROM quarantine"))[0]
    assert tuple(entry) == ("released", DISPATCHER.name, None)
    assert (await a_town.get(f"/quarantine/{number}", DISPATCHER))[0] == 404
    assert (await _release(a_town, number, {**made, "category": "E0506"}))[0] == 404
    assert await a_town.value("SELECT receipt_no FROM reports") == first["receipt_no"]


async def test_released_history_stays_history(a_town: Town) -> None:
    made = _hopeless(received_at=LAST_YEAR)
    await a_town.send(made, REPLAYER)
    status, answer = await _release(
        a_town, await a_town.value("SELECT id FROM quarantine"), {**made, "category": "E0506"}
    )
    assert (status, answer["outcome"]) == (200, "opened")
    assert await a_town.value("SELECT opened_at FROM cases") == datetime.fromisoformat(LAST_YEAR)
    assert await a_town.value("SELECT bool_and(historic) FROM deadlines WHERE clock = 'close'")
    await a_town.fire()
    assert await a_town.value("SELECT count(*) FROM escalations") == 0


async def test_what_is_still_wrong_stays_in_quarantine_and_the_desk_is_told(a_town: Town) -> None:
    made = _hopeless()
    await a_town.send(made, REPLAYER)
    number = await a_town.value("SELECT id FROM quarantine")
    status, problem = await _release(a_town, number, made)
    assert (status, problem["field"]) == (400, "category")
    status, problem = await _release(a_town, number, {**made, "external_id": "another", "category": "E0506"})
    assert (status, problem["field"]) == (400, "external_id")
    assert await a_town.value("SELECT status FROM quarantine") == "open"


async def test_open_entries_are_found_after_months(a_town: Town) -> None:
    _, old = await a_town.send(_hopeless(), REPLAYER)
    a_town.clock.travel(timedelta(days=200))
    await a_town.services.pool.execute(SQL.make_partitions, date(2027, 6, 1), 1)
    _, new = await a_town.send(_hopeless(), REPLAYER)
    _, page = await a_town.get("/quarantine?limit=1", DISPATCHER)
    _, rest = await a_town.get(f"/quarantine?limit=1&cursor={page['next']}", DISPATCHER)
    assert [e["receipt_no"] for e in (*page["items"], *rest["items"])] == [old["receipt_no"], new["receipt_no"]]
