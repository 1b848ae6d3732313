"""CloudEvents 1.0 in the JSON format, structured and batched, read strictly.

Rules: CloudEvents 1.0 core (attribute types and names) and its JSON event format. `id`, `source`, `specversion` and
`type` are required, an attribute that is `null` counts as absent, extensions are legal and kept.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connectors.errors import ConnectorError

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
AHEAD_AT_MOST: Final = timedelta(minutes=5)

_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_TEXT_ATTRIBUTES: Final = ("id", "source", "specversion", "type", "subject", "datacontenttype", "dataschema", "time")
_REQUIRED: Final = ("id", "source", "specversion", "type")
_INT32: Final = range(-(2**31), 2**31)


class UnreadableEvents(ConnectorError):
    """The body is not CloudEvents JSON: {problem}."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class SensorEvent:
    """One valid event. `subject` is the device; `time` carries an offset and is the time of receipt where the event
    gave none, or one more than five minutes ahead of receipt (`warnings` then names `time`)."""

    source: str
    id: str
    type: str
    subject: str | None
    time: datetime
    data: object
    extensions: Mapping[str, str | int | bool]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFault:
    """One event that cannot be used: `index` in the batch from 0, the attribute, and what is wrong with it."""

    index: int
    attribute: str
    problem: str
    id: str | None = None


def parse(content_type: str, body: bytes, received_at: datetime) -> list[SensorEvent | EventFault]:
    """Every event of a structured or batched body in its order; a faulty event harms no neighbour.

    Raises UnreadableEvents for another media type, broken JSON or UTF-8, or a batch that is not an array.
    """
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if media_type not in (STRUCTURED, BATCHED):
        raise UnreadableEvents("the media type is neither structured nor batched")
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters.lower())
    if charset is not None and charset.group(1) not in ("utf-8", "utf8"):
        raise UnreadableEvents("the charset is not UTF-8")
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvents("broken JSON or UTF-8") from error
    if media_type == STRUCTURED:
        return [_event(0, document, received_at)]
    if not isinstance(document, list):
        raise UnreadableEvents("a batch is an array")
    return [_event(index, item, received_at) for index, item in enumerate(document)]


def _event(index: int, item: object, received_at: datetime) -> SensorEvent | EventFault:
    if not isinstance(item, dict):
        return EventFault(index, "", "not an object")
    attributes = {name: value for name, value in item.items() if value is not None}
    known_id = attributes.get("id")
    try:
        return _read(attributes, received_at)
    except _Wrong as wrong:
        return EventFault(index, wrong.attribute, wrong.problem, known_id if isinstance(known_id, str) else None)


class _Wrong(Exception):
    def __init__(self, attribute: str, problem: str) -> None:
        super().__init__(attribute, problem)
        self.attribute = attribute
        self.problem = problem


def _read(attributes: dict[str, object], received_at: datetime) -> SensorEvent:
    texts = _texts(attributes)
    if texts["specversion"] != "1.0":
        raise _Wrong("specversion", 'only "1.0" is read')
    time, warnings = _time(texts.get("time"), received_at)
    return SensorEvent(
        source=texts["source"],
        id=texts["id"],
        type=texts["type"],
        subject=texts.get("subject"),
        time=time,
        data=_data(attributes),
        extensions=_extensions(attributes),
        warnings=warnings,
    )


def _texts(attributes: Mapping[str, object]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in _TEXT_ATTRIBUTES:
        if name not in attributes:
            if name in _REQUIRED:
                raise _Wrong(name, "missing")
            continue
        value = attributes[name]
        if not isinstance(value, str) or not value:
            raise _Wrong(name, "not a text of at least one character")
        if _CONTROL.search(value):
            raise _Wrong(name, "holds a control character")
        texts[name] = value
    return texts


def _time(text: str | None, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    if text is None:
        return received_at, ()
    if not _RFC3339.fullmatch(text):
        raise _Wrong("time", "not an RFC 3339 time with offset")
    try:
        time = datetime.fromisoformat(text.upper())
        ahead = time - received_at
    except (ValueError, OverflowError):
        raise _Wrong("time", "no such time") from None
    return (time, ()) if ahead <= AHEAD_AT_MOST else (received_at, ("time",))


def _data(attributes: Mapping[str, object]) -> object:
    if "data_base64" not in attributes:
        data = attributes.get("data")
        if _holds_nul(data):
            raise _Wrong("data", "holds a NUL character")
        return data
    if "data" in attributes:
        raise _Wrong("data_base64", "given beside data")
    encoded = attributes["data_base64"]
    if not isinstance(encoded, str):
        raise _Wrong("data_base64", "not a text")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _Wrong("data_base64", "not Base64") from None


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


def _extensions(attributes: Mapping[str, object]) -> dict[str, str | int | bool]:
    extensions: dict[str, str | int | bool] = {}
    for name, value in attributes.items():
        if name in _TEXT_ATTRIBUTES or name in ("data", "data_base64"):
            continue
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise _Wrong(name, "an attribute name is made of a-z and 0-9")
        if isinstance(value, str):
            if _CONTROL.search(value):
                raise _Wrong(name, "holds a control character")
        elif not (isinstance(value, bool) or (isinstance(value, int) and value in _INT32)):
            raise _Wrong(name, "neither text, 32-bit integer nor boolean")
        extensions[name] = value
    return extensions
