"""The gentle stream of the demo: one generated report after another to a running service."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

import aiohttp
import structlog

from connectors.generator.matters import Generated

REPORTS: Final = "/api/v1/reports"
BUSY: Final = (429, 503)
log = structlog.get_logger()


async def feed(
    client: aiohttp.ClientSession,
    url: str,
    key: str,
    rate: float,
    reports: Iterable[Generated],
    stop: asyncio.Event,
) -> Counter[int]:
    """Post the reports, `rate` a second, until they end or `stop` is set; gives how often each status was answered.

    A busy or absent service (counted as 503) gets the same report again at the next turn; none is skipped.
    """
    statuses: Counter[int] = Counter()
    for generated in reports:
        status = BUSY[-1]
        while status in BUSY:
            if stop.is_set():
                return statuses
            status = await _post(client, url.rstrip("/") + REPORTS, key, generated)
            statuses[status] += 1
            await _wait(stop, 1.0 / rate)
    return statuses


async def _post(client: aiohttp.ClientSession, url: str, key: str, generated: Generated) -> int:
    try:
        async with client.post(url, json=generated.report, headers={"Authorization": f"Bearer {key}"}) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
        log.warning("feeder.service_away", error=type(error).__name__)
        return BUSY[-1]


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
