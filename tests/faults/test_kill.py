"""kill -9 of the service: what was acknowledged is stored, once; it starts again on what it finds."""

import asyncio
from pathlib import Path

import aiohttp

from dispatch.embedded.process import program
from tests.faults.callers import Callers, check_stored_once, report
from tests.faults.service import Ground, Service, children, server_pids, serving, start

KILLS = 3


async def test_every_acknowledged_report_is_stored_once_though_the_service_is_killed_again_and_again(
    data: Path, on_embedded: Ground, tmp_path: Path
) -> None:
    lives: list[Service] = [start(tmp_path / "0.log", "--data", data)]
    callers = Callers(lambda: lives[-1].url, on_embedded.key, "killed")
    lives[-1].until_serving()
    stop = asyncio.Event()
    calling = asyncio.create_task(callers.call(stop))
    try:
        for life in range(1, KILLS + 1):
            await callers.acknowledged_more(len(callers.acknowledged) + 100)
            lives[-1].kill()
            again = start(tmp_path / f"{life}.log", "--data", data)
            await asyncio.to_thread(again.until_serving)
            lives.append(again)
        await callers.acknowledged_more(len(callers.acknowledged) + 100)
        stop.set()
        await calling
        assert callers.broken, "nothing was cut off"
        assert await callers.again() == callers.acknowledged
        await check_stored_once(on_embedded, callers)
    finally:
        calling.cancel()
        lives[-1].kill()


async def test_after_a_kill_it_attaches_to_the_servers_left_behind(
    data: Path, on_embedded: Ground, tmp_path: Path
) -> None:
    with serving(tmp_path / "first.log", "--data", data) as first:
        before = server_pids(data)
        first.kill()
    assert [program(pid) for pid in before] == ["postgres", "redis-server"]
    with serving(tmp_path / "second.log", "--data", data) as second:
        assert second.events("embedded_postgres_attached")
        assert server_pids(data) == before
        assert second.end() == 0
    assert [program(pid) for pid in before] == [None, None]


async def test_a_worker_that_is_killed_is_replaced_and_none_outlives_its_parent(
    data: Path, on_embedded: Ground, tmp_path: Path
) -> None:
    with serving(tmp_path / "log", "--data", data, workers=2) as service:
        first, second = (each["pid"] for each in service.events("service.started"))
        assert sorted(children(service.process.pid)) == sorted((first, second))
        signalled = asyncio.create_subprocess_exec("kill", "-9", str(first))
        await (await signalled).wait()
        await asyncio.to_thread(service.until_serving, 3)
        now = children(service.process.pid)
        assert len(now) == 2
        assert second in now
        assert first not in now
        callers = Callers(lambda: service.url, on_embedded.key, "replaced")
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {on_embedded.key}"}) as http:
            assert await callers.send(http, report(1, "replaced"))
        service.kill()
        async with asyncio.timeout(30):
            while any(program(pid) for pid in now):
                await asyncio.sleep(0.02)
