"""An explanation leaves no second out and counts the right ones, second by second."""

from hypothesis import given

from sla.explanation import Slice, explain
from tests.property.sla.cities import Running, many, none, running, second, utc


def explained(clock: Running) -> tuple[Slice, ...]:
    return explain(clock.city.calendar, utc(clock.start), clock.limit, clock.mode, clock.adjusted)


def check_gapless(clock: Running, slices: tuple[Slice, ...]) -> None:
    edges = [clock.start, *(second(each.end) for each in slices)]
    assert [second(each.start) for each in slices] == edges[:-1]
    assert edges[-1] == clock.due
    assert edges == sorted(set(edges))
    assert {each.start.tzinfo for each in slices} <= {clock.city.zone}


def check_counted(clock: Running, slices: tuple[Slice, ...]) -> None:
    """Each stretch is as long as it says, and every second of it counts, or none does."""
    for each in slices:
        start, end = second(each.start), second(each.end)
        assert each.seconds == (end - start if each.counted else 0)
        assert clock.city.slowly.counted(start, end, clock.pauses, natural=clock.limit.natural) == each.seconds


@given(running(extended=0, standing=none))
def test_an_explanation_has_no_gap_and_its_counted_stretches_are_the_limit(clock: Running) -> None:
    slices = explained(clock)
    check_gapless(clock, slices)
    if clock.limit.unit == "wd" and clock.mode == "day_end":
        assert all(each.days == each.counted for each in slices)
        assert sum(each.days for each in slices) == clock.limit.amount
        days = [clock.city.slowly.day(each.start.date()).total > 0 for each in slices if each.kind != "receipt_day"]
        assert days == [each.counted for each in slices if each.kind != "receipt_day"]
    else:
        check_counted(clock, slices)
        unit = {"min": 60, "h": 3_600, "d": 86_400, "wh": 3_600, "wd": 8 * 3_600}[clock.limit.unit]
        assert sum(each.seconds for each in slices) == clock.limit.amount * unit


@given(running())
def test_with_extensions_and_pauses_the_counted_stretches_are_what_runs_without_the_pauses(clock: Running) -> None:
    slices = explained(clock)
    check_gapless(clock, slices)
    if clock.limit.unit != "wd" or clock.mode != "day_end" or clock.pauses:
        check_counted(clock, slices)
        whole = clock.city.slowly.counted(clock.start, clock.unpaused, natural=clock.limit.natural)
        assert sum(each.seconds for each in slices) == whole


@given(running(standing=many))
def test_what_is_suspended_is_what_lies_in_the_pauses_and_nothing_else(clock: Running) -> None:
    suspended = 0
    for each in explained(clock):
        start, end = second(each.start), second(each.end)
        running = clock.city.slowly.counted(start, end, clock.pauses, natural=True)
        assert running == (0 if each.kind == "suspended" else end - start)
        suspended += end - start - running
    elapsed = clock.due - clock.start
    assert suspended == elapsed - clock.city.slowly.counted(clock.start, clock.due, clock.pauses, natural=True)


@given(running())
def test_what_is_counted_behind_the_end_of_the_limit_itself_is_extended(clock: Running) -> None:
    first = clock._replace(extensions=()).due
    for each in explained(clock):
        if each.counted:
            assert (each.kind == "extended") == (second(each.start) >= first and bool(clock.extensions))
            assert second(each.end) <= first or second(each.start) >= first
