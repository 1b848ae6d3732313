"""The calendar agrees with counting the seconds one by one, from 2004 to 2027."""

from datetime import UTC, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sla.bulk import BulkCalendar
from sla.limits import Limit, Mode
from tests.property.sla.cities import (
    City,
    Running,
    cities,
    instants,
    limits,
    modes,
    natural_limits,
    none,
    running,
    second,
    utc,
    working_limits,
)

MICROSECOND = timedelta(microseconds=1)
places = cities.flatmap(lambda city: st.tuples(st.just(city), instants(city)))
spans = st.one_of(st.integers(0, 100_000), st.integers(0, 90 * 86_400))


@given(places, spans)
def test_worked_is_the_number_of_seconds_inside_slots(place: tuple[City, int], span: int) -> None:
    city, start = place
    assert city.calendar.worked(utc(start), utc(start + span)) == city.slowly.counted(start, start + span)
    assert city.calendar.worked(utc(start + span), utc(start)) == 0


@given(places, spans, spans)
def test_what_is_worked_adds_up(place: tuple[City, int], one: int, other: int) -> None:
    (city, start), middle, end = place, place[1] + one, place[1] + one + other
    worked, run = city.calendar.worked, city.calendar.run
    assert worked(utc(start), utc(end)) == worked(utc(start), utc(middle)) + worked(utc(middle), utc(end))
    assert run(utc(start), utc(end), natural=False) == worked(utc(start), utc(end))
    assert run(utc(start), utc(end), natural=True) == one + other


@given(running(extended=0, standing=none))
def test_a_limit_is_due_when_its_last_second_has_passed(clock: Running) -> None:
    due = clock.city.calendar.due(utc(clock.start), clock.limit, clock.mode)
    assert (second(due.at), due.provisional) == clock.expected
    assert due.at.tzinfo is clock.city.zone


@given(running(limits=working_limits, extended=0, standing=none))
def test_what_is_worked_until_the_due_instant_is_the_limit(clock: Running) -> None:
    worked = clock.city.calendar.worked(utc(clock.start), utc(clock.due))
    if clock.limit.unit == "wh" or clock.mode == "hours8":
        assert worked == clock.limit.amount * (3_600 if clock.limit.unit == "wh" else 8 * 3_600)
    assert clock.city.calendar.worked(utc(clock.start), utc(clock.due - 1)) == worked - 1


@given(running(limits=natural_limits, extended=0, standing=none))
def test_a_limit_that_runs_through_is_elapsed_time_and_never_provisional(clock: Running) -> None:
    due = clock.city.calendar.due(utc(clock.start), clock.limit, clock.mode)
    length = timedelta(**{{"min": "minutes", "h": "hours", "d": "days"}[clock.limit.unit]: clock.limit.amount})
    assert (due.at.astimezone(UTC), due.provisional) == (utc(clock.start) + length, False)


@given(running(standing=none))
def test_extensions_count_from_the_due_instant_one_after_the_other(clock: Running) -> None:
    due = clock.city.calendar.due(utc(clock.start), clock.limit, clock.mode, clock.adjusted)
    assert (second(due.at), due.provisional) == clock.expected


@given(running(extended=0, standing=none))
def test_subtract_gives_the_latest_start_from_which_the_limit_ends_then(clock: Running) -> None:
    calendar, limit, mode = clock.city.calendar, clock.limit, clock.mode
    start = calendar.subtract(utc(clock.due), limit, mode)
    assert second(start) == clock.city.slowly.canonical_start(clock.due, limit, mode)
    assert second(calendar.due(start, limit, mode).at) == clock.due
    if limit.unit != "wd" or mode != "day_end":
        assert second(start) >= clock.start
        assert calendar.due(start.astimezone(UTC) + MICROSECOND, limit, mode).at.astimezone(UTC) > utc(clock.due)


@given(running(extended=0), st.integers(1, 999_999))
def test_of_a_second_that_counts_each_part_counts_and_of_any_other_none(clock: Running, microseconds: int) -> None:
    part = microseconds * MICROSECOND
    if clock.limit.unit == "wd" and clock.mode == "day_end":
        clock = clock._replace(pauses=())
        expected = utc(clock.due)
    else:
        counts = clock.city.slowly.counted(clock.start, clock.start + 1, clock.pauses, natural=clock.limit.natural)
        expected = utc(clock._replace(start=clock.start + 1).due) - (timedelta(seconds=1) - part) * counts
    due = clock.city.calendar.due(utc(clock.start) + part, clock.limit, clock.mode, clock.adjusted)
    assert due.at.astimezone(UTC) == expected


@given(running(limits=working_limits, extended=0, standing=none))
def test_a_later_start_or_a_longer_limit_is_never_due_earlier(clock: Running) -> None:
    longer = Limit(clock.limit.amount + 1, clock.limit.unit)
    assert clock._replace(limit=longer).due > clock.due
    assert clock._replace(start=clock.start + 61).due >= clock.due


@given(running(extended=0, standing=none), st.floats(0, 1, exclude_min=True))
def test_a_share_of_a_limit_is_that_share_of_what_counts_in_it(clock: Running, share: float) -> None:
    slowly, natural = clock.city.slowly, clock.limit.natural
    whole = slowly.counted(clock.start, clock.due, natural=natural)
    seconds = max(1, int(share * whole))
    warning = clock.city.calendar.window(utc(clock.start), clock.limit, clock.mode, seconds / whole)
    assert second(warning) == slowly.after(clock.start, seconds, natural=natural)


@given(
    cities.flatmap(
        lambda city: st.tuples(st.just(city), st.lists(st.tuples(instants(city), limits, modes), max_size=12))
    )
)
def test_many_at_once_are_due_when_each_alone_is(asked: tuple[City, list[tuple[int, Limit, Mode]]]) -> None:
    city, rows = asked
    starts = np.array([start * 1_000_000 + n for n, (start, _, _) in enumerate(rows)], dtype=np.int64)
    due, provisional = BulkCalendar(city.calendar).due(starts, [row[1] for row in rows], [row[2] for row in rows])
    alone = [
        city.calendar.due(utc(start) + n * MICROSECOND, limit, mode) for n, (start, limit, mode) in enumerate(rows)
    ]
    assert [utc(0) + int(tick) * MICROSECOND for tick in due] == [each.at.astimezone(UTC) for each in alone]
    assert list(provisional) == [each.provisional for each in alone]
