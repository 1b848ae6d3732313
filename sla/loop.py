"""The loop that fires deadlines when they are due, against whatever keeps them."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

_FIRST_PAUSE_S: Final = 0.05


class DeadlinePort(Protocol):
    """Keeps deadlines. Several loops may share one: a deadline that one of them holds is skipped by the others."""

    async def next_at(self) -> datetime | None:
        """When the earliest live deadline is due, also if that is past; None where there is none."""

    async def fire(self, limit: int) -> int:
        """Fire at most `limit` due deadlines, each once, and say how many it were."""

    async def now(self) -> datetime:
        """The time by which deadlines are judged."""


class DeadlineLoop:
    """Fires in batches of `batch` until nothing is due, then sleeps until the next deadline, at most `poll_s` seconds.

    What has piled up is caught up in due order at no more than `per_s` a second, so that everybody else keeps their share
    of the database.

    Errors of the port never end it: they are logged, and the pause before the next attempt doubles up to `poll_s`. The
    same pause is made while due deadlines cannot be had because another loop holds them.
    """

    def __init__(self, port: DeadlinePort, *, poll_s: float, batch: int, per_s: float) -> None:
        self._port = port
        self._per_s = per_s
        self._poll_s = poll_s
        self._batch = batch
        self._woken = asyncio.Event()

    def hint(self) -> None:
        """Wake now, because a deadline may have become the earliest; to be called in the loop's own thread."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a batch that is being fired is finished first."""
        watcher = asyncio.create_task(self._wake_at(stop))
        try:
            await self._work(stop)
        finally:
            watcher.cancel()

    async def _work(self, stop: asyncio.Event) -> None:
        futile = 0
        while not stop.is_set():
            self._woken.clear()
            try:
                pause = await self._fire_due(stop)
            except Exception:
                log.exception("deadlines.failed", attempts=futile + 1)
                pause = None
            futile = futile + 1 if pause is None else 0
            await self._sleep(self._backoff(futile) if pause is None else pause)

    async def _fire_due(self, stop: asyncio.Event) -> float | None:
        """Seconds to sleep once nothing is due; None if something is due that cannot be fired now."""
        now = asyncio.get_running_loop().time
        while not stop.is_set():
            began = now()
            next_at = await self._port.next_at()
            if next_at is None:
                return self._poll_s
            wait = next_at.timestamp() - (await self._port.now()).timestamp()
            if wait > 0:
                return min(wait, self._poll_s)
            fired = await self._port.fire(self._batch)
            if fired == 0:
                return None
            if (spare := began + fired / self._per_s - now()) > 0:
                await asyncio.sleep(spare)
        return 0.0

    def _backoff(self, futile: int) -> float:
        # The exponent is capped because a float overflows long before a service that is down for days gives up.
        return min(self._poll_s, _FIRST_PAUSE_S * 2.0 ** min(futile - 1, 32))

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()
