"""CloudEvents are read strictly, event by event."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.cloudevents import BATCHED, STRUCTURED, EventFault, SensorEvent, UnreadableEvents, parse

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def event(**changes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "e1", "source": "/pumps", "type": "level.high", "subject": "P-7"} | changes


def one(item: object, content_type: str = STRUCTURED) -> SensorEvent | EventFault:
    return parse(content_type, msgspec.json.encode(item), NOW)[0]


def test_a_complete_event_keeps_time_data_and_extensions() -> None:
    found = one(event(time="2026-03-02T15:59:30.5+08:00", data={"cm": 41}, sequence="7", traceparent="00-ab", retry=2))
    assert isinstance(found, SensorEvent)
    assert found.time == datetime(2026, 3, 2, 7, 59, 30, 500_000, tzinfo=UTC)
    assert (found.subject, found.data) == ("P-7", {"cm": 41})
    assert found.extensions == {"sequence": "7", "traceparent": "00-ab", "retry": 2}
    assert found.warnings == ()


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_each_required_attribute_is_a_text_and_present(name: str, value: object) -> None:
    found = one(event(**{name: value}))
    assert isinstance(found, EventFault)
    assert found.attribute == name


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"time": "2026-03-02 08:00:00"}, "time"),
        ({"time": "2026-03-02T08:00:00"}, "time"),
        ({"time": "2026-02-30T08:00:00Z"}, "time"),
        ({"subject": ""}, "subject"),
        ({"subject": "P\n7"}, "subject"),
        ({"myExtension": "x"}, "myExtension"),
        ({"nested": {"a": 1}}, "nested"),
        ({"ratio": 1.5}, "ratio"),
        ({"big": 2**31}, "big"),
        ({"data": 1, "data_base64": "YQ=="}, "data_base64"),
        ({"data_base64": "not base64!"}, "data_base64"),
        ({"data": {"a": ["b\x00"]}}, "data"),
    ],
)
def test_what_the_standard_forbids_is_a_fault_that_names_the_attribute(changes: dict[str, Any], attribute: str) -> None:
    found = one(event(**changes))
    assert isinstance(found, EventFault)
    assert (found.attribute, found.id) == (attribute, "e1")


def test_an_attribute_that_is_null_counts_as_absent() -> None:
    found = one(event(subject=None, time=None, extra=None))
    assert isinstance(found, SensorEvent)
    assert (found.subject, found.time, found.extensions) == (None, NOW, {})


def test_a_time_far_ahead_is_replaced_by_the_time_of_receipt_and_named() -> None:
    found = one(event(time="2026-03-02T08:05:01Z"))
    assert isinstance(found, SensorEvent)
    assert (found.time, found.warnings) == (NOW, ("time",))
    near = one(event(time="2026-03-02T08:05:00Z"))
    assert isinstance(near, SensorEvent)
    assert near.warnings == ()


def test_a_faulty_event_of_a_batch_harms_no_neighbour() -> None:
    body = msgspec.json.encode([event(id="a"), 5, event(id="b", type=""), event(id="c")])
    found = parse(f"{BATCHED}; charset=utf-8", body, NOW)
    assert [type(item) for item in found] == [SensorEvent, EventFault, EventFault, SensorEvent]
    assert [item.index for item in found if isinstance(item, EventFault)] == [1, 2]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        (f"{STRUCTURED}; charset=gbk", b"{}"),
        (STRUCTURED, b"{"),
        (STRUCTURED, b'{"id": "\xff"}'),
        (BATCHED, b"{}"),
        (STRUCTURED, b"[" * 100_000),
    ],
)
def test_a_body_that_is_no_cloudevents_json_is_refused_whole(content_type: str, body: bytes) -> None:
    with pytest.raises(UnreadableEvents, match="not CloudEvents JSON"):
        parse(content_type, body, NOW)
