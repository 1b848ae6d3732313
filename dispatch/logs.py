"""Logging: one JSON object a line on stderr, with the request id and without personal data."""

import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

REDACTED = "[redacted]"

# 18 digits with a date inside (GB 11643), and numbers of mobile and fixed telephones of the mainland (+86 or not).
_PERSONAL = re.compile(
    r"(?<!\d)(?:"
    r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"|(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
    r"|0\d{2,3}[- ]\d{7,8}"
    r")(?!\d)"
)

Event = MutableMapping[str, Any]


def configure_logs(level: str = "info", on_redaction: Callable[[int], object] = lambda count: None) -> None:
    """Send structlog and the standard library's loggers to stderr as JSON lines.

    `level` is debug, info, warning or error. `on_redaction` hears how many values a line had to be stripped of: the
    patterns are the last line of defence, so every call is a fault of some caller to be mended.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        add_request_id,
        scrub_exception,
        redactor(on_redaction),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def add_request_id(_logger: Any, _method: str, event: Event) -> Event:
    """Name the request in whose course the line is written."""
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def scrub_exception(_logger: Any, _method: str, event: Event) -> Event:
    """Replace an exception by its types and places: its message may quote what a person said or a row of a table."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else (info[1] if isinstance(info, tuple) else None)
    if info and error is None:
        error = sys.exc_info()[1]
    if error is not None:
        event["error"] = _chain(error)
        event["where"] = [f"{at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)]
    return event


def redactor(on_redaction: Callable[[int], object]) -> Callable[[Any, str, Event], Event]:
    """A processor that blots out, in every value however deep, what looks like a telephone or identity number."""

    def redact_event(_logger: Any, _method: str, event: Event) -> Event:
        found = 0
        for key, value in event.items():
            if key == "request_id" or key.startswith("_"):
                continue
            event[key], count = _redacted(value)
            found += count
        if found:
            on_redaction(found)
        return event

    return redact_event


def redact(text: str) -> str:
    """The text without what looks like a telephone or identity number."""
    return _PERSONAL.sub(REDACTED, text)


def _redacted(value: Any) -> tuple[Any, int]:
    match value:
        case bool() | None | float():
            return value, 0
        case int():
            text, count = _PERSONAL.subn(REDACTED, str(value))
            return (text, count) if count else (value, 0)
        case str():
            return _PERSONAL.subn(REDACTED, value)
        case dict():
            pairs = [(_redacted(key), _redacted(item)) for key, item in value.items()]
            return {key: item for (key, _), (item, _) in pairs}, sum(a + b for (_, a), (_, b) in pairs)
        case list() | tuple() | set() | frozenset():
            items = [_redacted(item) for item in value]
            return [item for item, _ in items], sum(count for _, count in items)
        case _:
            text, count = _PERSONAL.subn(REDACTED, str(value))
            return (text, count) if count else (value, 0)


def _chain(error: BaseException) -> list[str]:
    """Type names from the error to its first cause, with the SQLSTATE where a database said one."""
    names: list[str] = []
    current: BaseException | None = error
    while current is not None and len(names) < 8:
        state = getattr(current, "sqlstate", None)
        names.append(f"{type(current).__module__}.{type(current).__qualname__}" + (f" {state}" if state else ""))
        current = current.__cause__ or current.__context__
    return names


def _as_json(_logger: Any, _method: str, event: Event) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
