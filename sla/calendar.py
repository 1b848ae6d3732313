"""The work calendar (工作日历) and the arithmetic of limits on it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from chinese_calendar import Holiday, holidays, workdays  # type: ignore[import-untyped]

from sla.errors import BadFraction, BadSlots, NaiveTime, OutsideCalendar
from sla.limits import Limit, Mode
from sla.years import FIXED_DAYS_OFF, Year

Slots = tuple[tuple[time, time], ...]

DEFAULT_SLOTS: Final[Slots] = ((time(8), time(12)), (time(14), time(18)))
FIRST_YEAR: Final[int] = min(holidays).year
LAST_PUBLISHED_YEAR: Final[int] = max(holidays).year
LAST_YEAR: Final = LAST_PUBLISHED_YEAR + 15

_IN_CHINESE: Final[dict[str, str]] = {holiday.value: holiday.chinese for holiday in Holiday}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_WORK_HOUR: Final = 3_600 * _SECOND


class Due(msgspec.Struct, frozen=True):
    """When a limit ends; `provisional` if that is in a year whose holidays are not published yet."""

    at: datetime
    provisional: bool


class Layout(NamedTuple):
    """A calendar laid out. Instants and lengths are whole microseconds, instants since 1970 UTC.

    Of each slot its start, its end and the work done before it; of each working day its midnight and the end of its last
    slot; the bounds of the calendar, the instant from which years are not published, and the length of a normal day.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]
    day_starts: Sequence[int]
    day_ends: Sequence[int]
    begin: int
    end: int
    settled: int
    day: int
    years: tuple[int, int]


