"""Leaving: SIGINT and SIGTERM let requests in progress end, and leave no process behind."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.faults.callers import Callers, report
from tests.faults.service import Ground, Service, left_of, serving


def terminated(service: Service) -> None:
    service.process.send_signal(signal.SIGTERM)


def interrupted_in_the_terminal(service: Service) -> None:
    """Ctrl-C reaches every process of the foreground; the impatient press it again."""
    with suppress(ProcessLookupError):
        os.killpg(service.process.pid, signal.SIGINT)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("leave", [terminated, interrupted_in_the_terminal])
async def test_requests_in_progress_are_answered_and_nothing_is_left(
    data: Path, on_embedded: Ground, tmp_path: Path, workers: int, leave: Callable[[Service], None]
) -> None:
    with serving(tmp_path / "log", "--data", data, workers=workers) as service:
        assert left_of(data)
        run = f"drained-{leave.__name__}-{workers}"
        callers = Callers(lambda: service.url, on_embedded.key, run)
        holder = await asyncpg.connect(on_embedded.database_url)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {on_embedded.key}"}) as http:
            assert await callers.send(http, report(0, run))
            async with holder.transaction():
                await holder.execute("LOCK TABLE report_keys IN ACCESS EXCLUSIVE MODE")
                waiting = [asyncio.create_task(callers.send(http, report(n, run))) for n in range(1, 9)]
                await intake_waits(on_embedded)
                leave(service)
                await logged(service, "service.draining", workers)
                leave(service)
                assert not any(task.done() for task in waiting)
            answers = await asyncio.gather(*waiting)
        await holder.close()
        assert all(answers)
        assert set(callers.statuses) == {201}
        await logged(service, "service.stopped", workers)
        leave(service)
        assert await asyncio.to_thread(service.process.wait, 60) == 0
    assert left_of(data) == []


async def intake_waits(ground: Ground) -> None:
    """Waits until a commit of the intake stands at the lock."""
    async with asyncio.timeout(30):
        while not await ground.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def logged(service: Service, event: str, count: int) -> None:
    """Waits until the log has so many lines of an event."""
    async with asyncio.timeout(30):
        while len(service.events(event)) < count:
            await asyncio.sleep(0.01)
