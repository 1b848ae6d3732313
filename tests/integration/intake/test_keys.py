"""One key, one report: the same body gets the first answer, another body a conflict, whatever the race."""

import asyncio
from datetime import date, timedelta

import pytest

from dispatch.store.clock import SQL
from tests.harness.town import REPLAYER, Town, principal, report
from tests.integration.intake.conftest import Replica, SendBatch

DISPATCHER = principal("dispatcher", "dispatch")


async def test_fifty_senders_of_one_report_get_one_answer(a_town: Town) -> None:
    made = report()
    answers = await asyncio.gather(*(a_town.send(made) for _ in range(50)))
    assert sorted(status for status, _ in answers) == [200] * 49 + [201]
    assert all(body == answers[0][1] for _, body in answers)
    assert await a_town.value("SELECT count(*) FROM reports") == 1
    assert await a_town.value("SELECT count(*) FROM cases") == 1


async def test_two_replicas_give_one_answer(a_town: Town, replica: Replica) -> None:
    reports = [report(text=f"第{n}处积水") for n in range(20)]
    async with replica() as other:
        answers = await asyncio.gather(*(each.send(made) for made in reports for each in (a_town, other)))
    pairs = list(zip(answers[::2], answers[1::2], strict=True))
    assert all(one[1] == two[1] and {one[0], two[0]} == {200, 201} for one, two in pairs)
    assert await a_town.value("SELECT count(*) FROM reports") == 20


async def test_another_body_under_the_same_key_is_a_conflict_that_names_the_receipt(a_town: Town) -> None:
    made = report()
    _, first = await a_town.send(made)
    status, problem = await a_town.send({**made, "text": "另一件事"})
    assert (status, problem["receipt_no"]) == (409, first["receipt_no"])
    assert await a_town.value("SELECT count(*) FROM reports") == 1


async def test_of_many_different_bodies_at_once_under_one_key_one_wins(a_town: Town) -> None:
    made = report()
    answers = await asyncio.gather(*(a_town.send({**made, "text": f"说法之{n}"}) for n in range(30)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 29
    assert {body["receipt_no"] for _, body in answers} == {await a_town.value("SELECT receipt_no FROM reports")}


async def test_a_key_repeated_in_one_batch_is_answered_in_order(a_town: Town, send_batch: SendBatch) -> None:
    made = report()
    fates = await send_batch([made, made, {**made, "text": "另一件事"}, made])
    assert [status for status, _ in fates] == [201, 200, 409, 200]
    assert fates[0][1] == fates[1][1] == fates[3][1]
    assert fates[2][1]["receipt_no"] == fates[0][1]["receipt_no"]


async def test_a_replay_months_later_changes_nothing(a_town: Town) -> None:
    made = report()
    _, first = await a_town.send(made)
    a_town.clock.travel(timedelta(days=140))
    await a_town.services.pool.execute(SQL.make_partitions, date(2027, 4, 1), 1)
    assert await a_town.send(made) == (200, first)
    assert (await a_town.send({**made, "text": "另一件事"}))[0] == 409
    assert (await a_town.send(report()))[0] == 201
    assert await a_town.value("SELECT count(*) FROM reports") == 2


@pytest.mark.parametrize("corrected_is_good", [True, False])
async def test_a_quarantined_key_may_be_replaced_and_keeps_its_receipt(a_town: Town, corrected_is_good: bool) -> None:
    bad = report(channel="history", category="E9999", text=None)
    _, first = await a_town.send(bad, REPLAYER)
    assert first["outcome"] == "quarantined"
    status, second = await a_town.send({**bad, "category": "E0506" if corrected_is_good else "E8888"}, REPLAYER)
    assert (status, second["receipt_no"]) == (201, first["receipt_no"])
    assert second["outcome"] == ("opened" if corrected_is_good else "quarantined")
    _, page = await a_town.get("/quarantine", DISPATCHER)
    assert len(page["items"]) == (0 if corrected_is_good else 1)
    if corrected_is_good:
        key, kept = (
            await a_town.rows("SELECT k.report_id, r.id FROM report_keys k JOIN reports r USING (receipt_no)")
        )[0]
        assert key == kept


async def test_the_same_quarantined_report_again_is_a_replay(a_town: Town) -> None:
    bad = report(channel="history", category="E9999", text=None)
    first = await a_town.send(bad, REPLAYER)
    assert first[0] == 201
    assert await a_town.send(bad, REPLAYER) == (200, first[1])
    assert await a_town.value("SELECT count(*) FROM quarantine") == 1
