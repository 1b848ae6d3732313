"""A limit stands still in its pauses, however they lie, as counted second by second; and so does its light."""

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from sla.light import light, used
from tests.property.sla.cities import (
    Running,
    many,
    natural_limits,
    none,
    paused,
    running,
    second,
    utc,
    working_limits,
)


@given(running())
def test_a_limit_is_due_when_what_was_left_at_each_pause_has_passed(clock: Running) -> None:
    due = clock.city.calendar.due(utc(clock.start), clock.limit, clock.mode, clock.adjusted)
    assert (second(due.at), due.provisional) == clock.expected


@given(running(standing=many))
def test_forty_seven_pauses_are_counted_like_one(clock: Running) -> None:
    due = clock.city.calendar.due(utc(clock.start), clock.limit, clock.mode, clock.adjusted)
    assert (second(due.at), due.provisional) == clock.expected


@given(running(limits=working_limits, extended=0, standing=many) | running(limits=natural_limits, standing=many))
def test_what_runs_outside_the_pauses_until_the_due_instant_is_the_limit(clock: Running) -> None:
    calendar, natural = clock.city.calendar, clock.limit.natural
    run = calendar.run(utc(clock.start), utc(clock.due), paused(clock.pauses), natural=natural)
    assert run == clock.city.slowly.counted(clock.start, clock.unpaused, natural=natural)
    if natural and not clock.extensions:
        assert run == clock.limit.natural_seconds
    if clock.limit.unit == "wh" or (clock.limit.unit == "wd" and clock.mode == "hours8"):
        assert run == clock.limit.amount * (3_600 if clock.limit.unit == "wh" else 8 * 3_600)


@given(running(), st.integers(0, 60 * 86_400), st.booleans())
def test_what_runs_is_the_number_of_seconds_outside_the_pauses(clock: Running, span: int, natural: bool) -> None:
    start, end, standing = clock.start, clock.start + span, paused(clock.pauses)
    run = clock.city.calendar.run(utc(start), utc(end), standing, natural=natural)
    assert run == clock.city.slowly.counted(start, end, clock.pauses, natural=natural)
    assert clock.city.calendar.run(utc(end), utc(start), standing, natural=natural) == 0


@given(running(), st.randoms(use_true_random=False), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_neither_order_nor_splitting_nor_repeating_of_pauses_matters(
    clock: Running, random: Random, cuts: list[float]
) -> None:
    pieces = [*clock.pauses[:2]]
    for (opens, closes), cut in zip(clock.pauses, cuts, strict=False):
        middle = opens + int((closes - opens) * cut)
        pieces += [(opens, middle), (middle, closes)]
    random.shuffle(pieces)
    assert clock._replace(pauses=tuple(pieces)).due == clock.due


@given(running(), st.integers(0, 30 * 86_400), st.integers(0, 10 * 86_400))
def test_pauses_before_the_start_behind_the_end_or_without_length_change_nothing(
    clock: Running, away: int, length: int
) -> None:
    # One that begins where another ends is its continuation: a limit that ended while that one stood still waits for both.
    assume(away > 0 or clock.due not in {closes for _, closes in clock.pauses})
    outside = (
        (clock.start - away - length, clock.start - away),
        (clock.due + away, clock.due + away + length),
        (clock.start + away, clock.start + away),
    )
    assert clock._replace(pauses=clock.pauses + outside).due == clock.due


@given(running())
def test_a_limit_never_ends_while_it_stands_still(clock: Running) -> None:
    due, spans = clock.due, set(clock.pauses)
    assert due >= clock.unpaused
    assert not any(max(opens, clock.start) < due < closes for opens, closes in spans)


@given(running(), st.integers(0, 40 * 86_400), st.booleans(), st.permutations(range(6)))
def test_any_instant_is_pushed_by_what_the_pauses_before_it_freeze(
    clock: Running, later: int, natural: bool, order: list[int]
) -> None:
    start, instant = clock.start, clock.start + later
    mixed = [clock.pauses[n] for n in order if n < len(clock.pauses)]
    pushed = clock.city.calendar.push(utc(start), utc(instant), paused(mixed), natural=natural)
    assert second(pushed) == clock.city.slowly.push(start, instant, clock.pauses, natural=natural)


@given(running(extended=0), st.floats(0, 1, exclude_min=True))
def test_the_warning_comes_when_its_share_has_run_outside_the_pauses(clock: Running, share: float) -> None:
    calendar, slowly, natural = clock.city.calendar, clock.city.slowly, clock.limit.natural
    whole = slowly.counted(clock.start, clock.unpaused, natural=natural)
    seconds = max(1, int(share * whole))
    warning = calendar.between(utc(clock.start), utc(clock.unpaused), seconds / whole, natural=natural)
    pushed = calendar.push(utc(clock.start), warning, paused(clock.pauses), natural=natural)
    assert second(pushed) == slowly.after(clock.start, seconds, clock.pauses, natural=natural)
    assert second(pushed) <= clock.due


@given(running(extended=0), st.lists(st.integers(-600_000, 600_000), max_size=5), st.lists(st.floats(0, 1), max_size=5))
def test_the_light_turns_with_what_has_run_outside_the_pauses(
    clock: Running, seconds: list[int], parts: list[float]
) -> None:
    start, due, natural, slowly = clock.start, clock.due, clock.limit.natural, clock.city.slowly
    pauses = (*clock.pauses, (due, due + 100_000)) if len(seconds) % 2 else clock.pauses
    whole = slowly.counted(start, due, pauses, natural=natural)

    def share(now: int) -> float:
        return used(clock.city.calendar, utc(start), utc(due), utc(now), natural=natural, pauses=paused(pauses))

    assert (share(start), share(due)) == (0, 1)
    assert share(due - 1) < 1 < share(due + 1)
    nows = sorted([*(due + each for each in seconds), *(start + int(part * (due - start)) for part in parts)])
    shares = [share(now) for now in nows]
    assert shares == sorted(shares)
    for now, each in zip(nows, shares, strict=True):
        run = slowly.counted(start, now, pauses, natural=natural) / whole
        assert abs(each - run) < 2e-9 or now > due
        assert (light(each) == "red") == (now > due)


@given(running(extended=0, standing=none), st.integers(0, 20 * 86_400))
def test_a_limit_that_is_paused_from_its_start_ends_as_if_it_began_when_the_pause_ends(
    clock: Running, length: int
) -> None:
    clock = clock._replace(mode="hours8")
    still = clock._replace(pauses=((clock.start, clock.start + length),))
    assert still.due == clock._replace(start=clock.start + length).due
