"""The batches of a replay: as few as give what one row after the other would give.

What was open when a report came in decides what becomes of it, so a closing may not pass an opening that could be about
the same matter. The service compares a report only with cases near its point, of the same people, and, without a point,
with others without one. Two rows can therefore meet only if their points are within `REACH_M`, if they name the same
caller, party or object, or if neither has a point. Whatever cannot meet may change places:

| a closing goes | when |
|---|---|
| before the openings of the batch | it meets none of them, and its own row was opened in an earlier batch |
| after them | otherwise; an opening that meets it then begins a new batch |
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, floor, hypot, radians
from typing import Final, Literal

from connectors.errors import ConnectorError
from connectors.history.rows import HistoryRow

LONGEST_BATCH: Final = 500
# The service looks 150 m around a point, by tiles of 450 m; the points of one file are in one coordinate system.
REACH_M: Final = 1_000.0
METRES_PER_DEGREE: Final = 111_320.0
Act = Literal["open", "close"]
Square = tuple[int, int]
Timed = tuple[datetime, HistoryRow]


class NotInTimeOrder(ConnectorError):
    """Line {line} was received before the one read ahead of it."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True)
class Step:
    """Rows that are opened, or closed, in one request; `at` is the recorded time of the first."""

    act: Act
    at: datetime
    rows: tuple[HistoryRow, ...]


def steps(rows: Iterable[HistoryRow], within: timedelta | None) -> Iterator[Step]:
    """The requests of a replay in their order; no batch spans more recorded time than `within`.

    Openings stay in time order. Raises NotInTimeOrder.
    """
    batch = _Batch()
    waiting: list[Timed] = []
    for act, at, row in _moments(rows):
        too_long = within is not None and batch.began is not None and at - batch.began >= within
        if too_long or (act == "open" and batch.is_full_for(row)):
            yield from _parts("close", waiting + batch.before)
            yield from _parts("open", batch.openings)
            waiting, batch = batch.after, _Batch()
        batch.add(act, at, row)
    yield from _parts("close", waiting + batch.before)
    yield from _parts("open", batch.openings)
    yield from _parts("close", batch.after)


def _parts(act: Act, timed: list[Timed]) -> Iterator[Step]:
    for first in range(0, len(timed), LONGEST_BATCH):
        part = timed[first : first + LONGEST_BATCH]
        yield Step(act, part[0][0], tuple(row for _, row in part))


@dataclass(slots=True)
class _Vicinity:
    """Rows by the ways in which another can meet them."""

    names: set[tuple[str, str]] = field(default_factory=set)
    stretch: float = 0.0
    points: dict[Square, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    without_point: bool = False

    def add(self, row: HistoryRow) -> None:
        self.names |= _names(row)
        point = self._point(row)
        if point is None:
            self.without_point = True
        else:
            self.points[_square(point)].append(point)

    def meets(self, row: HistoryRow) -> bool:
        if not self.names.isdisjoint(_names(row)):
            return True
        point = self._point(row)
        if point is None:
            return self.without_point
        column, line = _square(point)
        return any(
            hypot(point[0] - other[0], point[1] - other[1]) <= REACH_M
            for square in [(column + east, line + north) for east in (-1, 0, 1) for north in (-1, 0, 1)]
            for other in self.points.get(square, ())
        )

    def _point(self, row: HistoryRow) -> tuple[float, float] | None:
        """Metres east and north on the plane of the first point, good to a part in a hundred within one city."""
        location = row.report.get("location", {})
        if location.get("lon") is None or location.get("lat") is None:
            return None
        lon, lat = float(location["lon"]), float(location["lat"])
        self.stretch = self.stretch or cos(radians(lat)) * METRES_PER_DEGREE
        return lon * self.stretch, lat * METRES_PER_DEGREE


@dataclass(slots=True)
class _Batch:
    """Closings that may go first, openings, and closings that must follow; each with its recorded time."""

    before: list[Timed] = field(default_factory=list)
    openings: list[Timed] = field(default_factory=list)
    after: list[Timed] = field(default_factory=list)
    began: datetime | None = None
    opened: _Vicinity = field(default_factory=_Vicinity)
    closed: _Vicinity = field(default_factory=_Vicinity)
    lines: set[int] = field(default_factory=set)

    def is_full_for(self, row: HistoryRow) -> bool:
        return len(self.openings) == LONGEST_BATCH or self.closed.meets(row)

    def add(self, act: Act, at: datetime, row: HistoryRow) -> None:
        self.began = self.began or at
        if act == "open":
            self.openings.append((at, row))
            self.opened.add(row)
            self.lines.add(row.line)
        elif row.line in self.lines or self.opened.meets(row):
            self.after.append((at, row))
            self.closed.add(row)
        else:
            self.before.append((at, row))


def _names(row: HistoryRow) -> set[tuple[str, str]]:
    named = {**row.report.get("caller", {}), **row.report.get("about", {})}
    return {(key, named[key]) for key in ("name", "phone", "party", "object") if named.get(key)}


def _square(point: tuple[float, float]) -> Square:
    return floor(point[0] / REACH_M), floor(point[1] / REACH_M)


def _moments(rows: Iterable[HistoryRow]) -> Iterator[tuple[Act, datetime, HistoryRow]]:
    """Openings and closings by recorded time; at one instant openings come first."""
    closings: list[tuple[datetime, int, HistoryRow]] = []
    last: datetime | None = None
    for number, row in enumerate(rows):
        opened = row.received_at
        if opened is None or (last is not None and opened < last):
            raise NotInTimeOrder(row.line)
        last = opened
        while closings and closings[0][0] < opened:
            at, _, closed = heapq.heappop(closings)
            yield "close", at, closed
        yield "open", opened, row
        if row.settled_at is not None:
            heapq.heappush(closings, (row.settled_at, number, row))
    while closings:
        at, _, closed = heapq.heappop(closings)
        yield "close", at, closed
