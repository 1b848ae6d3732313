"""The work calendar (工作日历) and the arithmetic of limits on it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from sla.errors import BadFraction, BadPause, NaiveTime, OutsideCalendar
from sla.limits import Limit, Mode
from sla.workdays import FIRST_YEAR, LAST_YEAR, WorkDays

Pause = tuple[datetime, datetime]

WORK_DAY_HOURS: Final = 8

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_WORK_HOUR: Final = 3_600 * _SECOND
_WORK_DAY: Final = WORK_DAY_HOURS * _WORK_HOUR


class Due(msgspec.Struct, frozen=True):
    """When a limit ends; `provisional` if that is in a year whose holidays are not published yet."""

    at: datetime
    provisional: bool


class Adjusted(msgspec.Struct, frozen=True):
    """What was approved for a running limit: limits added at its end (延期), and stretches in which it stands still (挂账).

    Pauses may overlap, touch, and come in any order; only the time that they cover together counts.
    """

    extensions: tuple[Limit, ...] = ()
    pauses: tuple[Pause, ...] = ()


UNADJUSTED: Final = Adjusted()


class Layout(NamedTuple):
    """A calendar laid out. Instants and lengths are whole microseconds, instants since 1970 UTC.

    Of each slot its start, its end and the work done before it; of each working day its midnight and the end of its last
    slot; the bounds of the calendar, and the instant from which years are not published.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]
    day_starts: Sequence[int]
    day_ends: Sequence[int]
    begin: int
    end: int
    settled: int
    years: tuple[int, int]


