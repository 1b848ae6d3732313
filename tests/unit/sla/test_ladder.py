"""Who is told when, and how a wrong ladder is refused."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sla.calendar import WorkCalendar
from sla.errors import LadderFaults
from sla.ladder import Ladder
from sla.limits import Mode, parse_limit

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEFAULTS = Path(__file__).parents[3] / "config" / "ladder.toml"


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return WorkCalendar(SHANGHAI)


@pytest.fixture(scope="module")
def defaults() -> Ladder:
    return Ladder.parse(DEFAULTS.read_text(encoding="utf-8"), DEFAULTS.name)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def step(level: object, when: str, colour: str = "blue", who: object = "owner", **selectors: object) -> str:
    fields = {"level": level, "at": when, "colour": colour, "who": who} | selectors
    return "[[step]]\n" + "".join(f"{field} = {value!r}\n" for field, value in fields.items())


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(LadderFaults) as refused:
        Ladder.parse(text, "ladder.toml")
    assert all(str(fault) in str(refused.value) for fault in refused.value.faults)
    return [(fault.line, fault.field) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("urgency", "limit", "mode", "due", "expected"),
    [
        (
            "ordinary",
            "1wd",
            "day_end",
            "2026-09-30 18:00",
            [
                (0, "2026-09-30 16:00", "yellow", ("owner",)),
                (1, "2026-09-30 18:00", "blue", ("unit_head",)),
                (2, "2026-10-08 18:00", "orange", ("unit_head", "supervisor")),
                (3, "2026-10-13 18:00", "red", ("commander",)),
            ],
        ),
        (
            "critical",
            "2h",
            "hours8",
            "2026-09-29 18:00",
            [
                (0, "2026-09-29 17:36", "yellow", ("owner",)),
                (1, "2026-09-29 18:00", "blue", ("unit_head",)),
                (2, "2026-09-29 18:30", "orange", ("unit_head", "supervisor")),
                (3, "2026-09-29 20:00", "red", ("commander",)),
            ],
        ),
    ],
)
def test_the_default_ladder_reminds_then_climbs(
    calendar: WorkCalendar,
    defaults: Ladder,
    urgency: str,
    limit: str,
    mode: Mode,
    due: str,
    expected: list[tuple[int, str, str, tuple[str, ...]]],
) -> None:
    started = at("2026-09-29 16:00")
    plan = defaults.plan("sign", urgency, calendar, started, at(due), parse_limit(limit), mode)
    assert [(p.step.level, p.at, p.step.colour, p.step.who) for p in plan] == [
        (level, at(when), colour, who) for level, when, colour, who in expected
    ]


@pytest.mark.parametrize(("mode", "second"), [("hours8", "2026-03-11 12:00"), ("day_end", "2026-03-11 18:00")])
def test_a_moved_deadline_moves_its_warning_and_levels(
    calendar: WorkCalendar, defaults: Ladder, mode: Mode, second: str
) -> None:
    started, moved = at("2026-03-09 08:00"), at("2026-03-10 12:00")
    plan = defaults.plan("close", "ordinary", calendar, started, moved, parse_limit("1wd"), mode)
    assert [p.at for p in plan[:3]] == [at("2026-03-10 09:36"), moved, at(second)]


def test_a_deadline_past_at_intake_still_has_its_plan_in_order(calendar: WorkCalendar, defaults: Ladder) -> None:
    started, past = at("2026-03-10 08:00"), at("2026-03-09 08:00")
    plan = defaults.plan("close", "ordinary", calendar, started, past, parse_limit("1wd"), "hours8")
    assert [p.step.level for p in plan] == [0, 1, 2, 3]
    assert [p.at for p in plan[:2]] == [past, past]


def test_the_plan_is_in_time_order_even_where_units_cross(calendar: WorkCalendar) -> None:
    ladder = Ladder.parse(step(1, "+1wd") + step(2, "+2h"), "ladder.toml")
    started, due = at("2026-03-06 08:00"), at("2026-03-06 18:00")
    plan = ladder.plan("close", "ordinary", calendar, started, due, parse_limit("1wd"), "hours8")
    assert [p.step.level for p in plan] == [2, 1]


def test_the_most_specific_ladder_applies_as_a_whole() -> None:
    ladder = Ladder.parse(
        step(0, "80%")
        + step(1, "100%")
        + step(1, "90%", urgency="urgent")
        + step(1, "70%", clock=["sign", "reply"])
        + step(1, "60%", clock="sign", urgency=["urgent", "critical"]),
        "ladder.toml",
    )
    found = {
        (clock, urgency): [s.at for s in ladder.steps(clock, urgency)]
        for clock in ("close", "reply", "sign")
        for urgency in ("ordinary", "urgent")
    }
    assert found == {
        ("close", "ordinary"): ["80%", "100%"],
        ("close", "urgent"): ["90%"],
        ("reply", "ordinary"): ["70%"],
        ("reply", "urgent"): ["70%"],
        ("sign", "ordinary"): ["70%"],
        ("sign", "urgent"): ["60%"],
    }


def test_without_a_ladder_nothing_is_planned(calendar: WorkCalendar) -> None:
    ladder = Ladder.parse(step(1, "100%", clock="sign"), "ladder.toml")
    started, due = at("2026-03-06 08:00"), at("2026-03-06 18:00")
    assert ladder.plan("close", "ordinary", calendar, started, due, parse_limit("1wd"), "hours8") == ()


def test_every_fault_of_a_step_is_told_at_once_with_its_line() -> None:
    text = (
        step(-1, "0%", "green", "mayor")
        + step("one", "+1天", clock="closing", urgency="later")
        + "[[step]]\nlevel = true\nat = 'soon'\ncolor = 'red'\n"
    )
    assert faults(text) == [
        (2, "level"),
        (3, "at"),
        (4, "colour"),
        (5, "who"),
        (7, "level"),
        (8, "at"),
        (11, "clock"),
        (12, "urgency"),
        (13, "colour"),
        (13, "who"),
        (14, "level"),
        (15, "at"),
        (16, "color"),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (step(2, "100%"), (1, "level")),
        (step(0, "80%") + step(2, "100%"), (6, "level")),
        (step(1, "80%") + step(1, "100%"), (6, "level")),
        (step(0, "80%") + step(1, "70%"), (6, "at")),
        (step(0, "+1wd") + step(1, "100%"), (6, "at")),
        (step(0, "+5wd") + step(1, "+1wd"), (6, "at")),
        (step(0, "80%") + step(1, "100%") + step(2, "+1h", urgency="urgent"), (11, "level")),
    ],
)
def test_levels_go_up_one_by_one_and_never_back_in_time(text: str, fault: tuple[int, str]) -> None:
    assert faults(text) == [fault]
