"""Hours of seasons, of single days and of those who work every day; slots up to midnight."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from sla.calendar import Adjusted, WorkCalendar
from sla.errors import BadPause, BadSlots, OutsideCalendar
from sla.limits import Limit, parse_limit
from sla.workdays import Season, WorkDays

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = ((time(8), time(12)), (time(14), time(18)))
SUMMER = ((time(8), time(12)), (time(15), time(19)))
HALF = ((time(8), time(12)),)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_a_season_has_its_own_slots_from_its_first_day_to_its_last() -> None:
    calendar = WorkCalendar(SHANGHAI, WorkDays(seasons=[Season((6, 15), (9, 14), SUMMER)]))
    for day, end in (
        ("2026-06-12", "18:00"),
        ("2026-06-15", "19:00"),
        ("2026-09-14", "19:00"),
        ("2026-09-15", "18:00"),
    ):
        assert calendar.slots_of(date.fromisoformat(day))[-1][1] == at(f"{day} {end}")
    assert calendar.due(at("2026-06-12 17:00"), Limit(8, "wh"), "hours8").at == at("2026-06-15 18:00")


def test_a_season_may_run_over_the_end_of_the_year() -> None:
    winter = Season((11, 1), (2, 28), ((time(9), time(17)),))
    days = WorkDays(seasons=[winter])
    assert [days.slots(date.fromisoformat(d)) == winter.slots for d in ("2025-12-31", "2026-01-05", "2026-03-02")] == [
        True,
        True,
        False,
    ]


def test_a_half_day_is_worked_in_its_own_slots_and_goes_before_weekends_and_seasons() -> None:
    days = WorkDays(days={date(2026, 2, 14): HALF, date(2026, 7, 4): HALF}, seasons=[Season((7, 1), (7, 31), SUMMER)])
    calendar = WorkCalendar(SHANGHAI, days)
    assert calendar.due(at("2026-02-13 17:00"), Limit(1, "wd"), "day_end").at == at("2026-02-14 12:00")
    assert calendar.due(at("2026-02-14 11:00"), Limit(2, "wh"), "hours8").at == at("2026-02-24 09:00")
    assert calendar.worked(at("2026-07-04 00:00"), at("2026-07-05 00:00")) == 4 * 3600


def test_who_works_every_day_has_no_weekend_and_no_holiday_and_waits_for_no_notice() -> None:
    calendar = WorkCalendar(SHANGHAI, WorkDays(((time(0), time(0)),), {date(2026, 2, 17): False}, every_day=True))
    assert calendar.due(at("2026-02-16 20:00"), Limit(8, "wh"), "hours8").at == at("2026-02-18 04:00")
    assert not calendar.due(at("2039-12-31 20:00"), Limit(8, "wh"), "hours8").provisional


def test_a_slot_may_end_at_midnight_and_the_next_begin_there() -> None:
    calendar = WorkCalendar(SHANGHAI, WorkDays(((time(0), time(6)), (time(22), time(0)))))
    assert calendar.due(at("2026-03-09 23:00"), Limit(2, "wh"), "hours8").at == at("2026-03-10 01:00")
    assert calendar.due(at("2026-03-09 23:00"), Limit(1, "wd"), "day_end").at == at("2026-03-11 00:00")
    assert calendar.subtract(at("2026-03-10 01:00"), Limit(2, "wh"), "hours8") == at("2026-03-09 23:00")


@pytest.mark.parametrize(
    ("days", "problem"),
    [
        ({"days": {date(2026, 3, 3): ()}}, "at least one"),
        ({"seasons": [Season((2, 30), (3, 1), OFFICE)]}, "02-30 is no day"),
        ({"seasons": [Season((6, 1), (9, 1), OFFICE), Season((9, 1), (10, 1), OFFICE)]}, "cover 09-01"),
        ({"slots": ((time(22), time(0)), (time(23), time(0)))}, "must not overlap"),
    ],
)
def test_hours_that_cannot_be_are_refused(days: dict[str, object], problem: str) -> None:
    with pytest.raises(BadSlots, match=problem):
        WorkDays(**days)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "mode", "pauses", "due"),
    [
        # Frozen on Friday with an hour left, going on in the middle of a working day.
        ("8wh", "hours8", [("2026-03-09 17:00", "2026-03-11 10:00")], "2026-03-11 11:00"),
        # Nothing is frozen at night.
        ("8wh", "hours8", [("2026-03-09 18:00", "2026-03-10 08:00")], "2026-03-09 18:00"),
        # A pause over a holiday week freezes the working time in it only.
        ("2wd", "hours8", [("2026-02-13 17:30", "2026-02-24 09:00")], "2026-02-26 08:30"),
        ("24h", "hours8", [("2026-03-09 20:00", "2026-03-10 20:00")], "2026-03-11 08:00"),
        # Of a limit in whole days what was left in working time is left.
        ("2wd", "day_end", [("2026-03-10 08:00", "2026-03-11 08:00")], "2026-03-12 18:00"),
        ("2wd", "day_end", [("2026-03-10 10:00", "2026-03-10 11:00")], "2026-03-12 09:00"),
        # Before the start and behind the end nothing is changed.
        ("8wh", "hours8", [("2026-03-01 08:00", "2026-03-09 08:00"), ("2026-03-09 18:00", "2026-03-20 08:00")],
         "2026-03-09 18:00"),
    ],
)  # fmt: skip
def test_a_pause_freezes_what_was_left(limit: str, mode: str, pauses: list[tuple[str, str]], due: str) -> None:
    start = at("2026-02-13 17:00") if "02-13" in pauses[0][0] else at("2026-03-09 08:00")
    adjusted = Adjusted(pauses=tuple((at(a), at(b)) for a, b in pauses))
    found = WorkCalendar(SHANGHAI).due(start, parse_limit(limit), mode, adjusted).at  # type: ignore[arg-type]
    assert found == at(due)


@pytest.mark.parametrize(
    ("closes", "due"),
    [
        ("2026-03-07 12:00", "2026-03-07 18:00"),
        ("2026-03-08 20:00", "2026-03-08 20:00"),
        ("2026-03-09 20:00", "2026-03-09 20:00"),
    ],
)
def test_a_limit_extended_into_the_weekend_does_not_end_while_it_stands_still(closes: str, due: str) -> None:
    calendar, start = WorkCalendar(SHANGHAI), at("2026-03-06 14:00")
    assert calendar.due(start, Limit(4, "wh"), "hours8", Adjusted((Limit(24, "h"),))).at == at("2026-03-07 18:00")
    adjusted = Adjusted((Limit(24, "h"),), ((at("2026-03-07 10:00"), at(closes)),))
    assert calendar.due(start, Limit(4, "wh"), "hours8", adjusted).at == at(due)


def test_a_pause_that_ends_before_it_begins_is_refused() -> None:
    adjusted = Adjusted(pauses=((at("2026-03-10 08:00"), at("2026-03-09 08:00")),))
    with pytest.raises(BadPause):
        WorkCalendar(SHANGHAI).due(at("2026-03-09 08:00"), Limit(1, "wd"), "hours8", adjusted)


def test_an_extension_counts_from_the_due_instant() -> None:
    calendar, start = WorkCalendar(SHANGHAI), at("2026-09-28 10:00")
    twice = Adjusted(extensions=(Limit(2, "wd"), Limit(1, "wd")))
    assert calendar.due(start, Limit(2, "wd"), "day_end").at == at("2026-09-30 18:00")
    assert calendar.due(start, Limit(2, "wd"), "day_end", twice).at == at("2026-10-10 18:00")
    paused = Adjusted((Limit(2, "wd"),), ((at("2026-09-29 08:00"), at("2026-09-30 08:00")),))
    assert calendar.due(start, Limit(2, "wd"), "hours8", paused).at == at("2026-10-10 10:00")


@pytest.mark.parametrize(
    ("due", "limit", "mode", "start"),
    [
        ("2026-03-10 10:00", "8wh", "hours8", "2026-03-09 10:00"),
        # From Saturday as from Monday at eight: Monday is where counting begins.
        ("2026-03-09 12:00", "4wh", "hours8", "2026-03-09 08:00"),
        ("2026-03-09 14:00", "24h", "hours8", "2026-03-08 14:00"),
        # Received on Friday, Saturday or Sunday: due at the end of Monday.
        ("2026-03-09 18:00", "1wd", "day_end", "2026-03-08 00:00"),
        ("2026-02-24 18:00", "1wd", "day_end", "2026-02-23 00:00"),
    ],
)
def test_subtract_gives_the_latest_start(due: str, limit: str, mode: str, start: str) -> None:
    found = WorkCalendar(SHANGHAI).subtract(at(due), parse_limit(limit), mode)  # type: ignore[arg-type]
    assert found == at(start)


def test_subtract_does_not_leave_the_calendar() -> None:
    with pytest.raises(OutsideCalendar):
        WorkCalendar(SHANGHAI).subtract(at("2004-01-02 10:00"), Limit(40, "wh"), "hours8")
