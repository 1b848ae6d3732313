"""Working time: known deadlines, holidays, unpublished years, clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from sla.calendar import WorkCalendar
from sla.errors import BadFraction, BadSlots, NaiveTime, OutsideCalendar
from sla.limits import Limit, Mode, parse_limit
from sla.workdays import LAST_PUBLISHED_YEAR, LAST_YEAR, WorkDays

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
MODES: tuple[Mode, ...] = ("hours8", "day_end")


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return WorkCalendar(SHANGHAI)


def at(text: str, tz: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=tz)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-02-13 17:00", "1wd", "2026-02-14 17:00"),
        ("2026-02-13 17:00", "2wd", "2026-02-24 17:00"),
        ("2026-02-13 17:00", "5wd", "2026-02-27 17:00"),
        ("2026-09-30 16:00", "4wh", "2026-10-08 10:00"),
        ("2026-10-09 17:30", "1wd", "2026-10-10 17:30"),
        ("2026-05-08 13:00", "2wh", "2026-05-08 16:00"),
        ("2026-01-01 10:00", "1wd", "2026-01-04 18:00"),
        ("2025-09-27 09:00", "4wh", "2025-09-28 12:00"),
        ("2026-03-06 19:00", "4wh", "2026-03-09 12:00"),
    ],
)
def test_working_hours_and_eight_hour_days_over_lunch_holidays_and_working_weekends(
    calendar: WorkCalendar, start: str, limit: str, due: str
) -> None:
    found = calendar.due(at(start), parse_limit(limit), "hours8")
    assert (found.at, found.provisional) == (at(due), False)
    assert found.at.tzinfo is SHANGHAI


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-02-13 17:00", "1wd", "2026-02-14 18:00"),
        ("2026-02-13 17:00", "2wd", "2026-02-24 18:00"),
        ("2026-02-13 17:00", "5wd", "2026-02-27 18:00"),
        ("2026-09-30 09:00", "5wd", "2026-10-13 18:00"),
        ("2026-10-01 00:00", "1wd", "2026-10-08 18:00"),
        ("2026-03-09 00:00", "1wd", "2026-03-10 18:00"),
        ("2026-03-09 23:59:59.999999", "1wd", "2026-03-10 18:00"),
    ],
)
def test_day_end_leaves_out_the_day_of_receipt(calendar: WorkCalendar, start: str, limit: str, due: str) -> None:
    assert calendar.due(at(start), parse_limit(limit), "day_end").at == at(due)


@pytest.mark.parametrize("mode", MODES)
def test_natural_limits_run_through_holidays_and_nights(calendar: WorkCalendar, mode: Mode) -> None:
    assert calendar.due(at("2026-09-30 16:00"), Limit(24, "h"), mode).at == at("2026-10-01 16:00")
    assert calendar.due(at("2026-09-30 16:00"), Limit(7, "d"), mode).at == at("2026-10-07 16:00")
    assert calendar.due(at("2026-09-30 23:50"), Limit(30, "min"), mode).at == at("2026-10-01 00:20")


def test_working_hours_read_the_same_in_both_modes(calendar: WorkCalendar) -> None:
    assert len({calendar.due(at("2026-03-06 11:00"), Limit(6, "wh"), mode).at for mode in MODES}) == 1


def test_a_limit_that_ends_with_a_slot_is_not_due_at_the_beginning_of_the_next(calendar: WorkCalendar) -> None:
    assert calendar.due(at("2026-03-09 08:00"), Limit(4, "wh"), "hours8").at == at("2026-03-09 12:00")
    assert calendar.due(at("2026-03-09 12:00"), Limit(4, "wh"), "hours8").at == at("2026-03-09 18:00")


def test_fractions_of_a_second_are_kept(calendar: WorkCalendar) -> None:
    found = calendar.due(at("2026-03-09 17:59:59.250001"), Limit(1, "wh"), "hours8")
    assert found.at == at("2026-03-10 08:59:59.250001")


def test_an_instant_of_another_zone_is_answered_in_the_citys(calendar: WorkCalendar) -> None:
    found = calendar.due(datetime(2026, 3, 9, 0, 0, tzinfo=UTC), Limit(4, "wh"), "hours8")
    assert found.at == at("2026-03-09 12:00")
    assert found.at.tzinfo is SHANGHAI


def test_worked_counts_seconds_inside_slots_and_never_below_zero(calendar: WorkCalendar) -> None:
    assert calendar.worked(at("2026-02-13 17:00"), at("2026-02-24 08:00:30")) == 9 * 3_600 + 30
    assert calendar.worked(at("2026-02-15 00:00"), at("2026-02-23 23:59")) == 0
    assert calendar.worked(at("2026-02-24 08:00"), at("2026-02-13 17:00")) == 0


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),
        (date(2026, 2, 16), False),
        (date(2025, 1, 26), True),
        (date(2011, 10, 8), True),
        (date(2026, 3, 7), False),
        (date(2026, 3, 9), True),
    ],
)
def test_published_years_follow_the_notices(calendar: WorkCalendar, day: date, works: bool) -> None:
    assert calendar.days.is_workday(day) is works


@pytest.mark.parametrize("exceptions", [{date(2026, 3, 7): True, date(2026, 3, 9): False}])
def test_a_citys_exceptions_go_before_the_notices(exceptions: dict[date, bool]) -> None:
    calendar = WorkCalendar(SHANGHAI, WorkDays(exceptions=exceptions))
    assert calendar.days.is_workday(date(2026, 3, 7))
    assert not calendar.days.is_workday(date(2026, 3, 9))
    assert calendar.due(at("2026-03-06 17:00"), Limit(2, "wh"), "hours8").at == at("2026-03-07 09:00")
    assert calendar.due(at("2026-03-07 17:00"), Limit(2, "wh"), "hours8").at == at("2026-03-10 09:00")


def test_an_unpublished_year_has_weekends_and_fixed_days_off_and_is_provisional(calendar: WorkCalendar) -> None:
    year = LAST_PUBLISHED_YEAR + 1
    assert not any(calendar.days.is_workday(date(year, month, day)) for month, day in [(1, 1), (5, 1), (5, 2), (10, 1)])
    fortnight = [date(year, 6, 1) + timedelta(days=n) for n in range(14)]
    assert [calendar.days.is_workday(day) for day in fortnight] == [day.weekday() < 5 for day in fortnight]
    start = datetime(LAST_PUBLISHED_YEAR, 12, 20, 9, tzinfo=SHANGHAI)
    assert [calendar.due(start, Limit(n, "wd"), "hours8").provisional for n in (1, 30)] == [False, True]
    assert calendar.due(start, Limit(30, "wd"), "day_end").provisional
    assert not calendar.due(start, Limit(60, "d"), "hours8").provisional


@pytest.mark.parametrize(
    "moment", [datetime(2003, 12, 31, 23, 59, tzinfo=SHANGHAI), datetime(LAST_YEAR + 1, 1, 2, tzinfo=SHANGHAI)]
)
@pytest.mark.parametrize("mode", MODES)
def test_working_time_outside_the_calendar_is_refused(calendar: WorkCalendar, moment: datetime, mode: Mode) -> None:
    with pytest.raises(OutsideCalendar, match=f"2004 to {LAST_YEAR}"):
        calendar.due(moment, Limit(1, "wd"), mode)


@pytest.mark.parametrize("mode", MODES)
def test_working_time_that_leaves_the_calendar_is_refused(calendar: WorkCalendar, mode: Mode) -> None:
    with pytest.raises(OutsideCalendar):
        calendar.due(at("2026-03-09 08:00"), Limit(99_999, "wd"), mode)


def test_the_first_instant_of_the_calendar_can_be_asked_for(calendar: WorkCalendar) -> None:
    assert calendar.due(at("2004-01-01 00:00"), Limit(1, "wh"), "hours8").at == at("2004-01-02 09:00")


def test_an_instant_without_zone_is_refused(calendar: WorkCalendar) -> None:
    with pytest.raises(NaiveTime, match="2026-03-09T08:00:00"):
        calendar.due(datetime(2026, 3, 9, 8), Limit(1, "h"), "hours8")  # noqa: DTZ001


@pytest.mark.parametrize(
    "slots",
    [
        (),
        ((time(12), time(8)),),
        ((time(8), time(8)),),
        ((time(8), time(12)), (time(11), time(18))),
        ((time(14), time(18)), (time(8), time(12))),
        ((time(8, tzinfo=UTC), time(12, tzinfo=UTC)),),
    ],
)
def test_slots_that_are_empty_overlapping_or_out_of_order_are_refused(slots: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(BadSlots):
        WorkCalendar(SHANGHAI, WorkDays(slots))


def test_a_day_may_have_any_number_of_slots_and_they_may_touch() -> None:
    slots = ((time(7), time(9)), (time(9), time(11)), (time(13), time(14, 30)), (time(20), time(21)))
    calendar = WorkCalendar(SHANGHAI, WorkDays(slots))
    assert calendar.due(at("2026-03-09 08:00"), Limit(1, "wd"), "hours8").at == at("2026-03-10 09:30")
    assert calendar.due(at("2026-03-09 08:00"), Limit(1, "wd"), "day_end").at == at("2026-03-10 21:00")
    assert calendar.due(at("2026-03-09 08:00"), Limit(4, "wh"), "hours8").at == at("2026-03-09 14:00")


@pytest.mark.parametrize(
    ("limit", "due"),
    [("6wh", "2026-03-08 10:00"), ("24h", "2026-03-09 00:00"), ("1d", "2026-03-09 00:00")],
)
def test_a_night_that_loses_an_hour_counts_what_really_passed(limit: str, due: str) -> None:
    calendar = WorkCalendar(NEW_YORK, WorkDays(((time(0), time(5)), (time(8), time(18))), {date(2026, 3, 8): True}))
    started = at("2026-03-07 23:00", NEW_YORK)
    assert calendar.due(started, parse_limit(limit), "hours8").at.astimezone(UTC) == at(due, NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("slots", "worked"),
    [
        (((time(2, 30), time(3, 15)), (time(8), time(9))), 3_600),
        (((time(1), time(2, 45)), (time(3), time(5))), 3 * 3_600),
    ],
)
def test_slots_around_the_lost_hour_neither_run_backwards_nor_count_twice(
    slots: tuple[tuple[time, time], ...], worked: int
) -> None:
    calendar = WorkCalendar(NEW_YORK, WorkDays(slots, {date(2026, 3, 8): True}))
    assert calendar.worked(at("2026-03-08 00:00", NEW_YORK), at("2026-03-09 00:00", NEW_YORK)) == worked


def test_a_night_that_gains_an_hour_counts_what_really_passed() -> None:
    calendar = WorkCalendar(NEW_YORK, WorkDays(((time(0), time(5)),), {date(2026, 11, 1): True}))
    midnight = at("2026-11-01 00:00", NEW_YORK)
    assert calendar.worked(midnight, at("2026-11-01 05:00", NEW_YORK)) == 6 * 3_600
    twice = calendar.due(midnight, Limit(2, "wh"), "hours8").at
    assert (twice.hour, twice.fold) == (1, 1)


@pytest.mark.parametrize(
    ("limit", "mode", "warning"),
    [
        ("10wh", "hours8", "2026-03-10 16:00"),
        ("1wd", "hours8", "2026-03-10 14:24"),
        ("1wd", "day_end", "2026-03-10 16:00"),
        ("100min", "hours8", "2026-03-09 17:20"),
        ("10d", "day_end", "2026-03-17 16:00"),
    ],
)
def test_the_warning_comes_when_its_share_of_the_limit_is_used(
    calendar: WorkCalendar, limit: str, mode: Mode, warning: str
) -> None:
    assert calendar.window(at("2026-03-09 16:00"), parse_limit(limit), mode, 0.8) == at(warning)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", ["30min", "7d", "4wh", "3wd"])
def test_the_whole_limit_is_used_at_its_end(calendar: WorkCalendar, limit: str, mode: Mode) -> None:
    started = at("2026-02-13 17:00:01.5")
    whole = calendar.window(started, parse_limit(limit), mode, 1.0)
    assert whole == calendar.due(started, parse_limit(limit), mode).at


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.01])
def test_a_share_outside_the_limit_is_refused(calendar: WorkCalendar, fraction: float) -> None:
    with pytest.raises(BadFraction):
        calendar.window(at("2026-03-09 16:00"), Limit(1, "wd"), "hours8", fraction)


def test_a_deadline_set_over_a_weekend_still_has_a_warning_before_it(calendar: WorkCalendar) -> None:
    saturday, evening = at("2026-03-07 10:00"), at("2026-03-07 20:00")
    assert calendar.between(saturday, evening, 0.8, natural=False) == at("2026-03-07 18:00")
    assert calendar.between(evening, saturday, 0.8, natural=False) == saturday
