"""Days on which arithmetic goes wrong, each worked out by hand; the calendar and the slow count must both say so."""

import pytest

from sla.limits import Mode, parse_limit
from tests.property.sla.cities import BY_NAME, Running, Spans, second, utc

HOUR = 3_600


def check(
    place: str, start: str, limit: str, mode: Mode, due: str, *, pauses: Spans = (), canonical: str | None = None
) -> None:
    city = BY_NAME[place]
    clock = Running(city, city.instant(start), parse_limit(limit), mode, (), pauses)
    assert (clock.due, clock.expected[0]) == (city.instant(due), city.instant(due))
    if canonical:
        found = city.calendar.subtract(utc(city.instant(due)), clock.limit, mode)
        assert second(found) == city.instant(canonical)
        assert city.slowly.canonical_start(city.instant(due), clock.limit, mode) == city.instant(canonical)


def worked_on(place: str, day: str) -> float:
    """Hours of work on a day."""
    city, begin = BY_NAME[place], BY_NAME[place].instant(day)
    end = begin + 23 * HOUR
    while utc(end).astimezone(city.zone).date() == utc(begin).astimezone(city.zone).date():
        end += HOUR // 2
    worked = city.calendar.worked(utc(begin), utc(end))
    assert worked == city.slowly.counted(begin, end)
    return worked / HOUR


@pytest.mark.parametrize(
    ("place", "start", "limit", "mode", "due"),
    [
        # The first to the third of January 2026 are off, and the Sunday after them is worked.
        ("office", "2025-12-31 17:00", "2wh", "hours8", "2026-01-04 09:00"),
        ("office", "2025-12-31 17:00", "1wd", "day_end", "2026-01-04 18:00"),
        # The notice for 2027 is not out: the first is off, a Friday.
        ("office", "2026-12-31 17:00", "2wh", "hours8", "2027-01-04 09:00"),
        ("office", "2026-12-31 23:59:59", "1min", "hours8", "2027-01-01 00:00:59"),
        ("nights", "2025-12-31 23:00", "2wh", "hours8", "2026-01-04 01:00"),
        ("half days", "2026-12-30 19:00", "1wd", "day_end", "2026-12-31 12:00"),
    ],
)
def test_years_end(place: str, start: str, limit: str, mode: Mode, due: str) -> None:
    check(place, start, limit, mode, due)


def test_a_limit_that_ends_with_the_last_published_year_is_settled_and_a_second_later_is_not() -> None:
    city = BY_NAME["nights"]
    for start, provisional in (("2026-12-31 23:00", False), ("2026-12-31 23:00:01", True)):
        clock = Running(city, city.instant(start), parse_limit("1wh"), "hours8", (), ())
        found = city.calendar.due(utc(clock.start), clock.limit, clock.mode)
        assert (found.provisional, clock.expected[1]) == (provisional, provisional)


@pytest.mark.parametrize(
    ("place", "start", "limit", "mode", "due"),
    [
        ("office", "2024-02-28 17:00", "10wh", "hours8", "2024-03-01 09:00"),
        ("office", "2023-02-28 17:00", "10wh", "hours8", "2023-03-02 09:00"),
        ("office", "2024-02-28 12:00", "2d", "hours8", "2024-03-01 12:00"),
        ("office", "2024-02-28 12:00", "1wd", "day_end", "2024-02-29 18:00"),
        ("half days", "2024-02-28 12:00", "1wd", "day_end", "2024-02-29 12:00"),
        # The winter hours end on 28 February: the leap day has the normal ones.
        ("seasons", "2024-02-28 16:00", "2wh", "hours8", "2024-02-29 09:00"),
    ],
)
def test_leap_day(place: str, start: str, limit: str, mode: Mode, due: str) -> None:
    check(place, start, limit, mode, due)


@pytest.mark.parametrize(
    ("place", "start", "limit", "mode", "due"),
    [
        # From two the clocks go on at three: until 02:30, which is 03:30 then, and from three to five, are four hours.
        ("New York", "2026-03-07 22:00", "6wh", "hours8", "2026-03-08T05:00-04:00"),
        ("New York", "2026-03-07 22:00", "24h", "hours8", "2026-03-08T23:00-04:00"),
        ("Lord Howe", "2026-10-04 00:00", "3wh", "hours8", "2026-10-04T11:30+11:00"),
        # 01:20 is 02:20 then, and what would begin at 01:45 is over by 02:30 and never begins.
        ("London", "2026-03-29 00:30", "1wh", "hours8", "2026-03-29T23:10+01:00"),
        ("Havana", "2026-03-07 23:00", "2wh", "hours8", "2026-03-08T08:20-04:00"),
    ],
)
def test_clocks_go_forward(place: str, start: str, limit: str, mode: Mode, due: str) -> None:
    check(place, start, limit, mode, due, canonical=start if "wh" in limit and "00:00" not in start else None)


@pytest.mark.parametrize(
    ("place", "start", "limit", "mode", "due"),
    [
        ("New York", "2026-11-01 00:00", "2wh", "hours8", "2026-11-01T01:00-05:00"),
        ("New York", "2026-11-01 00:00", "3wh", "hours8", "2026-11-01T02:00-05:00"),
        ("New York", "2026-10-31 22:00", "24h", "hours8", "2026-11-01T21:00-05:00"),
        ("Lord Howe", "2026-04-05 01:45", "1wh", "hours8", "2026-04-05T02:15+10:30"),
        # 01:20 has come when it is shown first; what begins at 01:45 goes on through the second hour.
        ("London", "2026-10-25 00:30", "2wh", "hours8", "2026-10-25T01:55+00:00"),
        ("Havana", "2026-11-01 00:00", "2wh", "hours8", "2026-11-01T09:20-05:00"),
    ],
)
def test_clocks_go_back(place: str, start: str, limit: str, mode: Mode, due: str) -> None:
    check(place, start, limit, mode, due, canonical=start if "wh" in limit else None)


