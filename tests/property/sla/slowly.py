"""Limits counted second by second: slow, and plain enough to be believed. Nothing here is taken from `sla.calendar`.

An instant is a whole second since 1970 UTC. Of a calendar only `WorkDays.slots` is asked: which days are worked, and in which
wall times. Everything else is counted over the seconds that pass.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sla.limits import Limit, Mode
from sla.workdays import WorkDays

Flags = NDArray[np.bool_]
Pauses = Sequence[tuple[int, int]]

HOUR = 3_600
DAY = timedelta(days=1)
QUARTER = 900
PAPER_DAY = 86_400


class Day(NamedTuple):
    """A local day: its first second, of each of its seconds whether it is worked, and how many are."""

    begin: int
    works: Flags
    total: int


class Slowly:
    """The seconds of `days` in `zone`."""

    def __init__(self, zone: ZoneInfo, days: WorkDays) -> None:
        self.zone, self.days = zone, days
        self._known: dict[date, Day] = {}

    def counted(self, a: int, b: int, pauses: Pauses = (), *, natural: bool = False) -> int:
        """How many seconds from `a` to `b` count: all if `natural`, else the worked ones; none in a pause."""
        total = 0
        for begin, counts in self._onwards(a, pauses, natural=natural):
            if begin >= b:
                break
            total += _count(counts[: b - begin])
        return total

    def after(self, a: int, need: int, pauses: Pauses = (), *, natural: bool = False) -> int:
        """The instant by which `need` seconds have counted since `a`; `a` itself if none are needed."""
        if need:
            for begin, counts in self._onwards(a, pauses, natural=natural):
                there = _count(counts)
                if there >= need:
                    return begin + int(np.flatnonzero(counts)[need - 1]) + 1
                need -= there
        return a

    def due(
        self, start: int, limit: Limit, mode: Mode, extensions: Sequence[Limit] = (), pauses: Pauses = ()
    ) -> tuple[int, bool]:
        """When the limit ends, and whether that is provisional."""
        end = self._end(start, limit, mode)
        for extension in extensions:
            end = self._end(end, extension, mode)
        end = self.push(start, end, pauses, natural=limit.natural)
        unknown = self._date(end - 1).year > self.days.last_published_year
        return end, unknown and not all(each.natural for each in (limit, *extensions))

    def push(self, start: int, end: int, pauses: Pauses, *, natural: bool) -> int:
        """As many seconds count until then as until `end` without pauses; a limit that stands still does not end."""
        pushed = self.after(start, self.counted(start, end, natural=natural), pauses, natural=natural)
        if pushed > end:
            return pushed

        def pausing(second: int) -> list[int]:
            return [closes for opens, closes in pauses if max(opens, start) <= second < closes]

        while pausing(end - 1) and (still := pausing(end)):
            end = max(still)
        return end

    def canonical_start(self, due: int, limit: Limit, mode: Mode) -> int:
        """The latest start from which the limit ends at `due`, looked for backwards."""
        if limit.natural:
            return due - limit.natural_seconds
        if limit.unit == "wd" and mode == "day_end":
            day = self._date(due - 1)
            while self._end(self.day(day).begin, limit, mode) != due:
                day -= DAY
            return self.day(day).begin
        need, day = _working_seconds(limit), self._date(due)
        while True:
            begin, works, _ = self.day(day)
            worked = np.flatnonzero(works[: due - begin])
            if len(worked) >= need:
                return begin + int(worked[-need])
            need, day = need - len(worked), day - DAY

    def day(self, day: date) -> Day:
        """A local day, with every second of it looked at on the clock."""
        if day not in self._known:
            shown = clock(self.zone, day)
            slots = tuple((_second(opens), _second(closes)) for opens, closes in self.days.slots(day))
            self._known[day] = _worked(shown.begin, shown.wall, slots)
        return self._known[day]

    def is_worked(self, second: int) -> bool:
        """Whether the second that begins then is worked."""
        begin, works, _ = self.day(self._date(second))
        return bool(works[second - begin])

    def _end(self, start: int, limit: Limit, mode: Mode) -> int:
        if limit.natural:
            return start + limit.natural_seconds
        if limit.unit == "wh" or mode == "hours8":
            return self.after(start, _working_seconds(limit))
        day, days = self._date(start), limit.amount
        while days:
            day += DAY
            days -= self.day(day).total > 0
        begin, works, _ = self.day(day)
        return begin + int(np.flatnonzero(works)[-1]) + 1

    def _onwards(self, a: int, pauses: Pauses, *, natural: bool) -> Iterator[tuple[int, Flags]]:
        """The rest of the local day from `a` on, then day after day; of each second whether it counts."""
        day = self._date(a)
        while True:
            first, works, _ = self.day(day)
            begin = max(a, first)
            counts = np.ones_like(works[begin - first :]) if natural else works[begin - first :]
            inside = [(x - begin, y - begin) for x, y in pauses if x < begin + len(counts) and y > begin]
            if inside:
                counts = counts.copy()
            for opens, closes in inside:
                counts[max(opens, 0) : closes] = False
            yield begin, counts
            day += DAY

    def _date(self, second: int) -> date:
        return datetime.fromtimestamp(second, self.zone).date()


class Clock(NamedTuple):
    """What the clocks of a zone show on a local day: its first second, and for every second the wall time in seconds."""

    begin: int
    wall: NDArray[np.int32]


PAPER = np.arange(PAPER_DAY, dtype=np.int32)


@cache
def clock(zone: ZoneInfo, day: date) -> Clock:
    """The seconds whose local date is `day`. Zones that are asked for change their clocks on a quarter hour only."""
    noon = int(datetime.combine(day, time(12), UTC).timestamp())
    quarters = [
        (second, wall)
        for second in range(noon - 28 * HOUR, noon + 28 * HOUR, QUARTER)
        if (wall := datetime.fromtimestamp(second, zone)).date() == day
    ]
    begin = quarters[0][0]
    if [_second(wall.time()) for _, wall in quarters] == list(range(0, PAPER_DAY, QUARTER)):
        return Clock(begin, PAPER)
    # The clocks are changed on this day: look at each second.
    seconds = range(begin, begin + QUARTER * len(quarters))
    walls = (datetime.fromtimestamp(second, zone).time() for second in seconds)
    return Clock(begin, np.fromiter(map(_second, walls), dtype=np.int32))


def _worked(begin: int, wall: NDArray[np.int32], slots: tuple[tuple[int, int], ...]) -> Day:
    if wall is PAPER:
        works, total = _on_paper(slots)
    else:
        works = _inside(wall, slots)
        total = _count(works)
    return Day(begin, works, total)


@cache
def _on_paper(slots: tuple[tuple[int, int], ...]) -> tuple[Flags, int]:
    works = _inside(PAPER, slots)
    return works, _count(works)


def _inside(wall: NDArray[np.int32], slots: tuple[tuple[int, int], ...]) -> Flags:
    """Of each second whether it lies in a slot that has begun and has not ended.

    A wall time has come once the clock has shown it, or a later one; that it is shown again later changes nothing. One that
    the clock skips comes as much later as was skipped.
    """
    latest = np.maximum.accumulate(wall)
    before = np.concatenate([np.array([-1], dtype=np.int32), wall[:-1]])
    jump = int(np.argmax(wall - before))
    skipped, behind = int(before[jump]) + 1, int(wall[jump])

    def has_come(edge: int) -> Flags:
        moved = edge + behind - skipped if skipped <= edge < behind else edge
        return latest >= moved

    works = np.zeros(len(wall), dtype=np.bool_)
    for opens, closes in slots:
        works |= has_come(opens) & ~has_come(closes or PAPER_DAY)
    return works


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _second(wall: time) -> int:
    return wall.hour * HOUR + wall.minute * 60 + wall.second


def _working_seconds(limit: Limit) -> int:
    return limit.amount * HOUR * (8 if limit.unit == "wd" else 1)
