"""The websocket end to end: a report arrives as a message, a client that comes back misses nothing, a drain says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.harness.town import Town, principal, report

WATCHER = principal("commander", "city")
Socket = ClientWebSocketResponse[bool]
Frame = dict[str, Any]


async def token(town: Town, role: str = "commander", unit: str = "city") -> str:
    return (await town.services.people.keys.create("test", f"screen of {role}", unit, ["demo"], [role]))[1]


@asynccontextmanager
async def listening(
    town: Town, since: Frame | None = None, feeds: tuple[str, ...] = ("cases",)
) -> AsyncIterator[tuple[Socket, Frame]]:
    """A connection that has subscribed, and the answer."""
    async with town.http.ws_connect(f"{town.url}/api/v1/live") as ws:
        await ws.send_json({"type": "auth", "token": await token(town)})
        asked = {"type": "subscribe", "feeds": feeds}
        await ws.send_json(asked | ({"since": {k: since[k] for k in ("epoch", "offset")}} if since else {}))
        yield ws, await ws.receive_json(timeout=10)


async def until(ws: Socket, wanted: Callable[[Frame], bool]) -> list[Frame]:
    """The messages up to and including the wanted one; each follows the one before."""
    got: list[Frame] = []
    while not got or not wanted(got[-1]):
        frame = await ws.receive_json(timeout=10)
        if "prev" in frame:
            assert not got or frame["prev"] == got[-1]["offset"]
            got.append(frame)
    return got


def of(case_no: str) -> Callable[[Frame], bool]:
    return lambda frame: frame.get("case_no") == case_no


async def taken(town: Town) -> str:
    _, answer = await town.send(
        report(text=f"积水{next(_steps)}", location={"lon": 116.15 + next(_steps) / 900, "lat": 33.13})
    )
    return str(answer["case_no"])


_steps = iter(range(10**6))


async def test_a_report_arrives_as_a_message_that_follows_the_position_of_the_subscription(a_town: Town) -> None:
    async with listening(a_town, feeds=("cases", "unit:drainage")) as (ws, start):
        assert (start["type"], start["recovered"]) == ("subscribed", False)
        number = await taken(a_town)
        (message,) = await until(ws, of(number))
        assert message["prev"] == start["offset"] < message["offset"]
        assert (message["type"], message["state"], message["seq"] >= 1) == ("case", "to_sign", True)


async def test_whoever_comes_back_gets_exactly_what_was_missed(a_town: Town) -> None:
    async with listening(a_town) as (ws, start):
        last = (await until(ws, of(await taken(a_town))))[-1]
    missed = [await taken(a_town) for _ in range(5)]
    await everything_sent(a_town)
    here = {"epoch": start["epoch"], "offset": last["offset"]}
    async with listening(a_town, since=here) as (ws, again):
        assert (again["recovered"], again["offset"]) == (True, last["offset"])
        got = await until(ws, of(missed[-1]))
        assert [frame["case_no"] for frame in got] == missed
        assert got[0]["prev"] == last["offset"]
        missed.append(await taken(a_town))
        assert [frame["case_no"] for frame in await until(ws, of(missed[-1]))] == missed[-1:]


async def test_a_snapshot_and_the_stream_from_its_position_leave_no_gap(a_town: Town) -> None:
    numbers: list[str] = []

    async def work() -> None:
        for _ in range(20):
            numbers.append(await taken(a_town))

    working = asyncio.create_task(work())
    while len(numbers) < 5:
        await asyncio.sleep(0.005)
    status, snapshot = await a_town.get("/snapshot?limit=1000", WATCHER)
    assert status == 200
    shown = {
        item["case_no"] for items in snapshot.values() if isinstance(items, list) for item in items if "case_no" in item
    }
    async with listening(a_town, since=snapshot) as (ws, start):
        assert start["recovered"] is True
        await working
        heard = {frame["case_no"] for frame in await until(ws, of(numbers[-1]))}
    assert shown
    assert shown | heard == set(numbers)


async def test_only_who_may_listen_is_served(a_town: Town) -> None:
    async with a_town.http.ws_connect(f"{a_town.url}/api/v1/live") as ws:
        await ws.send_json({"type": "subscribe", "feeds": ["cases"]})
        assert await closed(ws) == 4401
    async with a_town.http.ws_connect(f"{a_town.url}/api/v1/live") as ws:
        await ws.send_json({"type": "auth", "token": await token(a_town, "handler", "drainage")})
        await ws.send_json({"type": "subscribe", "feeds": ["unit:gas"]})
        assert await closed(ws) == 4403


async def test_a_service_that_leaves_says_so(a_town: Town) -> None:
    async with listening(a_town) as (ws, _):
        a_town.services.hub.dismiss()
        assert await closed(ws) == 4410


async def closed(ws: Socket) -> int | None:
    while (await ws.receive(timeout=10)).type is WSMsgType.TEXT:
        pass
    return ws.close_code


async def everything_sent(town: Town) -> None:
    async with asyncio.timeout(10):
        while await town.value("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.01)
