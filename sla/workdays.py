"""Which days are worked, and in which slots (工作时段): national notices, seasons, and what a city or a group of units adds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Final

from chinese_calendar import Holiday, holidays, workdays  # type: ignore[import-untyped]

from sla.errors import BadSlots
from sla.years import FIXED_DAYS_OFF, Year

# Pieces of a day in wall time; an end of 00:00 is the midnight that ends the day.
Slots = tuple[tuple[time, time], ...]
MonthDay = tuple[int, int]

DEFAULT_SLOTS: Final[Slots] = ((time(8), time(12)), (time(14), time(18)))
FIRST_YEAR: Final[int] = min(holidays).year
LAST_PUBLISHED_YEAR: Final[int] = max(holidays).year
LAST_YEAR: Final = LAST_PUBLISHED_YEAR + 15

_IN_CHINESE: Final[dict[str, str]] = {holiday.value: holiday.chinese for holiday in Holiday}
_MIDNIGHT: Final = time(0)
_FRIDAY: Final = 4
_LEAP_YEAR: Final = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]


@dataclass(frozen=True, slots=True)
class Season:
    """Slots from one day of the year to another, both included; a season may run over the end of the year (冬令时 from October)."""

    first: MonthDay
    last: MonthDay
    slots: Slots

    def covers(self, day: date) -> bool:
        """Whether `day` is in the season."""
        here = day.month, day.day
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


class WorkDays:
    """The slots of every day.

    Weekends, holidays and working weekends (调休) follow the yearly notices of the State Council as kept by
    `chinesecalendar`; `years` are notices it does not know yet, or that the city reads itself, and go before it. A year
    without a notice has its weekends and the fixed statutory days off. `exceptions` maps a day to True (works) or False
    (off) and goes before both; `days` gives single days slots of their own (half days 半天) and goes before everything.
    A working day that is in a season has the slots of that season. With `every_day` weekends and holidays are worked like
    other days, unless `exceptions` says otherwise.
    Raises BadSlots for slots that are empty, out of order or overlapping, and for seasons that overlap.
    """

    def __init__(
        self,
        slots: Slots = DEFAULT_SLOTS,
        exceptions: Mapping[date, bool] | None = None,
        years: Iterable[Year] = (),
        seasons: Iterable[Season] = (),
        days: Mapping[date, Slots] | None = None,
        *,
        every_day: bool = False,
    ) -> None:
        self.normal, self.seasons, self.years = slots, tuple(seasons), tuple(years)
        self.exceptions, self.days, self.every_day = dict(exceptions or {}), dict(days or {}), every_day
        for each in (slots, *(season.slots for season in self.seasons), *self.days.values()):
            _check(each)
        _check_seasons(self.seasons)
        self._years = {year.year: year for year in self.years}
        published = LAST_PUBLISHED_YEAR
        while published + 1 in self._years:
            published += 1
        # Who works every day does not depend on any notice.
        self.last_published_year = LAST_YEAR if every_day else published

    @property
    def hours(self) -> tuple[Slots, tuple[Season, ...], bool]:
        """The slots of normal days, the seasons, and whether every day is worked."""
        return self.normal, self.seasons, self.every_day

    @property
    def special(self) -> tuple[tuple[date, bool | Slots], ...]:
        """Single days that differ, in order: whether they are worked, or in which slots."""
        differ: dict[date, bool | Slots] = {**self.exceptions, **self.days}
        return tuple(sorted(differ.items()))

    def with_years(self, years: Iterable[Year]) -> "WorkDays":
        """The same days with other notices."""
        return WorkDays(self.normal, self.exceptions, years, self.seasons, self.days, every_day=self.every_day)

    def slots(self, day: date) -> Slots:
        """The slots of a day in wall time; none of a day off."""
        if (own := self.days.get(day)) is not None:
            return own
        if not self.is_workday(day):
            return ()
        return next((season.slots for season in self.seasons if season.covers(day)), self.normal)

    def is_workday(self, day: date) -> bool:
        """Whether `day` has work slots."""
        if day in self.days:
            return True
        exception = self.exceptions.get(day)
        if exception is not None:
            return exception
        if self.every_day:
            return True
        if (year := self._years.get(day.year)) is not None:
            return year.is_workday(day)
        if day.year < FIRST_YEAR or day.year > LAST_PUBLISHED_YEAR:
            return day.weekday() <= _FRIDAY and (day.month, day.day) not in FIXED_DAYS_OFF
        return day in workdays or (day.weekday() <= _FRIDAY and day not in holidays)

    def name_of(self, day: date) -> tuple[str, str]:
        """What a day off, or a weekend that is worked, is called in Chinese and English; empty where nothing is known."""
        if day in self.exceptions or day in self.days:
            return "本市安排", "the city's own arrangement"
        if (year := self._years.get(day.year)) is not None:
            return ("放假安排", "by the notice") if day in year.off | year.work else ("", "")
        holiday = holidays.get(day) or workdays.get(day)
        if holiday is not None:
            return _IN_CHINESE[holiday], holiday
        fixed = not FIRST_YEAR <= day.year <= LAST_PUBLISHED_YEAR and (day.month, day.day) in FIXED_DAYS_OFF
        return ("法定节假日", "statutory day off") if fixed else ("", "")


def written(slots: Slots) -> str:
    """Slots as people write them: `08:00-12:00 14:00-24:00`."""
    return " ".join(f"{start:%H:%M}-{'24:00' if end == _MIDNIGHT else format(end, '%H:%M')}" for start, end in slots)


def _check(slots: Slots) -> None:
    if not slots:
        raise BadSlots("()", "a working day needs at least one")
    if any(wall.tzinfo is not None for slot in slots for wall in slot):
        raise BadSlots(written(slots), "they are wall times of the city and carry no time zone")
    if any(start >= end != _MIDNIGHT for start, end in slots):
        raise BadSlots(written(slots), "each must end after it starts, on the same day")
    if any(before[1] > after[0] or before[1] == _MIDNIGHT for before, after in pairwise(slots)):
        raise BadSlots(written(slots), "they must be in order and must not overlap")


def _check_seasons(seasons: tuple[Season, ...]) -> None:
    for season in seasons:
        for month, day in (season.first, season.last):
            if (month, day) not in {(each.month, each.day) for each in _LEAP_YEAR}:
                raise BadSlots(written(season.slots), f"{month:02}-{day:02} is no day of a year")
    for each in _LEAP_YEAR:
        if sum(season.covers(each) for season in seasons) > 1:
            raise BadSlots("()", f"two seasons cover {each:%m-%d}")