@pytest.mark.parametrize(
    ("place", "start", "limit", "mode", "due", "canonical"),
    [
        ("nights", "2026-03-09 23:00", "2wh", "hours8", "2026-03-10 01:00", "2026-03-09 23:00"),
        ("nights", "2026-03-09 22:00", "2wh", "hours8", "2026-03-10 00:00", "2026-03-09 22:00"),
        ("nights", "2026-03-09 12:00", "1wd", "day_end", "2026-03-11 00:00", "2026-03-09 00:00"),
        # Saturday's night is nobody's: from midnight of Friday to midnight of Sunday nothing counts.
        ("nights", "2026-03-13 23:59:59", "1wh", "hours8", "2026-03-16 00:59:59", "2026-03-13 23:59:59"),
        ("round the clock", "2026-06-30 12:00", "48wh", "hours8", "2026-07-03 12:00", "2026-06-30 12:00"),
        ("round the clock", "2026-06-30 00:00", "3wd", "hours8", "2026-07-01 00:00", "2026-06-30 00:00"),
    ],
)
def test_slots_that_end_and_begin_at_midnight(
    place: str, start: str, limit: str, mode: Mode, due: str, canonical: str
) -> None:
    check(place, start, limit, mode, due, canonical=canonical)


def test_empty_days() -> None:
    assert worked_on("empty days", "2026-03-02") == 0
    # The city works on this Saturday, and then not before the sixteenth of March.
    check("empty days", "2026-02-28 17:00", "2wh", "hours8", "2026-03-16 09:00", canonical="2026-02-28 17:00")
    check("empty days", "2026-03-05 10:00", "1wd", "hours8", "2026-03-16 18:00", canonical="2026-03-16 08:00")
    check("empty days", "2026-02-28 17:00", "1wd", "day_end", "2026-03-16 18:00", canonical="2026-03-15 00:00")


def test_a_day_whose_only_slot_the_clock_change_swallows_is_an_empty_day() -> None:
    assert [worked_on("swallowed", f"2026-03-0{day}") for day in (7, 8, 9)] == [0.75, 0, 0.75]
    assert [worked_on("Lord Howe", day) for day in ("2026-10-03", "2026-10-04")] == [3.75, 3.5]
    check("swallowed", "2026-03-07 02:30", "1wd", "day_end", "2026-03-09 03:15", canonical="2026-03-08 00:00")
    check("swallowed", "2026-03-07 02:30", "1wh", "hours8", "2026-03-09 02:45", canonical="2026-03-07 02:30")


def test_a_week_of_holidays() -> None:
    check("office", "2026-09-30 16:00", "4wh", "hours8", "2026-10-08 10:00", canonical="2026-09-30 16:00")
    check("office", "2026-09-30 16:00", "2wd", "day_end", "2026-10-09 18:00", canonical="2026-10-07 00:00")
    check("office", "2026-10-03 10:00", "1wd", "hours8", "2026-10-08 18:00", canonical="2026-10-08 08:00")
    city = BY_NAME["office"]
    within = ((city.instant("2026-10-01 08:00"), city.instant("2026-10-07 20:00")),)
    check("office", "2026-09-30 16:00", "4wh", "hours8", "2026-10-08 10:00", pauses=within)
    over = ((city.instant("2026-09-30 17:00"), city.instant("2026-10-08 09:00")),)
    check("office", "2026-09-30 16:00", "4wh", "hours8", "2026-10-08 12:00", pauses=over)
    check("office", "2026-09-30 16:00", "10d", "hours8", "2026-10-18 08:00", pauses=over)


def test_forty_seven_pauses_of_ten_minutes_freeze_those_in_working_time() -> None:
    """One in each hour from Monday at eight: sixteen of them on Monday and Tuesday in slots."""
    start = BY_NAME["office"].instant("2026-03-09 08:00")
    pauses = tuple((start + n * HOUR + 600, start + n * HOUR + 1_200) for n in range(47))
    for ordered in (pauses, pauses[::-1], pauses[::2] + pauses[1::2]):
        check("office", "2026-03-09 08:00", "5wd", "hours8", "2026-03-16 10:40", pauses=ordered)
        check("office", "2026-03-09 08:00", "4wd", "day_end", "2026-03-16 10:40", pauses=ordered)
        check("office", "2026-03-09 08:00", "5d", "hours8", "2026-03-14 15:50", pauses=ordered)


def test_forty_seven_pauses_one_inside_the_other_freeze_what_the_longest_does() -> None:
    begin, end = (BY_NAME["office"].instant(f"2026-03-{day}") for day in ("10 08:00", "11 18:00"))
    pauses = tuple((begin + n * 60, end - n * 60) for n in range(46, -1, -1))
    check("office", "2026-03-09 08:00", "2wd", "hours8", "2026-03-12 18:00", pauses=pauses)
    check("office", "2026-03-09 08:00", "2wd", "hours8", "2026-03-12 18:00", pauses=pauses[-1:])


def test_forty_seven_pauses_that_touch_freeze_like_one() -> None:
    begin = BY_NAME["office"].instant("2026-03-09 16:00")
    pauses = tuple((begin + n * HOUR, begin + (n + 1) * HOUR) for n in range(47))
    # Until Wednesday at three: two hours of Monday, eight of Tuesday, five of Wednesday.
    check("office", "2026-03-09 08:00", "1wd", "hours8", "2026-03-11 17:00", pauses=pauses)
    check("office", "2026-03-09 08:00", "1wd", "hours8", "2026-03-11 17:00", pauses=((begin, begin + 47 * HOUR),))
