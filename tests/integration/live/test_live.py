"""What a client of the websocket sees."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from dispatch.embedded import folder, redis
from dispatch.live import hub as hub_module
from dispatch.live.stream import Stream


def numbers(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["number"] for frame in frames]


def assert_chained(frames: list[dict[str, Any]], start: int) -> None:
    """Each frame names the offset before it, and offsets ascend."""
    for frame in frames:
        assert frame["prev"] == start < frame["offset"]
        start = frame["offset"]


async def test_a_subscriber_hears_what_is_committed_after_it_came(scene: Any) -> None:
    await scene.write(2)
    await scene.relayed()
    client = await scene.serve(await scene.hub())
    ear, answer = await scene.listen(client, "cases")
    epoch = await scene.epoch()
    assert answer == {"type": "subscribed", "recovered": False, "epoch": epoch, "offset": 2, "degraded": False}
    written = await scene.write(3)
    await scene.relayed()
    heard = await ear.frames(3)
    assert numbers(heard) == written
    assert heard[0] == {
        "offset": 3,
        "prev": 2,
        "type": "case",
        "case_no": "C2",
        "seq": 1,
        "event": "opened",
        "state": "to_sign",
        "units": ["U1"],
        "area": ["110101", "1101"],
        "restricted": False,
        "number": 2,
    }
    assert_chained(heard, 2)


async def test_a_feed_carries_its_messages_only_and_prev_stays_whole(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ears = {feed: (await scene.listen(client, feed))[0] for feed in ("unit:U2", "area:1102", "escalations", "city")}
    await scene.write(1)
    await scene.write(1, units=["U1", "U2"])
    await scene.write(1, area=["110201", "1102"])
    await scene.write(1, type="escalation", level=1, colour="yellow", deadline="sign")
    await scene.write(1, type="city", version=2)
    await scene.write(1, units=["U2"], area=None, type="escalation", level=2, colour="red", deadline="sign")
    await scene.write(1, units=["U2"], area=["1102"])
    await scene.relayed()
    expected = {"unit:U2": [1, 5, 6], "area:1102": [2, 6], "escalations": [3, 5], "city": [4]}
    for feed, wanted in expected.items():
        heard = await ears[feed].frames(len(wanted))
        assert numbers(heard) == wanted, feed
        assert_chained(heard, 0)


@pytest.mark.parametrize("ring", [10_000, 3])
async def test_a_client_that_comes_back_gets_exactly_what_it_missed(scene: Any, ring: int) -> None:
    """From the memory of the process, or, when that is too short, from Redis."""
    hub = await scene.hub(ring=ring)
    client = await scene.serve(hub)
    await scene.write(300)
    await scene.relayed()
    first, answer = await scene.listen(client, "cases", since=(await scene.epoch(), 0))
    assert answer["recovered"]
    heard = await first.frames(100)
    await first.ws.close()
    again, answer = await scene.listen(client, "cases", since=(answer["epoch"], heard[-1]["offset"]))
    assert (answer["recovered"], answer["offset"]) == (True, 100)
    heard += await again.frames(200)
    assert numbers(heard) == list(range(300))
    assert_chained(heard, 0)


async def test_a_client_may_come_back_to_another_process(scene: Any) -> None:
    await scene.write(5)
    await scene.relayed()
    client = await scene.serve(await scene.hub())
    ear, answer = await scene.listen(client, "cases", since=(await scene.epoch(), 2))
    assert answer["recovered"]
    assert numbers(await ear.frames(3)) == [2, 3, 4]


async def test_a_client_ahead_of_this_process_hears_nothing_twice(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ear, answer = await scene.listen(client, "cases", since=(await scene.epoch(), 2))
    assert (answer["recovered"], answer["offset"]) == (True, 2)
    await scene.write(4)
    await scene.relayed()
    heard = await ear.frames(2)
    assert numbers(heard) == [2, 3]
    assert_chained(heard, 2)


async def test_between_replay_and_live_nothing_is_missing_or_double(scene: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 8)
    client = await scene.serve(await scene.hub(ring=20))
    await scene.in_background(scene.relay.run)
    epoch = await scene.epoch()

    async def keep_writing() -> None:
        for _ in range(60):
            await scene.write(10)
            scene.relay.hint()

    async def come_back_later(nth: int) -> list[dict[str, Any]]:
        await scene.sent(60 * nth)
        ear, answer = await scene.listen(client, "cases", since=(epoch, nth))
        assert answer["recovered"]
        heard: list[dict[str, Any]] = await ear.frames(600 - nth)
        return heard

    _, *everybody = await asyncio.gather(keep_writing(), *(come_back_later(nth) for nth in range(1, 8)))
    for nth, heard in enumerate(everybody, start=1):
        assert [frame["offset"] for frame in heard] == list(range(nth + 1, 601))
        assert_chained(heard, nth)


@pytest.mark.parametrize(
    ("since", "why"),
    [(("another", 1), "another epoch"), ((None, 0), "no longer kept"), ((None, 10**15), "never was")],
)
async def test_a_position_that_cannot_be_resumed_is_not_recovered(scene: Any, since: Any, why: str) -> None:
    await scene.write(4)
    await scene.relayed()
    epoch = await scene.epoch()
    await scene.redis.xtrim(f"live:{epoch}", maxlen=1, approximate=False)
    client = await scene.serve(await scene.hub())
    ear, answer = await scene.listen(client, "cases", since=(since[0] or epoch, since[1]))
    assert (answer["recovered"], answer["epoch"], answer["offset"]) == (False, epoch, 4), why
    await scene.write(1)
    await scene.relayed()
    assert_chained([await ear.frame()], 4)


async def test_a_redis_that_lost_its_data_is_told_to_those_who_listen_and_those_who_return(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    await scene.write(2)
    await scene.relayed()
    former = await scene.epoch()
    ear, _ = await scene.listen(client, "cases", since=(former, 0))
    await ear.frames(2)
    await scene.redis.flushall()
    await scene.relayed()
    told = await ear.frame()
    epoch = await scene.epoch()
    assert told == {"type": "subscribed", "recovered": False, "epoch": epoch, "offset": 0, "degraded": False}
    await scene.write(1)
    await scene.relayed()
    heard = await ear.frame()
    assert (heard["offset"], heard["prev"], heard["number"]) == (1, 0, 2)
    _, answer = await scene.listen(client, "cases", since=(former, 2))
    assert (answer["recovered"], answer["epoch"]) == (False, epoch)


async def test_messages_that_vanished_from_the_stream_are_told_as_lost(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ear, _ = await scene.listen(client, "cases")
    await scene.stream.add(await scene.epoch(), 2, [(3, b'{"type":"case","case_no":"C","units":["U1"],"area":[]}')])
    told = await ear.frame()
    assert (told["type"], told["recovered"], told["offset"]) == ("subscribed", False, 2)
    assert_chained([await ear.frame()], 2)


async def test_without_redis_clients_are_told_and_heard_from_again(scene: Any, data_dir: Path) -> None:
    home = folder.make(data_dir)
    url = redis.start(home)
    assert url
    async with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as own:
        hub = await scene.hub(Stream(own))
        client = await scene.serve(hub)
        ear, answer = await scene.listen(client, "cases")
        assert not answer["degraded"]
        redis.stop(home)
        assert await ear.frame() == {"type": "degraded"}
        _, answer = await scene.listen(client, "cases")
        assert answer["degraded"]
        assert hub.position() == (await scene.epoch(), 0)
        assert redis.start(home) == url
        assert (await ear.frame())["type"] == "position"
        assert not hub.degraded


async def test_a_hub_that_starts_without_redis_knows_a_position(scene: Any, nowhere: Any) -> None:
    await scene.write(3)
    await scene.relayed()
    hub = await scene.hub(Stream(nowhere))
    assert hub.position() == (await scene.epoch(), 3)


async def test_restricted_cases_are_invisible_without_the_permission(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    await scene.write(1, restricted=True)
    await scene.relayed()
    epoch = await scene.epoch()
    ordinary, _ = await scene.listen(client, "cases", "unit:U1", "area:1101", since=(epoch, 0))
    named, _ = await scene.listen(client, "cases", who="named-reader", since=(epoch, 0))
    await scene.write(1)
    await scene.write(1, restricted=True)
    await scene.write(1)
    await scene.relayed()
    heard = await ordinary.frames(2)
    assert numbers(heard) == [1, 3]
    assert_chained(heard, 0)
    assert numbers(await named.frames(4)) == [0, 1, 2, 3]


async def test_a_feed_out_of_scope_closes_4403(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    for feed in ("cases", "unit:U2", "area:1101", "escalations", "stats"):
        ear = await scene.connect(client)
        await ear.send(type="auth", token="handler")
        await ear.send(type="subscribe", feeds=["unit:U1", feed])
        assert await ear.closed() == 4403, feed


async def test_a_unit_hears_itself_and_its_subtree(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ear, _ = await scene.listen(client, "unit:U1", "unit:U1-1", "city", who="handler")
    await scene.write(1, units=["U2"])
    await scene.write(1, units=["U1-1"])
    await scene.relayed()
    assert numbers([await ear.frame()]) == [1]


async def test_without_the_permission_the_connection_closes_4403(scene: Any) -> None:
    ear = await scene.connect(await scene.serve(await scene.hub()))
    await ear.send(type="auth", token="nobody")
    await ear.send(type="subscribe", feeds=["cases"])
    assert await ear.closed() == 4403


async def test_who_is_not_authenticated_is_closed_4401(scene: Any) -> None:
    client = await scene.serve(await scene.hub(), first_frame_s=0.5)
    for frame in ({"type": "auth", "token": "x"}, {"type": "subscribe", "feeds": ["cases"]}, None):
        ear = await scene.connect(client)
        if frame:
            await ear.send(**frame)
        assert await ear.closed() == 4401, frame


async def test_what_is_no_frame_or_comes_out_of_turn_closes_4400(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ear = await scene.connect(client)
    await ear.ws.send_str("{")
    assert await ear.closed() == 4400
    ear = await scene.connect(client)
    await ear.send(type="auth", token="commander")
    await ear.send(type="auth", token="commander")
    assert await ear.closed() == 4400
    ear, _ = await scene.listen(client, "cases")
    await ear.send(type="subscribe", feeds=["cases"])
    assert await ear.closed() == 4400


async def test_a_signed_in_page_of_this_site_needs_no_token_and_one_of_another_site_does(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    own = f"http://{client.host}:{client.port}"
    for origin, code in ((own, None), ("https://elsewhere.example", 4401)):
        ear = await scene.connect(client, **{"X-Signed-In": "commander", "Origin": origin})
        await ear.send(type="subscribe", feeds=["cases"])
        if code:
            assert await ear.closed() == code
        else:
            assert (await ear.frame())["type"] == "subscribed"


async def test_a_leaving_process_closes_4410(scene: Any) -> None:
    hub = await scene.hub()
    client = await scene.serve(hub)
    ear, _ = await scene.listen(client, "cases")
    hub.dismiss()
    assert await ear.closed() == 4410
    late, _ = await scene.listen(client, "cases")
    assert await late.closed() == 4410


async def test_the_position_is_told_from_time_to_time(scene: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(hub_module, "POSITION_S", 0.01)
    monkeypatch.setattr(hub_module, "WAIT_MS", 10)
    client = await scene.serve(await scene.hub())
    ear, _ = await scene.listen(client, "unit:U1")
    await scene.write(2, units=["U2"])
    await scene.relayed()
    async with asyncio.timeout(10):
        while (frame := await ear.frame())["offset"] < 2:
            pass
    assert frame == {"type": "position", "epoch": await scene.epoch(), "offset": 2}
    await scene.write(1)
    await scene.relayed()
    async with asyncio.timeout(10):
        while (frame := await ear.frame())["type"] == "position":
            pass
    assert (frame["prev"], frame["offset"]) == (2, 3)


async def test_stats_are_the_latest_value_for_who_comes_and_who_is_there(scene: Any) -> None:
    hub = await scene.hub()
    client = await scene.serve(hub)
    hub.publish_stats(b'{"type":"stats","open":1}')
    hub.publish_stats(b'{"type":"stats","open":2}')
    ear, _ = await scene.listen(client, "stats")
    assert (await ear.frame())["open"] == 2
    hub.publish_stats(b'{"type":"stats","open":3}')
    assert (await ear.frame())["open"] == 3


async def test_a_message_nobody_can_read_keeps_its_place(scene: Any) -> None:
    client = await scene.serve(await scene.hub())
    ear, _ = await scene.listen(client, "cases")
    await scene.stream.add(await scene.epoch(), 0, [(1, b"\xff"), (2, b'{"type":"case","units":[],"area":[]}')])
    heard = await ear.frame()
    assert (heard["offset"], heard["prev"]) == (2, 0)


async def test_a_client_that_does_not_read_is_closed_4408_and_the_others_hear_all(scene: Any) -> None:
    hub = await scene.hub()
    client = await scene.serve(hub)
    deaf, _ = await scene.listen(client, "cases")
    ear, _ = await scene.listen(client, "cases")
    transport = _transport(deaf.ws)
    transport.pause_reading()
    for _ in range(20):
        await scene.write(50, padding="x" * 16_000)
        await scene.relayed()
        await ear.frames(50)
    await scene.until(lambda: hub.listening == 1)
    transport.resume_reading()
    assert await deaf.closed() == 4408


def _transport(ws: "ClientWebSocketResponse[bool]") -> asyncio.Transport:
    transport = ws._response.connection.transport  # type: ignore[union-attr]
    assert isinstance(transport, asyncio.Transport)
    return transport