class WorkCalendar:
    """Work slots (local wall time) on the working days of mainland China, with a city's own exceptions.

    Weekends, holidays and working weekends (调休) follow the yearly notices of the State Council as kept by
    `chinesecalendar`; `years` are notices it does not know yet, or that the city reads itself, and go before it.
    `exceptions` maps a day to True (works) or False (off) and goes before both. A year without a notice has its
    weekends and the fixed statutory days off, and what ends in it or later is provisional.

    Instants are kept as whole microseconds since 1970 UTC: every slot of the calendar is laid out once, with the work
    done before it, so that a question is a binary search. A slot edge inside an hour that a clock change skips moves
    forward by that hour; of an hour that comes twice the first is meant.
    Raises BadSlots for slots that are empty, out of order or overlapping.
    """

    def __init__(
        self,
        tz: ZoneInfo,
        slots: Slots = DEFAULT_SLOTS,
        exceptions: Mapping[date, bool] | None = None,
        years: Iterable[Year] = (),
    ) -> None:
        _check(slots)
        self.tz = tz
        self.slots = slots
        self.years = tuple(years)
        self._exceptions = dict(exceptions or {})
        self._years = {year.year: year for year in self.years}
        self._wd = sum(_wall(end) - _wall(start) for start, end in slots)
        self._begin = self._midnight(date(FIRST_YEAR, 1, 1))
        published = LAST_PUBLISHED_YEAR
        while published + 1 in self._years:
            published += 1
        self.last_published_year = published
        self._settled = self._midnight(date(published + 1, 1, 1))
        self._end = self._midnight(date(LAST_YEAR + 1, 1, 1))
        self._lay_out()

    def is_workday(self, day: date) -> bool:
        """Whether `day` has work slots."""
        exception = self._exceptions.get(day)
        if exception is not None:
            return exception
        if (year := self._years.get(day.year)) is not None:
            return year.is_workday(day)
        if day.year < FIRST_YEAR or day.year > LAST_PUBLISHED_YEAR:
            return day.weekday() < 5 and (day.month, day.day) not in FIXED_DAYS_OFF
        return day in workdays or (day.weekday() < 5 and day not in holidays)

    def name_of(self, day: date) -> tuple[str, str]:
        """What a day off, or a weekend that is worked, is called in Chinese and English; empty where nothing is known."""
        if day in self._exceptions:
            return "本市安排", "the city's own arrangement"
        if (year := self._years.get(day.year)) is not None:
            return ("放假安排", "by the notice") if day in year.off | year.work else ("", "")
        holiday = holidays.get(day) or workdays.get(day)
        if holiday is not None:
            return _IN_CHINESE[holiday], holiday
        fixed = not FIRST_YEAR <= day.year <= LAST_PUBLISHED_YEAR and (day.month, day.day) in FIXED_DAYS_OFF
        return ("法定节假日", "statutory day off") if fixed else ("", "")

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

    def due(self, start: datetime, limit: Limit, mode: Mode) -> Due:
        """The earliest instant at which `limit` is used up, in the city's time zone.

        Working hours and, with `hours8`, working days (as many seconds as the slots of a normal day) count inside
        slots, so the end is never the beginning of a slot. With `day_end` the day of receipt does not count and n
        working days end with the last slot of the n-th following working day. Raises NaiveTime, OutsideCalendar.
        """
        begin = _instant(start)
        if limit.natural:
            return Due(self._local(begin + limit.natural_seconds * _SECOND), False)
        end = self._working_end(begin, limit, mode)
        return Due(self._local(end), end > self._settled)

    def window(self, start: datetime, limit: Limit, mode: Mode, fraction: float) -> datetime:
        """The instant at which `fraction` (above 0, at most 1) of `limit` is used; 0.8 is the warning.

        Raises BadFraction besides the errors of `due`.
        """
        return self.between(start, self.due(start, limit, mode).at, fraction, natural=limit.natural)

    def between(self, start: datetime, due: datetime, fraction: float, *, natural: bool) -> datetime:
        """The instant at which `fraction` of the time from `start` to `due` is used, however `due` was set.

        Counted in working time unless `natural`, or unless no working time lies between the two; `due` itself if it
        is not after `start`.
        """
        if not 0 < fraction <= 1:
            raise BadFraction(fraction)
        begin, end = _instant(start), _instant(due)
        if fraction == 1 or end <= begin:
            return self._local(end)
        if not natural:
            done = self._work_until(begin)
            total = self._work_until(end) - done
            if total:
                return self._local(self._reach(done + max(1, round(total * fraction))))
        return self._local(begin + round((end - begin) * fraction))

    @property
    def layout(self) -> "Layout":
        """Every slot and working day, for arithmetic on arrays."""
        return Layout(
            self._starts, self._ends, self._before, self._day_starts, self._day_ends,
            self._begin, self._end, self._settled, self._wd, (FIRST_YEAR, LAST_YEAR),
        )  # fmt: skip

    def _working_end(self, begin: int, limit: Limit, mode: Mode) -> int:
        if limit.unit == "wh":
            return self._reach(self._work_until(begin) + limit.amount * _WORK_HOUR)
        if mode == "hours8":
            return self._reach(self._work_until(begin) + limit.amount * self._wd)
        self._require_inside(begin)
        day = bisect_right(self._day_starts, begin) + limit.amount - 1
        if day >= len(self._day_ends):
            raise OutsideCalendar(FIRST_YEAR, LAST_YEAR)
        return self._day_ends[day]

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
            if self.is_workday(day):
                self._day_starts.append(self._midnight(day))
                for opens, closes in self.slots:
                    start = max(free_from, self._wall_instant(day, opens))
                    free_from = max(start, self._wall_instant(day, closes))
                    if start < free_from:
                        self._starts.append(start)
                        self._ends.append(free_from)
                        self._before.append(done)
                        done += free_from - start
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


def _wall(wall: time) -> int:
    length = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    return length // _MICROSECOND


def _check(slots: Slots) -> None:
    written = " ".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in slots)
    if not slots:
        raise BadSlots("()", "a working day needs at least one")
    if any(wall.tzinfo is not None for slot in slots for wall in slot):
        raise BadSlots(written, "they are wall times of the city and carry no time zone")
    if any(start >= end for start, end in slots):
        raise BadSlots(written, "each must end after it starts, on the same day")
    if any(before[1] > after[0] for before, after in pairwise(slots)):
        raise BadSlots(written, "they must be in order and must not overlap")
