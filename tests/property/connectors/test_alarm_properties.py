"""Whatever a device does, it never has two open alarms."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.alarms import AlarmRule, DeviceState, ripen, step
from connectors.cloudevents import SensorEvent

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
seconds = st.integers(-50, 200)


@given(
    st.lists(st.tuples(st.sampled_from(["raised", "cleared", "ripen"]), seconds), max_size=60),
    st.sampled_from([0.0, 30.0]),
    st.sampled_from([0.0, 60.0]),
)
def test_flapping_never_raises_two_open_alarms(acts: list[tuple[str, int]], minimum: float, hold_off: float) -> None:
    state: DeviceState | None = None
    at = START
    open_alarm = False
    ended: datetime | None = None
    for kind, ahead in acts:
        at += timedelta(seconds=ahead)
        if kind == "ripen":
            if state is None:
                continue
            state, action = ripen(state, at)
        else:
            rule = AlarmRule("E0506", "raised" if kind == "raised" else "cleared", minimum, hold_off)
            state, action = step(state, SensorEvent("/s", "1", kind, "d", at, None, {}), rule)
        if action == "raise":
            assert not open_alarm
            assert ended is None or state.last_at - ended > timedelta(seconds=hold_off)
            open_alarm = True
        elif action == "continue":
            assert open_alarm or (ended is not None and at - ended <= timedelta(seconds=hold_off))
            open_alarm = True
        elif action == "note_cleared":
            assert open_alarm
            open_alarm, ended = False, at
        assert open_alarm == (state.phase == "open")


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 29)), max_size=60))
def test_an_alarm_shorter_than_its_minimum_is_never_raised(acts: list[tuple[bool, int]]) -> None:
    state: DeviceState | None = None
    at = START
    for on, ahead in acts:
        for kind in ("raised", "cleared") if on else ("cleared",):
            rule = AlarmRule("E0506", "raised" if kind == "raised" else "cleared", 30.0, 0.0)
            state, action = step(state, SensorEvent("/s", "1", kind, "d", at, None, {}), rule)
            assert action in ("hold", "ignore")
            at += timedelta(seconds=ahead)
