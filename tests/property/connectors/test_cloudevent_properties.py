"""Whatever comes in as CloudEvents, the answer is events and named faults, never another error."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.alarms import AlarmRule, step
from connectors.cloudevents import BATCHED, SensorEvent, UnreadableEvents, parse

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
times = st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()) | json
events = st.fixed_dictionaries(
    {"specversion": st.just("1.0"), "id": st.text(), "source": st.text(), "type": st.text()},
    optional={
        "time": times,
        "data": json | st.fixed_dictionaries({"since": times}),
        "subject": json,
        "data_base64": json,
        "ext": json,
    },
)


@given(st.lists(events | json, max_size=5))
def test_every_event_of_a_batch_gets_one_answer(batch: list[object]) -> None:
    answers = parse(BATCHED, msgspec.json.encode(batch), NOW)
    assert len(answers) == len(batch)
    for answer in answers:
        if isinstance(answer, SensorEvent):
            assert answer.time.tzinfo is not None
            step(None, answer, AlarmRule("E0506", "raised", 30.0, 60.0))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableEvents):
        parse(BATCHED, body, NOW)
