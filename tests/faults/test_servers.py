"""PostgreSQL restarts, Redis dies: the service goes on by itself, and says how it is."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession

from dispatch.embedded import folder, postgres, redis
from dispatch.people.people import People
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool
from tests.faults.callers import Callers, check_stored_once, report
from tests.faults.service import Ground, Service, redis_pid, restart_postgres, serving


@pytest.fixture
async def service(data: Path, on_embedded: Ground, tmp_path: Path) -> AsyncIterator[Service]:
    with serving(tmp_path / "log", "--data", data) as made:
        yield made
        assert not made.events("service.part_ended")
        assert made.end() == 0


async def test_postgresql_restarts_under_load_and_nothing_acknowledged_is_lost(
    data: Path, on_embedded: Ground, service: Service
) -> None:
    callers = Callers(lambda: service.url, on_embedded.key, "restarted")
    stop = asyncio.Event()
    calling = asyncio.create_task(callers.call(stop))
    for _ in range(2):
        await callers.acknowledged_more(len(callers.acknowledged) + 100)
        await asyncio.to_thread(restart_postgres, data)
    await callers.acknowledged_more(len(callers.acknowledged) + 100)
    stop.set()
    await calling
    assert set(callers.statuses) <= {200, 201, 503}
    assert not callers.broken
    assert await callers.again() == callers.acknowledged
    await check_stored_once(on_embedded, callers)


async def test_while_postgresql_is_away_reports_are_refused_for_now_and_taken_when_sent_again(
    data: Path, on_embedded: Ground, service: Service
) -> None:
    callers = Callers(lambda: service.url, on_embedded.key, "away")
    async with ClientSession(headers={"Authorization": f"Bearer {on_embedded.key}"}) as http:
        before = await callers.send(http, report(0, "away"))
        assert before is not None
        home = folder.find(data)
        assert home is not None
        await asyncio.to_thread(postgres.stop, home)
        async with http.post(f"{service.url}/api/v1/reports", json=report(1, "away")) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.content_type == "application/problem+json"
        async with http.get(f"{service.url}/api/v1/reports/{before['receipt_no']}") as answer:
            assert answer.status == 503
        async with http.get(f"{service.url}/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["parts"]["database"] == "failed"
        await asyncio.to_thread(postgres.start, home, {})
        async with asyncio.timeout(60):
            while not await callers.send(http, report(1, "away")):
                await asyncio.sleep(0.05)
    assert set(callers.statuses) <= {201, 503}


async def test_redis_dies_and_comes_back_empty_while_reports_are_taken_and_deadlines_fire(
    data: Path, on_embedded: Ground, service: Service
) -> None:
    callers = Callers(lambda: service.url, on_embedded.key, "redis")
    headers = {"Authorization": f"Bearer {on_embedded.key}"}
    async with ClientSession(headers=headers) as http, http.ws_connect(f"{service.url}/api/v1/live") as ws:
        await ws.send_json({"type": "auth", "token": await commander(on_embedded)})
        await ws.send_json({"type": "subscribe", "feeds": ["cases", "escalations"]})
        epoch = (await frame(ws, lambda f: f["type"] == "subscribed"))["epoch"]
        assert (await ready(http, service))[1]["status"] == "ok"

        os.kill(redis_pid(data), signal.SIGKILL)
        await frame(ws, lambda f: f["type"] == "degraded")
        status, parts = await ready(http, service)
        assert (status, parts["status"], parts["parts"]["live"]) == (200, "degraded", "degraded")
        taken = await callers.send(http, report(0, "redis"))
        assert taken is not None
        await make_due(on_embedded, taken["case_no"])
        await fired(on_embedded, taken["case_no"])

        home = folder.find(data)
        assert home is not None
        await asyncio.to_thread(redis.start, home)
        lost = await frame(ws, lambda f: f["type"] == "subscribed")
        assert lost["recovered"] is False
        assert lost["epoch"] != epoch
        taken = await callers.send(http, report(30, "redis"))
        assert taken is not None
        number = taken["case_no"]
        assert await frame(ws, lambda f: f.get("case_no") == number and f["type"] == "case")
        assert (await ready(http, service))[1]["status"] == "ok"


async def commander(ground: Ground) -> str:
    """A token that may listen to the whole city: a key, which needs no password."""
    pool = await open_pool(ground.database_url, size=1)
    try:
        people = People(pool, ground.keyring, SystemClock())
        return (await people.keys.create("test", "screen", "city", ["demo"], ["commander"]))[1]
    finally:
        await pool.close()


async def frame(
    ws: "aiohttp.ClientWebSocketResponse[bool]", wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The next frame of the wanted kind; fails after half a minute."""
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = await ws.receive_json()
            if wanted(found):
                return found


async def ready(http: ClientSession, service: Service) -> tuple[int, dict[str, Any]]:
    async with http.get(f"{service.url}/readyz") as answer:
        return answer.status, await answer.json()


async def make_due(ground: Ground, case_no: str) -> None:
    """Lets the next step of every clock of a case be due now."""
    await ground.rows(
        """UPDATE deadlines SET next_at = clock_timestamp()
           WHERE next_at IS NOT NULL AND case_id = (SELECT id FROM cases WHERE case_no = $1)""",
        case_no,
    )


async def fired(ground: Ground, case_no: str) -> None:
    """Waits until a deadline of a case has acted."""
    question = """SELECT count(*) FROM case_events e JOIN cases c ON c.id = e.case_id
                  WHERE c.case_no = $1 AND e.actor = 'deadlines'"""
    async with asyncio.timeout(30):
        while not await ground.value(question, case_no):
            await asyncio.sleep(0.05)
