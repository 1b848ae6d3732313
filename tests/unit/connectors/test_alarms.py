"""Minimum duration, hold-off, and one open alarm per device."""

from datetime import UTC, datetime, timedelta

import msgspec

from connectors.alarms import Action, AlarmRule, DeviceState, alarm, ripen, step
from connectors.cloudevents import SensorEvent

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RAISED = AlarmRule("E0506", "raised", min_duration_s=30, hold_off_s=600)
CLEARED = AlarmRule("E0506", "cleared")
TYPES = {"level.high": RAISED, "level.normal": CLEARED}


def event(second: float, kind: str = "level.high", data: object = None) -> SensorEvent:
    return SensorEvent("/pumps", f"e{second}", kind, "P-7", START + timedelta(seconds=second), data, {})


def run(*events: SensorEvent) -> tuple[DeviceState, list[Action]]:
    state: DeviceState | None = None
    actions: list[Action] = []
    for one in events:
        rule = alarm(one, TYPES)
        assert rule is not None
        state, action = step(state, one, rule)
        actions.append(action)
    assert state is not None
    return state, actions


def test_an_unknown_type_has_no_rule() -> None:
    assert alarm(event(0, "battery.low"), TYPES) is None


def test_an_alarm_is_held_until_it_has_lasted_its_minimum() -> None:
    assert run(event(0), event(29), event(30), event(31))[1] == ["hold", "hold", "raise", "continue"]


def test_the_start_told_in_the_data_counts() -> None:
    told = {"since": (START - timedelta(seconds=40)).isoformat()}
    assert run(event(0, data=told))[1] == ["raise"]
    assert run(event(0, data={"since": "yesterday"}))[1] == ["hold"]


def test_an_alarm_that_ends_before_its_minimum_is_never_raised() -> None:
    assert run(event(0), event(20, "level.normal"), event(25), event(54))[1] == ["hold", "ignore", "hold", "hold"]


def test_a_held_alarm_without_further_events_ripens_by_itself() -> None:
    state, _ = run(event(0))
    assert state.ripe_at == START + timedelta(seconds=30)
    assert ripen(state, START + timedelta(seconds=29)) == (state, "ignore")
    opened, action = ripen(state, START + timedelta(seconds=30))
    assert action == "raise"
    assert step(opened, event(40), RAISED)[1] == "continue"
    assert ripen(opened, START + timedelta(seconds=99)) == (opened, "ignore")


def test_a_new_alarm_within_the_hold_off_continues_the_old_one() -> None:
    within = run(event(0), event(30), event(60, "level.normal"), event(660))
    assert within[1] == ["hold", "raise", "note_cleared", "continue"]
    after = run(event(0), event(30), event(60, "level.normal"), event(661), event(691))
    assert after[1] == ["hold", "raise", "note_cleared", "hold", "raise"]


def test_a_start_before_the_last_end_is_not_believed() -> None:
    told = {"since": START.isoformat()}
    assert run(event(0), event(30), event(60, "level.normal"), event(661, data=told))[1][-1] == "raise"
    late = run(event(0), event(30), event(1000, "level.normal"), event(1601, data=told))
    assert late[0].since == START + timedelta(seconds=1000)


def test_an_event_older_than_the_last_is_ignored() -> None:
    state, actions = run(event(0), event(30), event(10, "level.normal"))
    assert actions[-1] == "ignore"
    assert state.phase == "open"


def test_the_state_survives_being_written_and_read() -> None:
    state, _ = run(event(0), event(30), event(60, "level.normal"))
    assert msgspec.json.decode(msgspec.json.encode(state), type=DeviceState) == state
