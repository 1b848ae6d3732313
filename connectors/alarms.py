"""From sensor events to alarms: which event means what, minimum duration and hold-off, one open alarm per device.

| state   | raised                                       | cleared               |
|---------|----------------------------------------------|-----------------------|
| quiet   | lasted the minimum: raise, open; else hold   | ignore                |
| pending | lasted the minimum: raise, open; else hold   | ignore, quiet         |
| open    | continue                                     | note_cleared, cooling |
| cooling | within the hold-off: continue, open;         | ignore                |
|         | after it: as quiet                           |                       |

An event older than the last one seen is ignored. A pending alarm whose device says nothing more ripens by itself at
`ripe_at`: the keeper of the state calls `ripen` then, so that a device that reports only changes is not lost.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from connectors.cloudevents import SensorEvent

Action = Literal["ignore", "hold", "raise", "note_cleared", "continue"]


class AlarmRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one event type means: the category of its case, whether the alarm begins or ends, both times in seconds."""

    category: str
    phase: Literal["raised", "cleared"]
    min_duration_s: float = 0.0
    hold_off_s: float = 0.0


class DeviceState(msgspec.Struct, frozen=True):
    """What is known of one device and category between events; serialisable by msgspec. Times carry an offset.

    `since` is when the present alarm began, `ripe_at` when a pending one becomes an alarm if nothing is heard,
    `cleared_at` the last end of an open alarm, `last_at` the time of the newest event seen.
    """

    phase: Literal["quiet", "pending", "open", "cooling"]
    last_at: datetime
    since: datetime | None = None
    ripe_at: datetime | None = None
    cleared_at: datetime | None = None


def alarm(event: SensorEvent, types: Mapping[str, AlarmRule]) -> AlarmRule | None:
    """The rule of the event's type; None for an unknown type, which is counted and ignored."""
    return types.get(event.type)


def step(state: DeviceState | None, event: SensorEvent, rule: AlarmRule) -> tuple[DeviceState, Action]:
    """The state after the event and what is to be done, as the table above says.

    `hold_off_s` is read from the rule of the raising type, `min_duration_s` too; on a cleared event both are ignored.
    """
    if state is not None and event.time < state.last_at:
        return state, "ignore"
    before = state or DeviceState("quiet", event.time)
    if rule.phase == "cleared":
        return _cleared(before, event.time)
    return _raised(before, event, rule)


def ripen(state: DeviceState, now: datetime) -> tuple[DeviceState, Action]:
    """A pending alarm that has lasted its minimum without a further event is raised; any other state stays."""
    if state.phase != "pending" or state.ripe_at is None or now < state.ripe_at:
        return state, "ignore"
    return msgspec.structs.replace(state, phase="open", ripe_at=None), "raise"


def _cleared(state: DeviceState, at: datetime) -> tuple[DeviceState, Action]:
    if state.phase == "open":
        return DeviceState("cooling", at, cleared_at=at), "note_cleared"
    if state.phase == "pending":
        return DeviceState("quiet", at, cleared_at=state.cleared_at), "ignore"
    return msgspec.structs.replace(state, last_at=at), "ignore"


def _raised(state: DeviceState, event: SensorEvent, rule: AlarmRule) -> tuple[DeviceState, Action]:
    at = event.time
    if state.phase == "open":
        return msgspec.structs.replace(state, last_at=at), "continue"
    if (
        state.phase == "cooling"
        and state.cleared_at is not None
        and at - state.cleared_at <= timedelta(seconds=rule.hold_off_s)
    ):
        return DeviceState("open", at, since=at), "continue"
    since = _since(state, event)
    ripe_at = since + timedelta(seconds=rule.min_duration_s)
    if at >= ripe_at:
        return DeviceState("open", at, since=since), "raise"
    return DeviceState("pending", at, since=since, ripe_at=ripe_at, cleared_at=state.cleared_at), "hold"


def _since(state: DeviceState, event: SensorEvent) -> datetime:
    """The start: the earliest of this event, the pending alarm and `data.since`, never before the last end."""
    start = event.time if state.since is None else min(state.since, event.time)
    if isinstance(event.data, dict) and isinstance(event.data.get("since"), str):
        try:
            told = datetime.fromisoformat(event.data["since"])
        except ValueError:
            told = start
        if told.tzinfo is not None:
            start = min(start, told)
    return start if state.cleared_at is None else max(start, min(state.cleared_at, event.time))
