"""The traffic light of a running limit."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sla.calendar import WorkCalendar
from sla.light import light, used


@pytest.mark.parametrize(
    ("used", "colour"),
    [(0.0, "green"), (0.799999, "green"), (0.8, "yellow"), (1.0, "yellow"), (1.000001, "red"), (30.0, "red")],
)
def test_the_light_turns_yellow_at_eighty_percent_and_red_beyond_the_limit(used: float, colour: str) -> None:
    assert light(used) == colour


CALENDAR = WorkCalendar(ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("start", "due", "now", "natural", "share"),
    [
        ("2026-03-06 16:00", "2026-03-09 10:00", "2026-03-06 17:00", False, 0.25),
        ("2026-03-06 16:00", "2026-03-09 10:00", "2026-03-07 12:00", False, 0.5),
        ("2026-03-06 16:00", "2026-03-06 18:00", "2026-03-06 17:00", True, 0.5),
        ("2026-03-07 09:00", "2026-03-07 11:00", "2026-03-07 10:00", False, 0.5),
        ("2026-03-06 10:00", "2026-03-06 10:00", "2026-03-06 10:00", True, 1.0),
    ],
)
def test_the_share_is_counted_in_working_time_unless_the_limit_runs_through(
    start: str, due: str, now: str, natural: bool, share: float
) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=CALENDAR.tz) for text in (start, due, now)]
    assert used(CALENDAR, *moments, natural=natural) == share


def test_a_due_instant_that_is_past_is_red_also_in_the_night() -> None:
    start, due, night = (
        datetime.fromisoformat(text).replace(tzinfo=CALENDAR.tz)
        for text in ("2026-03-06 16:00", "2026-03-06 18:00", "2026-03-06 18:00:01")
    )
    assert light(used(CALENDAR, start, due, due, natural=False)) == "yellow"
    assert light(used(CALENDAR, start, due, night, natural=False)) == "red"


def test_a_due_instant_that_is_past_is_red_also_in_a_pause_that_began_with_it() -> None:
    start, due, now, resumed = (
        datetime.fromisoformat(text).replace(tzinfo=CALENDAR.tz)
        for text in ("2026-03-06 16:00", "2026-03-06 17:00", "2026-03-06 17:30", "2026-03-06 18:00")
    )
    for natural in (True, False):
        assert light(used(CALENDAR, start, due, due, natural=natural, pauses=[(due, resumed)])) == "yellow"
        assert light(used(CALENDAR, start, due, now, natural=natural, pauses=[(due, resumed)])) == "red"


def test_a_limit_without_length_is_red_once_it_is_past() -> None:
    start, now = (
        datetime.fromisoformat(f"2026-03-06 {time}").replace(tzinfo=CALENDAR.tz) for time in ("16:00", "16:01")
    )
    assert light(used(CALENDAR, start, start, now, natural=True)) == "red"