class WorkCalendar:
    """The slots of `days` as instants in the zone `tz`, and what limits come to on them.

    Instants are kept as whole microseconds since 1970 UTC: every slot is laid out once, with the work done before it, so
    that a question is a binary search. What ends in a year without notice, or later, is provisional. A slot edge inside an
    hour that a clock change skips moves forward by that hour; of an hour that comes twice the first is meant.
    """

    def __init__(self, tz: ZoneInfo, days: WorkDays | None = None) -> None:
        self.tz = tz
        self.days = days or WorkDays()
        self._begin = self._midnight(date(FIRST_YEAR, 1, 1))
        self._settled = self._midnight(date(self.days.last_published_year + 1, 1, 1))
        self._end = self._midnight(date(LAST_YEAR + 1, 1, 1))
        self._lay_out()

    def slots_of(self, day: date) -> list[tuple[datetime, datetime]]:
        """The slots of a working day as instants, in order; none of a day off."""
        first = bisect_left(self._starts, self._midnight(day))
        behind = bisect_left(self._starts, self._midnight(day + timedelta(days=1)))
        return [
            (_EPOCH + self._starts[slot] * _MICROSECOND, _EPOCH + self._ends[slot] * _MICROSECOND)
            for slot in range(max(first, 1), behind)
        ]

    def worked(self, a: datetime, b: datetime) -> int:
        """Whole seconds inside work slots from `a` to `b`; 0 if `b` is not later. Raises NaiveTime, OutsideCalendar."""
        return max(0, self._work_until(_instant(b)) - self._work_until(_instant(a))) // _SECOND

    def run(self, a: datetime, b: datetime, pauses: Iterable[Pause] = (), *, natural: bool) -> float:
        """Seconds that run from `a` to `b` outside the pauses: those inside work slots unless `natural`. Raises as `due`."""
        return self._run(_instant(a), _instant(b), pauses, natural=natural) / _SECOND

    def due(self, start: datetime, limit: Limit, mode: Mode, adjusted: Adjusted = UNADJUSTED) -> Due:
        """The earliest instant at which `limit`, with its extensions, is used up outside the pauses, in the city's time zone.

        Working hours and, with `hours8`, working days (eight working hours each) count inside slots, so the end is never
        the beginning of a slot. With `day_end` the day of receipt does not count and n working days end with the last slot
        of the n-th following working day; an extension counts from there. A pause freezes what was left when it began:
        working time, or elapsed time of a limit that runs through; while it stands still, a limit does not end. Raises
        NaiveTime, OutsideCalendar, BadPause.
        """
        begin = _instant(start)
        end, working = self._end_of(begin, limit, mode), not limit.natural
        if adjusted is not UNADJUSTED:
            for extension in adjusted.extensions:
                end, working = self._end_of(end, extension, mode), working or not extension.natural
            end = self._push(begin, end, adjusted.pauses, natural=limit.natural)
        return Due(self._local(end), working and end > self._settled)

    def subtract(self, due: datetime, limit: Limit, mode: Mode) -> datetime:
        """The canonical start (起算时间): the latest instant from which `limit` is used up at `due`.

        In working time that is the instant at which counting begins: for a start outside the slots the beginning of the next
        slot. With `day_end` it is the midnight that begins the last day on which a receipt is due then.
        Raises NaiveTime, OutsideCalendar.
        """
        end = _instant(due)
        if limit.natural:
            return self._local(end - limit.natural_seconds * _SECOND)
        if limit.unit == "wd" and mode == "day_end":
            return self._receipt_day(end, limit.amount)
        work = self._work_until(end) - limit.amount * (_WORK_HOUR if limit.unit == "wh" else _WORK_DAY)
        slot = bisect_right(self._before, work) - 1
        if work < 0 or slot < 1:
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)
        return self._local(self._starts[slot] + work - self._before[slot])

    def push(self, start: datetime, instant: datetime, pauses: Iterable[Pause], *, natural: bool) -> datetime:
        """By when as much time has run since `start` as at `instant` if nothing had been paused; never within a pause.

        Raises as `due` does.
        """
        return self._local(self._push(_instant(start), _instant(instant), pauses, natural=natural))

    def window(self, start: datetime, limit: Limit, mode: Mode, fraction: float) -> datetime:
        """The instant at which `fraction` (above 0, at most 1) of `limit` is used; 0.8 is the warning.

        Raises BadFraction besides the errors of `due`.
        """
        return self.between(start, self.due(start, limit, mode).at, fraction, natural=limit.natural)

    def between(
        self, start: datetime, due: datetime, fraction: float, pauses: Sequence[Pause] = (), *, natural: bool
    ) -> datetime:
        """The instant at which `fraction` of the time from `start` to `due` is used outside the pauses, however `due` was set.

        Counted in working time unless `natural`, or unless no working time lies between the two; `due` itself if it
        is not after `start`.
        """
        if not 0 < fraction <= 1:
            raise BadFraction(fraction)
        begin, end = _instant(start), _instant(due)
        if fraction == 1 or end <= begin:
            return self._local(end)
        if not natural and (total := self._run(begin, end, pauses, natural=False)):
            at = self._reach(self._work_until(begin) + max(1, round(total * fraction)))
            return self._local(self._push(begin, at, pauses, natural=False))
        at = begin + round(self._run(begin, end, pauses, natural=True) * fraction)
        return self._local(self._push(begin, at, pauses, natural=True))

    @property
    def layout(self) -> "Layout":
        """Every slot and working day, for arithmetic on arrays."""
        return Layout(
            self._starts, self._ends, self._before, self._day_starts, self._day_ends,
            self._begin, self._end, self._settled, (FIRST_YEAR, LAST_YEAR),
        )  # fmt: skip

    def _end_of(self, begin: int, limit: Limit, mode: Mode) -> int:
        if limit.natural:
            return begin + limit.natural_seconds * _SECOND
        if limit.unit == "wh":
            return self._reach(self._work_until(begin) + limit.amount * _WORK_HOUR)
        if mode == "hours8":
            return self._reach(self._work_until(begin) + limit.amount * _WORK_DAY)
        self._require_inside(begin)
        day = bisect_right(self._day_starts, begin) + limit.amount - 1
        if day >= len(self._day_ends):
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)
        return self._day_ends[day]

    def _run(self, begin: int, end: int, pauses: Iterable[Pause], *, natural: bool) -> int:
        until = (lambda instant: instant) if natural else self._work_until
        total = until(end) - until(begin) if begin < end else 0
        for opens, closes in _merged(pauses):
            if (opens := max(opens, begin)) < (closes := min(closes, end)):
                total -= until(closes) - until(opens)
        return total

    def _push(self, begin: int, end: int, pauses: Iterable[Pause], *, natural: bool) -> int:
        for paused_from, paused_until in _merged(pauses):
            opens, closes = max(paused_from, begin), paused_until
            if opens >= end:
                break
            if closes <= opens:
                continue
            if natural:
                end += closes - opens
                continue
            if frozen := self._work_until(closes) - self._work_until(opens):
                end = self._reach(self._work_until(end) + frozen)
            # Between slots no working time may be left and the end yet to come: it does not come while the limit stands still.
            end = max(end, closes)
        return end

    def _receipt_day(self, end: int, days: int) -> datetime:
        """Midnight of the last day from which `days` whole working days end at `end`."""
        first = bisect_right(self._day_starts, end - 1) - days
        if first < 1:
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)
        counted = datetime.fromtimestamp(self._day_starts[first] // _SECOND, self.tz).date()
        return datetime.combine(counted - timedelta(days=1), time(0), self.tz)

    def _work_until(self, instant: int) -> int:
        """Work in microseconds from the beginning of the calendar to `instant`."""
        self._require_inside(instant)
        slot = bisect_right(self._starts, instant) - 1
        return self._before[slot] + min(instant, self._ends[slot]) - self._starts[slot]

    def _reach(self, work: int) -> int:
        """The earliest instant by which `work` microseconds are done."""
        slot = bisect_left(self._before, work) - 1
        end = self._starts[slot] + work - self._before[slot]
        if end > self._ends[slot]:
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)
        return end

    def _require_inside(self, instant: int) -> None:
        if not self._begin <= instant < self._end:
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)

    def _lay_out(self) -> None:
        # An empty slot stands first, so that every instant of the calendar has a slot that begins before it.
        self._starts: list[int] = [self._begin]
        self._ends: list[int] = [self._begin]
        self._before: list[int] = [0]
        self._day_starts: list[int] = []
        self._day_ends: list[int] = []
        day, stop, done, free_from = date(FIRST_YEAR, 1, 1), date(LAST_YEAR + 1, 1, 1), 0, self._begin
        while day < stop:
            before = done
            for opens, closes in self.days.slots(day):
                start = max(free_from, self._wall_instant(day, opens))
                closing = day + timedelta(days=1) if closes == time(0) else day
                free_from = max(start, self._wall_instant(closing, closes))
                if start < free_from:
                    self._starts.append(start)
                    self._ends.append(free_from)
                    self._before.append(done)
                    done += free_from - start
            # A clock change can swallow all slots of a day: then nothing can be done on it, and it is no working day.
            if done > before:
                self._day_starts.append(self._midnight(day))
                self._day_ends.append(free_from)
            day += timedelta(days=1)

    def _midnight(self, day: date) -> int:
        return self._wall_instant(day, time(0))

    def _wall_instant(self, day: date, wall: time) -> int:
        return _instant(datetime.combine(day, wall, self.tz))

    def _local(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant / _SECOND, self.tz)


def _instant(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise NaiveTime(moment.isoformat())
    return (moment - _EPOCH) // _MICROSECOND


def _merged(pauses: Iterable[Pause]) -> list[tuple[int, int]]:
    """Pauses in order, those that touch or overlap as one. Raises BadPause for one that ends before it begins."""
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted((_instant(a), _instant(b)) for a, b in pauses):
        if closes < opens:
            raise BadPause((_EPOCH + opens * _MICROSECOND).isoformat(), (_EPOCH + closes * _MICROSECOND).isoformat())
        if merged and opens <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], closes)
        else:
            merged.append((opens, closes))
    return merged
