"""The port of a replay over HTTP: reports by the batch, closings by the bulk action `settle`, both as NDJSON."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import aiohttp
import msgspec

from connectors.errors import ConnectorError
from connectors.history.account import Answer

REPORTS: Final = "/api/v1/reports/batch"
SETTLE: Final = "/api/v1/actions/settle"
BUSY: Final = (429, 503)


class ServiceRefused(ConnectorError):
    """{path} answered {status}: {detail}"""

    def __init__(self, path: str, status: int, detail: str) -> None:
        super().__init__(path, status, detail)
        self.path = path
        self.status = status
        self.detail = detail


class ServiceAway(ConnectorError):
    """{path} did not take the lines in {tries} tries."""

    def __init__(self, path: str, tries: int) -> None:
        super().__init__(path, tries)
        self.path = path
        self.tries = tries


class HttpReplayPort:
    """Posts with an API key. A busy or absent service is asked again after `Retry-After` (else one second), `tries`
    times; lines answered busy are sent again alone, before anything later. Raises ServiceRefused and ServiceAway."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        url: str,
        key: str,
        *,
        tries: int = 60,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._key = key
        self._tries = tries
        self._sleep = sleep

    async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
        """One answer per report in their order."""
        return await self._send(REPORTS, reports)

    async def close(self, items: Sequence[tuple[str, str, datetime]]) -> Sequence[Answer]:
        """One answer per closing in their order."""
        lines = [{"channel": channel, "external_id": number, "at": at.isoformat()} for channel, number, at in items]
        return await self._send(SETTLE, lines)

    async def _send(self, path: str, lines: Sequence[dict[str, Any]]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        waiting = list(range(len(lines)))
        for _ in range(self._tries):
            found, wait_s = await self._post(path, [lines[number] for number in waiting])
            answers.update((waiting[answer["index"]], answer) for answer in found if answer["status"] not in BUSY)
            waiting = [number for number in range(len(lines)) if number not in answers]
            if not waiting:
                return [{**answers[number], "index": number} for number in range(len(lines))]
            await self._sleep(wait_s)
        raise ServiceAway(path, self._tries)

    async def _post(self, path: str, lines: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
        """The answers (none where the service is busy or away) and how many seconds to wait before asking again."""
        body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": hashlib.sha256(path.encode() + body).hexdigest(),
        }
        try:
            async with self._client.post(self._url + path, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
            return [], 1.0
        wait_s = retry_after(response.headers.get("Retry-After"))
        if response.status in BUSY:
            return [], wait_s
        if not response.ok:
            raise ServiceRefused(path, response.status, content.decode("utf-8", "replace")[:300])
        return [msgspec.json.decode(line) for line in content.splitlines() if line.strip()], wait_s


def retry_after(value: str | None) -> float:
    """Seconds of a `Retry-After` header; one second where it is absent or a date."""
    try:
        return max(0.0, float(value or "1"))
    except ValueError:
        return 1.0
