"""The calendar agrees with counting the minutes one by one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.bulk import BulkCalendar
from sla.calendar import WorkCalendar
from sla.explanation import explain
from sla.limits import Limit, Mode
from sla.workdays import Slots, WorkDays

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Instants are compared in UTC: a wall time that comes twice compares wrongly otherwise (PEP 495).


class City(NamedTuple):
    """A calendar, and two weeks that hold something worth counting over."""

    zone: str
    slots: Slots
    exceptions: tuple[tuple[date, bool], ...]
    first: date


OFFICE: Slots = ((time(8), time(12)), (time(14), time(18)))
LATE: Slots = ((time(7, 15), time(7, 16)), (time(9), time(11)), (time(11), time(11, 45)), (time(19), time(23, 59)))
NIGHT: Slots = ((time(0), time(5)), (time(22), time(23)))
CITIES = (
    City("Asia/Shanghai", OFFICE, (), date(2026, 2, 9)),
    City("Asia/Shanghai", OFFICE, (), date(2026, 9, 28)),
    City("Asia/Shanghai", LATE, ((date(2025, 10, 11), False), (date(2025, 10, 12), True)), date(2025, 10, 6)),
    City("Asia/Shanghai", OFFICE, (), date(2004, 1, 2)),
    City("Asia/Shanghai", OFFICE, (), date(2035, 4, 28)),
    City("America/New_York", NIGHT, ((date(2026, 3, 8), True),), date(2026, 3, 2)),
    City("America/New_York", NIGHT, ((date(2026, 11, 1), True),), date(2026, 10, 26)),
    City("Australia/Lord_Howe", NIGHT, ((date(2026, 4, 5), True),), date(2026, 3, 30)),
    City("Europe/London", NIGHT, ((date(2011, 3, 27), True),), date(2011, 3, 21)),
)
cities = st.sampled_from(CITIES)
offsets = st.integers(0, 14 * 86_400 * 1_000_000 - 1)
modes = st.sampled_from(["hours8", "day_end"])
unhurried = settings(deadline=None)  # the first use of a calendar lays it out


@cache
def calendar_of(city: City) -> WorkCalendar:
    return WorkCalendar(ZoneInfo(city.zone), WorkDays(city.slots, dict(city.exceptions)))


def moment(city: City, microseconds: int) -> datetime:
    midnight = datetime.combine(city.first, time(0), ZoneInfo(city.zone)).astimezone(UTC)
    return midnight + timedelta(microseconds=microseconds)


def steps(city: City, start: datetime) -> Iterator[tuple[datetime, datetime, bool]]:
    """From `start` on: the rest of its minute, then minute after minute, each with whether it is worked."""
    calendar, zone = calendar_of(city), ZoneInfo(city.zone)
    begin = start.astimezone(UTC)
    while True:
        wall = begin.astimezone(zone)
        works = calendar.days.is_workday(wall.date()) and any(a <= wall.time() < b for a, b in city.slots)
        end = begin.replace(second=0, microsecond=0) + MINUTE
        yield begin, end, works
        begin = end


def counted(city: City, start: datetime, end: datetime) -> timedelta:
    total = timedelta()
    for begin, finish, works in steps(city, start):
        if begin >= end:
            return total
        if works:
            total += min(finish, end) - begin
    raise AssertionError


def counted_due(city: City, start: datetime, need: timedelta) -> datetime:
    for begin, finish, works in steps(city, start):
        if works:
            if finish - begin >= need:
                return begin + need
            need -= finish - begin
    raise AssertionError


def counted_day_end(city: City, start: datetime, days: int) -> datetime:
    zone = ZoneInfo(city.zone)
    day = start.astimezone(zone).date()
    while days:
        day += timedelta(days=1)
        days -= calendar_of(city).days.is_workday(day)
    return datetime.combine(day, city.slots[-1][1], zone)


@unhurried
@given(cities, offsets, offsets)
def test_worked_is_the_number_of_seconds_inside_slots(city: City, one: int, other: int) -> None:
    start, end = sorted((moment(city, one), moment(city, other)))
    assert calendar_of(city).worked(start, end) == counted(city, start, end) // timedelta(seconds=1)


@unhurried
@given(cities, offsets, st.integers(1, 30))
def test_working_hours_end_at_the_first_instant_by_which_they_are_worked(city: City, offset: int, hours: int) -> None:
    start = moment(city, offset)
    due = calendar_of(city).due(start, Limit(hours, "wh"), "hours8").at
    assert due.astimezone(UTC) == counted_due(city, start, timedelta(hours=hours))


@unhurried
@given(cities, offsets, st.integers(1, 5))
def test_working_days_of_hours_are_eight_working_hours_each(city: City, offset: int, days: int) -> None:
    start = moment(city, offset)
    due = calendar_of(city).due(start, Limit(days, "wd"), "hours8").at
    assert due.astimezone(UTC) == counted_due(city, start, days * timedelta(hours=8))


@unhurried
@given(cities, offsets, st.integers(1, 30))
def test_whole_working_days_end_with_the_last_slot_of_the_last_one(city: City, offset: int, days: int) -> None:
    start = moment(city, offset)
    due = calendar_of(city).due(start, Limit(days, "wd"), "day_end").at
    assert due.astimezone(UTC) == counted_day_end(city, start, days).astimezone(UTC)


@unhurried
@given(cities, offsets, st.integers(1, 500), st.sampled_from(["min", "h", "d"]), modes)
def test_natural_limits_are_elapsed_time(city: City, offset: int, amount: int, unit: str, mode: Mode) -> None:
    start = moment(city, offset)
    length = {"min": timedelta(minutes=amount), "h": timedelta(hours=amount), "d": timedelta(days=amount)}[unit]
    due = calendar_of(city).due(start, Limit(amount, unit), mode)  # type: ignore[arg-type]
    assert (due.at.astimezone(UTC) - start, due.provisional) == (length, False)


@unhurried
@given(cities, offsets, st.integers(1, 20), st.sampled_from(["wh", "wd"]), modes, st.floats(0.01, 1))
def test_a_share_of_a_limit_is_that_share_of_the_work_in_it(
    city: City, offset: int, amount: int, unit: str, mode: Mode, fraction: float
) -> None:
    calendar, start, limit = calendar_of(city), moment(city, offset), Limit(amount, unit)  # type: ignore[arg-type]
    due = calendar.due(start, limit, mode).at.astimezone(UTC)
    warning = calendar.window(start, limit, mode, fraction).astimezone(UTC)
    assert start < warning <= due
    assert abs(calendar.worked(start, warning) - fraction * calendar.worked(start, due)) <= 1


@unhurried
@given(cities, offsets, st.integers(1, 40), st.sampled_from(["wh", "wd"]), modes)
def test_a_later_start_or_a_longer_limit_is_never_due_earlier(
    city: City, offset: int, amount: int, unit: str, mode: Mode
) -> None:
    calendar, start = calendar_of(city), moment(city, offset)

    def due(begin: datetime, amount: int) -> datetime:
        return calendar.due(begin, Limit(amount, unit), mode).at.astimezone(UTC)  # type: ignore[arg-type]

    assert due(start, amount + 1) > due(start, amount)
    assert due(start + MINUTE, amount) >= due(start, amount)


limits = st.builds(Limit, st.integers(1, 40), st.sampled_from(["min", "h", "d", "wh", "wd"]))


@unhurried
@given(cities, st.lists(st.tuples(offsets, limits, modes), max_size=12))
def test_many_at_once_are_due_when_each_alone_is(city: City, asked: list[tuple[int, Limit, Mode]]) -> None:
    calendar, starts = calendar_of(city), [moment(city, microseconds) for microseconds, _, _ in asked]
    ticks = np.array([(start - EPOCH) // timedelta(microseconds=1) for start in starts], dtype=np.int64)
    due, provisional = BulkCalendar(calendar).due(ticks, [a[1] for a in asked], [a[2] for a in asked])
    alone = [calendar.due(start, limit, mode) for start, (_, limit, mode) in zip(starts, asked, strict=True)]
    assert [EPOCH + timedelta(microseconds=int(tick)) for tick in due] == [each.at.astimezone(UTC) for each in alone]
    assert list(provisional) == [each.provisional for each in alone]


@unhurried
@given(cities, offsets, limits, modes)
def test_an_explanation_has_no_gap_and_its_counted_stretches_are_the_limit(
    city: City, offset: int, limit: Limit, mode: Mode
) -> None:
    calendar, start = calendar_of(city), moment(city, offset)
    slices = explain(calendar, start, limit, mode)
    ends = [start, *(each.end.astimezone(UTC) for each in slices)]
    assert [each.start.astimezone(UTC) for each in slices] == ends[:-1]
    assert ends[-1] == calendar.due(start, limit, mode).at.astimezone(UTC)
    assert all(each.start < each.end or each.start.astimezone(UTC) < each.end.astimezone(UTC) for each in slices)
    assert all((each.seconds > 0 or each.days > 0) == each.counted for each in slices)
    if limit.unit == "wd" and mode == "day_end":
        assert sum(each.days for each in slices) == limit.amount
    else:
        length = {"min": 60, "h": 3_600, "d": 86_400, "wh": 3_600, "wd": 8 * 3_600}[limit.unit]
        assert round(sum(each.seconds for each in slices), 6) == limit.amount * length
