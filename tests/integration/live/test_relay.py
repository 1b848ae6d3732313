"""From the outbox to the stream: every committed message once, in one order, whatever crashes."""

import asyncio
from typing import Any

import pytest

from dispatch.live.relay import Relay
from dispatch.live.stream import Stream

INSERT = "INSERT INTO outbox (case_id, case_seq, message) VALUES ($1, 1, $2) RETURNING id"


class Crash(Exception):
    pass


class CrashesAfterAdding(Stream):
    async def add(self, *args: Any) -> None:
        await super().add(*args)
        raise Crash


class HeldUp(Stream):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    async def add(self, *args: Any) -> None:
        self.reached.set()
        await self.released.wait()
        await super().add(*args)


async def test_messages_are_numbered_from_one_and_leave_the_outbox(scene: Any) -> None:
    await scene.write(3)
    await scene.relayed()
    assert await scene.on_stream() == [(1, 0), (2, 1), (3, 2)]
    assert await scene.waiting() == 0


async def test_a_message_is_not_sent_before_its_transaction_commits(scene: Any) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        await connection.execute(INSERT, 1, b'{"number":7}')
        await scene.relayed()
        assert await scene.on_stream() == []
    await scene.relayed()
    assert await scene.on_stream() == [(1, 7)]


async def test_a_lower_id_that_commits_late_is_sent_late_and_not_skipped(scene: Any) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        low = await connection.fetchval(INSERT, 1, b'{"number":100}')
        high = await scene.pool.fetchval(INSERT, 2, b'{"number":200}')
        assert low < high
        await scene.relayed()
        assert await scene.on_stream() == [(1, 200)]
    await scene.relayed()
    assert await scene.on_stream() == [(1, 200), (2, 100)]


async def test_two_relays_at_once_neither_reorder_nor_double_nor_lose(scene: Any) -> None:
    relays = [Relay(scene.pool, scene.stream, poll_s=0.01, batch=7) for _ in range(3)]
    for relay in relays:
        await scene.in_background(relay.run)
    for _ in range(40):
        await asyncio.gather(scene.write(5), scene.write(5))
        for relay in relays:
            relay.hint()
    await scene.sent(400)
    sent = await scene.on_stream()
    assert [offset for offset, _ in sent] == list(range(1, 401))
    assert sorted(number for _, number in sent) == list(range(400))


async def test_while_one_relay_is_at_work_another_does_nothing(scene: Any) -> None:
    held = HeldUp(scene.redis)
    await scene.write(2)
    working = asyncio.create_task(Relay(scene.pool, held).once())
    await held.reached.wait()
    await scene.write(1)
    assert not await scene.relay.once()
    assert await scene.on_stream() == []
    assert await scene.waiting() == 3
    held.released.set()
    await working
    await scene.relayed()
    assert await scene.on_stream() == [(1, 0), (2, 1), (3, 2)]


async def test_a_crash_between_stream_and_outbox_doubles_nothing(scene: Any) -> None:
    await scene.write(4)
    with pytest.raises(Crash):
        await Relay(scene.pool, CrashesAfterAdding(scene.redis), batch=2).once()
    assert await scene.on_stream() == [(1, 0), (2, 1)]
    assert await scene.waiting() == 4
    epoch = await scene.epoch()
    await scene.relayed()
    assert await scene.on_stream() == [(1, 0), (2, 1), (3, 2), (4, 3)]
    assert (await scene.epoch(), await scene.waiting()) == (epoch, 0)


async def test_messages_wait_in_order_while_redis_is_away(scene: Any, nowhere: Any) -> None:
    away = Relay(scene.pool, Stream(nowhere))
    epoch = await scene.epoch()
    await scene.write(2)
    await scene.relayed(away)
    await scene.write(1)
    await scene.relayed(away)
    assert (away.degraded, away.waiting) == (True, 3)
    await scene.relayed()
    assert await scene.on_stream() == [(1, 0), (2, 1), (3, 2)]
    assert (await scene.epoch(), scene.relay.degraded) == (epoch, False)


@pytest.mark.parametrize("waiting", [0, 2])
async def test_a_redis_that_lost_its_data_starts_a_new_epoch(scene: Any, waiting: int) -> None:
    await scene.write(3)
    await scene.relayed()
    epoch = await scene.epoch()
    await scene.redis.flushall()
    await scene.write(waiting)
    await scene.relayed()
    assert await scene.epoch() != epoch
    assert await scene.on_stream() == []
    (number,) = await scene.write(1)
    await scene.relayed()
    assert await scene.on_stream() == [(1, number)]


async def test_a_redis_that_lost_only_the_newest_messages_starts_a_new_epoch(scene: Any) -> None:
    await scene.write(3)
    await scene.relayed()
    epoch = await scene.epoch()
    # A replica that took over without the last message.
    await scene.redis.delete(f"live:{epoch}")
    await scene.stream.add(epoch, 0, [(1, b"{}"), (2, b"{}")])
    await scene.relayed()
    assert await scene.epoch() != epoch


async def test_a_database_set_back_to_an_earlier_state_starts_a_new_epoch(scene: Any) -> None:
    await scene.write(3)
    await scene.relayed()
    epoch = await scene.epoch()
    await scene.pool.execute('UPDATE live_position SET "offset" = 1')
    await scene.relayed()
    assert await scene.epoch() != epoch


async def test_a_backlog_beyond_the_bound_is_dropped_for_a_new_epoch(scene: Any) -> None:
    relay = Relay(scene.pool, None, backlog=5)
    epoch = await scene.epoch()
    await scene.write(5)
    await scene.relayed(relay)
    assert (await scene.epoch(), await scene.waiting()) == (epoch, 5)
    await scene.write(1)
    await scene.relayed(relay)
    assert await scene.epoch() != epoch
    assert await scene.waiting() == 0


async def test_a_hint_is_acted_on_without_waiting_for_the_poll(scene: Any) -> None:
    relay = Relay(scene.pool, scene.stream, poll_s=3600)
    await scene.in_background(relay.run)
    for count in (1, 2):
        await scene.write(1)
        relay.hint()
        await scene.sent(count)


async def test_a_pass_that_fails_in_an_unforeseen_way_is_followed_by_the_next(scene: Any) -> None:
    class FailsOnce(Stream):
        failed = False

        async def add(self, *args: Any) -> None:
            if not self.failed:
                self.failed = True
                raise Crash
            await super().add(*args)

    stream = FailsOnce(scene.redis)
    await scene.write(1)
    await scene.in_background(Relay(scene.pool, stream, poll_s=0.01).run)
    await scene.sent(1)
    assert stream.failed
