"""Feeding a history through the front door in time order, openings and closings interleaved.

Each report is judged as of the time it was received. What was open then must be open now: `steps` says which rows go
together so that it is, and each batch is answered before the next is sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.errors import ConnectorError
from connectors.history.account import OWN_CASE, Account, Answer, problem_of
from connectors.history.rows import HistoryRow
from connectors.history.steps import steps


class ReplayPort(Protocol):
    """The front door. Both give one answer per item in the order of the items: `{"index", "status", "body"}`."""

    async def submit(self, reports: Sequence[dict[str, Any]]) -> Sequence[Answer]:
        """Submit at most 500 reports in the wire form, in arrival order."""

    async def close(self, items: Sequence[tuple[str, str, datetime]]) -> Sequence[Answer]:
        """Close the cases of (channel, external_id) as of the given times."""


class AnswersMissing(ConnectorError):
    """The service gave {answers} answers to {items} items."""

    def __init__(self, items: int, answers: int) -> None:
        super().__init__(items, answers)
        self.items = items
        self.answers = answers


@dataclass(slots=True)
class Pace:
    """Recorded time run through `speed` times as fast; the clock (seconds) and the sleep are ports for tests."""

    speed: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _began: tuple[datetime, float] | None = None

    async def reach(self, at: datetime) -> None:
        """Wait until the recorded time has come; the first call sets the start."""
        if self._began is None:
            self._began = at, self.clock()
        first, start = self._began
        left = (at - first).total_seconds() / self.speed - (self.clock() - start)
        if left > 0:
            await self.sleep(left)


async def replay(
    rows: Iterable[HistoryRow], port: ReplayPort, *, advance: Callable[[int], None], pace: Pace | None = None
) -> Account:
    """Replay rows that stand in time order (rows without a time anywhere); `advance` is told how many more are done.

    Without a pace it goes as quick as the service answers. Raises NotInTimeOrder, AnswersMissing, Unbalanced and
    whatever the port raises; after any of them the same replay may be run again, nothing is taken twice.
    """
    account = Account()
    own: set[tuple[str, str]] = set()
    second = timedelta(seconds=pace.speed) if pace is not None else None
    for step in steps(_sendable(rows, account, advance), second):
        if pace is not None:
            await pace.reach(step.at)
        if step.act == "open":
            await _open(step.rows, port, account, own)
            advance(len(step.rows))
        else:
            await _close(step.rows, port, account, own)
    account.balance()
    return account


def _sendable(rows: Iterable[HistoryRow], account: Account, advance: Callable[[int], None]) -> Iterator[HistoryRow]:
    for row in rows:
        account.read += 1
        lacks = row.unmapped
        if lacks is not None:
            account.unmapped[lacks] += 1
            advance(1)
            continue
        account.closed_rows += row.closed_at is not None
        yield row


async def _open(rows: Sequence[HistoryRow], port: ReplayPort, account: Account, own: set[tuple[str, str]]) -> None:
    answers = await port.submit([row.report for row in rows])
    if len(answers) != len(rows):
        raise AnswersMissing(len(rows), len(answers))
    for row, answer in zip(rows, answers, strict=True):
        if account.enter(answer) in OWN_CASE:
            own.add(_key(row))


async def _close(rows: Sequence[HistoryRow], port: ReplayPort, account: Account, own: set[tuple[str, str]]) -> None:
    due = [row for row in rows if _key(row) in own]
    if len(due) < len(rows):
        account.closings["not_own"] += len(rows) - len(due)
    if not due:
        return
    answers = await port.close([(*_key(row), row.settled_at) for row in due if row.settled_at is not None])
    if len(answers) != len(due):
        raise AnswersMissing(len(due), len(answers))
    for answer in answers:
        account.closings["closed" if answer["status"] in range(200, 300) else problem_of(answer)] += 1


def _key(row: HistoryRow) -> tuple[str, str]:
    return row.report["channel"], row.report["external_id"]
