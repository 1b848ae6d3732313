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


def test_a_level_may_issue_an_order_of_its_colour_and_of_no_other() -> None:
    ladder = Ladder.parse(
        step(1, "100%") + step(2, "+1wd", "orange", order=True).replace("True", "true"), "ladder.toml"
    )
    assert [each.order for each in ladder.steps("reply", "ordinary")] == [False, True]
    assert [each.order for each in ladder.steps("reply", "urgent")] == [False, True]
    assert faults(step(0, "80%", "yellow", order=True).replace("True", "true")) == [(6, "order")]
    assert faults(step(1, "100%", order="yes")) == [(6, "order")]


def test_an_order_that_nobody_opens_goes_to_the_head_above_and_then_to_the_supervisor(defaults: Ladder) -> None:
    for urgency in ("ordinary", "urgent", "critical"):
        assert [each.who for each in defaults.steps("unread", urgency)] == [("superior",), ("supervisor",)]


def test_the_most_specific_ladder_applies_as_a_whole() -> None:
    ladder = Ladder.parse(
        step(0, "80%")
        + step(1, "100%")
        + step(1, "90%", urgency="urgent", by="phone")
        + step(1, "70%", clock=["sign", "reply"])
        + step(1, "60%", clock="sign", urgency=["urgent", "critical"], by="phone"),
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
        (step(0, "80%") + step(1, "100%") + step(2, "+1h", urgency="urgent", by="phone"), (11, "level")),
    ],
)
def test_levels_go_up_one_by_one_and_never_back_in_time(text: str, fault: tuple[int, str]) -> None:
    assert faults(text) == [fault]


def test_a_step_says_by_which_media_and_after_how_long_it_climbs() -> None:
    ladder = Ladder.parse(
        step(1, "100%", ack="4wh") + step(2, "+1wd", by=["inbox", "phone"]) + step(3, "+2wd", by="webhook"),
        "ladder.toml",
    )
    assert [(each.by, each.ack) for each in ladder.steps("sign", "ordinary")] == [
        (("inbox", "webhook"), parse_limit("4wh")),
        (("inbox", "phone"), None),
        (("webhook",), None),
    ]


def test_an_unknown_medium_and_a_time_that_is_none_are_faults_with_their_lines() -> None:
    text = step(0, "80%", by=["inbox", "pigeon"], ack="1h") + step(1, "100%", ack="soon") + step(2, "+1h", ack="3天")
    assert faults(text) == [(6, "by"), (7, "ack"), (13, "ack"), (19, "ack")]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (step(1, "+1wd", urgency="urgent", by="phone"), (3, "at")),
        (step(1, "+4wh", urgency=["ordinary", "critical"], by="phone"), (3, "at")),
        (step(1, "100%", clock="sign", urgency="critical", by="phone", ack="1wd"), (9, "ack")),
        (step(1, "100%", urgency="urgent"), (1, "by")),
        (step(1, "100%", urgency="critical", by=["inbox", "webhook"]), (7, "by")),
    ],
)
def test_holidays_swallow_no_urgent_level_and_each_demands_a_call(row: str, fault: tuple[int, str]) -> None:
    assert faults(row) == [fault]


def test_an_urgent_warning_needs_no_call_and_ordinary_levels_may_run_in_working_time() -> None:
    ladder = Ladder.parse(
        step(0, "80%", urgency="urgent") + step(1, "+1wd", urgency="ordinary", ack="1wd"), "ladder.toml"
    )
    assert ladder.steps("sign", "urgent")[0].by == ("inbox", "webhook")


def test_a_ladder_for_all_runs_through_holidays_for_an_urgent_matter_and_demands_the_call(
    calendar: WorkCalendar,
) -> None:
    ladder = Ladder.parse(step(0, "80%") + step(1, "100%", ack="4wh") + step(2, "+2wd", by="webhook"), "ladder.toml")
    started, due = at("2026-09-30 08:00"), at("2026-09-30 18:00")
    plans = {
        urgency: ladder.plan("close", urgency, calendar, started, due, parse_limit("1wd"), "hours8")
        for urgency in ("ordinary", "critical")
    }
    # The National Day holiday is 1 to 7 October; the warning belongs to the limit, which may run in working time.
    assert [p.at for p in plans["ordinary"]] == [at("2026-09-30 16:24"), due, at("2026-10-09 18:00")]
    assert [p.at for p in plans["critical"]] == [at("2026-09-30 16:24"), due, at("2026-10-02 18:00")]
    assert [p.step.by for p in plans["critical"]] == [
        ("inbox", "webhook"),
        ("inbox", "webhook", "phone"),
        ("webhook", "phone"),
    ]
    assert plans["critical"][1].step.ack == parse_limit("4h")


def test_a_file_that_was_in_force_before_the_rule_is_read_as_the_rule_says(calendar: WorkCalendar) -> None:
    text = step(0, "80%", urgency="urgent") + step(1, "+1wd", urgency="urgent")
    assert faults(text) == [(7, "by"), (9, "at")]
    _, level = Ladder.kept(text, "ladder.toml").steps("sign", "urgent")
    assert (level.at, level.by) == (parse_limit("1d"), ("inbox", "webhook", "phone"))


def test_the_default_ladder_demands_a_call_of_urgent_levels_and_climbs_unacknowledged(defaults: Ladder) -> None:
    for clock in ("sign", "close", "review"):
        for urgency in ("urgent", "critical"):
            assert all("phone" in s.by for s in defaults.steps(clock, urgency) if s.level > 0)
        assert not any("phone" in s.by for s in defaults.steps(clock, "ordinary"))
    assert [s.ack and str(s.ack) for s in defaults.steps("sign", "urgent")] == [None, "15min", "30min", None]
