"""Callers that do not give up: each sends one report after the other, the same key again until it is acknowledged."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp

from tests.faults.service import Ground
from tests.harness.town import archive, unpacked

PAUSE_S = 0.05


@cache
def places() -> tuple[tuple[float, float], ...]:
    """Points of the demo city far enough apart for reports there to be different matters."""
    cells = unpacked(archive(), 1).map.cells[::4]
    points = [cell.polygon.representative_point() for cell in cells]
    return tuple((point.x, point.y) for point in points)


def report(number: int, run: str) -> dict[str, Any]:
    """The report of a number: every place has three of them, of different people."""
    lon, lat = places()[number // 3 % len(places())]
    return {
        "channel": "demo",
        "external_id": f"{run}-{number}",
        "category": "E0506",
        "text": f"路口积水很深，第{number}次来电",
        "location": {"lon": lon, "lat": lat},
        "caller": {"name": "市民", "phone": f"199{number % 10**8:08}"},
    }


@dataclass
class Callers:
    """What was sent, what was acknowledged with which answer, and how often what status came."""

    url: Callable[[], str]
    key: str
    run: str
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    async def call(self, stop: asyncio.Event, count: int = 16) -> None:
        """So many callers at once; whoever has a report on the way when `stop` is set ends with it acknowledged."""
        numbers = iter(range(10**6))
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.key}"}, timeout=timeout) as http:
            await asyncio.gather(*(self._one(http, numbers, stop) for _ in range(count)))

    async def _one(self, http: aiohttp.ClientSession, numbers: Iterator[int], stop: asyncio.Event) -> None:
        while not stop.is_set():
            made = report(next(numbers), self.run)
            self.sent[made["external_id"]] = made
            while (answer := await self.send(http, made)) is None:
                await asyncio.sleep(PAUSE_S)
            self.acknowledged[made["external_id"]] = answer

    async def send(self, http: aiohttp.ClientSession, made: dict[str, Any]) -> dict[str, Any] | None:
        """The answer of a 2xx; None where the report was not acknowledged, whatever became of it."""
        try:
            async with http.post(f"{self.url()}/api/v1/reports", json=made) as answer:
                body = await answer.json(content_type=None)
                self.statuses[answer.status] += 1
                return body if answer.status < 300 else None
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            self.broken += 1
            return None

    async def again(self) -> dict[str, dict[str, Any] | None]:
        """Sends every acknowledged report once more, and returns the answers."""
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.key}"}) as http:
            answers = {}
            for name in self.acknowledged:
                answers[name] = await self.send(http, self.sent[name])
            return answers

    async def acknowledged_more(self, than: int) -> None:
        """Waits until more than so many reports are acknowledged; fails after a minute."""
        async with asyncio.timeout(60):
            while len(self.acknowledged) <= than:
                await asyncio.sleep(0.01)


async def check_stored_once(ground: Ground, callers: Callers) -> None:
    """Every acknowledged report is stored once with the answer its caller got; nothing is stored that nobody sent."""
    ledger = {
        row["external_id"]: row["receipt_no"]
        for row in await ground.rows("SELECT * FROM report_keys WHERE external_id LIKE $1 || '-%'", callers.run)
    }
    assert set(ledger) == set(callers.sent)
    assert {name: answer["receipt_no"] for name, answer in callers.acknowledged.items()} == ledger
    stored = Counter(row["receipt_no"] for row in await ground.rows("SELECT receipt_no FROM reports"))
    assert all(stored[receipt_no] == 1 for receipt_no in ledger.values())
    counted = await ground.rows(
        """SELECT (SELECT count(*) FROM report_keys), (SELECT count(*) FROM reports),
                  (SELECT sum(reports) FROM case_people)"""
    )
    assert len(set(counted[0])) == 1, "the ledger, the reports and the people do not agree"
    broken = await ground.rows(
        """SELECT c.case_no FROM cases c LEFT JOIN case_events e ON e.case_id = c.id
           GROUP BY c.id HAVING count(e.seq) <> c.seq OR max(e.seq) <> c.seq"""
    )
    assert not broken, "a case's record has a gap"
