"""Notices on their way to a webhook: signed, at least once, patient, and given up in the end."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dispatch.notices.sending import DELAYS, JITTER, LEASE, PAUSE, SQL
from dispatch.notices.webhooks import signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_a_notice_is_sent_signed_and_recorded(office: Any) -> None:
    await office.city.post(level=1)
    assert await office.sender.once() == 1
    ((headers, body),) = office.receiver.got
    assert msgspec.json.decode(body) == {
        "type": "deadline",
        "timestamp": "2026-03-02T04:00:00Z",
        "data": {"case_no": "C1", "level": 1},
    }
    (row,) = await office.city.rows()
    expected = signed_headers(SECRET, f"msg_{row['id'].hex}", office.clock.at, body)
    assert {name: headers[name] for name in expected} == expected
    assert headers["Content-Type"] == "application/json"
    assert (row["sent_at"], row["next_at"], row["attempts"]) == (office.clock.at, None, 1)
    assert await office.sender.once() == 0
    assert office.counted("sent") == 1


async def test_the_signature_bears_the_time_of_the_database_on_a_machine_whose_clock_is_off(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.clock, "wall", lambda: office.clock.at + timedelta(hours=3))
    await office.city.post()
    await office.sender.once()
    ((headers, _),) = office.receiver.got
    assert int(headers["webhook-timestamp"]) == office.clock.at.timestamp()


async def test_two_senders_at_once_send_each_notice_once(office: Any) -> None:
    for seq in range(1, 31):
        await office.city.post(seq=seq)
    while sum(await asyncio.gather(office.sender.once(), office.sender.once())):
        pass
    assert len(office.receiver.got) == len({headers["webhook-id"] for headers, _ in office.receiver.got}) == 30


async def test_what_another_sender_is_claiming_is_passed_over(office: Any) -> None:
    await office.city.post(seq=1)
    async with office.city.service.acquire() as other, other.transaction():
        now = office.clock.at
        assert len(await other.fetch(SQL.claim, now, 20, now + LEASE)) == 1
        await office.city.post(seq=2)
        assert await asyncio.wait_for(office.sender.once(), 10) == 1
    assert await office.sender.once() == 0


async def test_a_failure_is_tried_again_over_days_and_then_given_up(office: Any) -> None:
    office.receiver.script = [(500, {})] * 20
    await office.city.post()
    started = office.clock.at
    waits = []
    assert await office.sender.once() == 1
    for delay in DELAYS:
        (row,) = await office.city.rows()
        wait = row["next_at"] - office.clock.at
        assert delay <= wait <= delay * (1 + JITTER)
        waits.append(wait)
        assert await office.at_next() == 1
    (row,) = await office.city.rows()
    assert (row["failed_at"], row["next_at"], row["sent_at"]) == (office.clock.at, None, None)
    assert row["attempts"] == len(DELAYS) + 1 == len(office.receiver.got)
    assert office.clock.at - started == sum(waits, timedelta()) > timedelta(days=3)
    assert len({headers["webhook-id"] for headers, _ in office.receiver.got}) == 1
    assert (office.counted("failed"), office.counted("retry")) == (1, len(DELAYS))


async def test_a_crash_while_sending_leads_to_another_attempt_with_the_same_id(office: Any, monkeypatch: Any) -> None:
    await office.city.post()
    record = office.sender._count
    monkeypatch.setattr(office.sender, "_now", _crash_after(office.sender._now, 1))
    with pytest.raises(ConnectionError):
        await office.sender.once()
    monkeypatch.undo()
    assert office.sender._count == record
    assert await office.sender.once() == 0, "leased"
    office.clock.travel(LEASE)
    assert await office.sender.once() == 1
    first, second = (headers["webhook-id"] for headers, _ in office.receiver.got)
    assert first == second
    assert (await office.city.rows())[0]["sent_at"]


def _crash_after(real: Any, calls: int) -> Any:
    left = calls

    async def now() -> Any:
        nonlocal left
        if not left:
            raise ConnectionError
        left -= 1
        return await real()

    return now


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_to_wait_is_left_alone_with_everything(office: Any, status: int) -> None:
    office.receiver.script = [(status, {"Retry-After": "7200"})]
    await office.city.post(seq=1)
    await office.sender.once()
    await office.city.post(seq=2)
    office.receiver.script = [(status, {"Retry-After": "7200"})]
    await office.sender.once()
    assert {row["next_at"] - office.clock.at for row in await office.city.rows()} == {timedelta(hours=2)}


async def test_a_receiver_that_fails_gets_a_pause_from_everything_and_a_refusal_of_one_notice_does_not(
    office: Any,
) -> None:
    for status, pause in ((500, PAUSE), (422, timedelta())):
        await office.city.pool.execute("DELETE FROM notices")
        for seq in range(1, 31):
            await office.city.post(seq=seq, at=office.clock.at)
        office.receiver.script = [(status, {})] * 20
        await office.sender.once()
        waiting = [row["next_at"] - office.clock.at for row in await office.city.rows() if not row["attempts"]]
        assert waiting == [pause] * 10, status


async def test_410_disables_the_webhook_and_gives_up_what_waits(office: Any) -> None:
    office.receiver.script = [(410, {})]
    await office.city.post(seq=1)
    await office.city.post(seq=2, at=office.clock.at + timedelta(hours=1))
    await office.sender.once()
    assert all(row["failed_at"] and not row["next_at"] for row in await office.city.rows())
    await office.city.post(seq=3)
    assert len(await office.city.rows()) == 2
    assert await office.city.pool.fetchval("SELECT disabled_at FROM webhooks") == office.clock.at


async def test_a_notice_for_a_webhook_disabled_meanwhile_is_given_up(office: Any) -> None:
    await office.city.post()
    await office.city.pool.execute("UPDATE webhooks SET disabled_at = $1", office.clock.at)
    await office.sender.once()
    assert (await office.city.rows())[0]["failed_at"]
    assert office.receiver.got == []


async def test_nobody_listening_and_a_private_address_are_failures_to_be_tried_again(office: Any) -> None:
    for url in ("http://127.0.0.1:1/", "file:///etc/passwd"):
        await office.city.pool.execute("UPDATE webhooks SET url = $1", url)
        await office.city.pool.execute("DELETE FROM notices")
        await office.city.post(at=office.clock.at)
        await office.sender.once()
        (row,) = await office.city.rows()
        assert (row["attempts"], row["failed_at"]) == (1, None)
        assert row["next_at"] > office.clock.at


async def test_a_secret_that_cannot_be_opened_is_a_failure_to_be_tried_again(office: Any) -> None:
    await office.city.post()
    await office.city.pool.execute("UPDATE webhooks SET sealed = $1", bytes(40))
    await office.sender.once()
    assert (await office.city.rows())[0]["next_at"] > office.clock.at
    assert office.receiver.got == []


async def test_a_turn_that_fails_in_an_unforeseen_way_is_followed_by_the_next(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, turns = office.sender.once, list[int]()

    async def fails_first() -> int:
        turns.append(1)
        if len(turns) == 1:
            raise RuntimeError("the driver lost its server")
        return int(await once())

    monkeypatch.setattr(office.sender, "once", fails_first)
    office.sender._poll_s = 0.01
    stop = asyncio.Event()
    task = asyncio.create_task(office.sender.run(stop))
    await office.city.post(seq=1)
    async with asyncio.timeout(20):
        while office.counted("sent") < 1:
            await asyncio.sleep(0.005)
    stop.set()
    await task


async def test_the_loop_acts_on_a_hint(office: Any) -> None:
    office.sender._poll_s = 3600
    stop = asyncio.Event()
    task = asyncio.create_task(office.sender.run(stop))
    for seq in (1, 2):
        await office.city.post(seq=seq)
        office.sender.hint()
        async with asyncio.timeout(20):
            while office.counted("sent") < seq:
                await asyncio.sleep(0.005)
    stop.set()
    await task
