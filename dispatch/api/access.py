"""The access log: one line for each answered request, with the route's template and never the path itself."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from dispatch.logs import redact


class _Line(msgspec.Struct):
    at: datetime
    level: str
    event: str
    method: str
    route: str
    status: int
    ms: float
    request_id: str
    actor: str | None


def _to_stderr(line: bytes) -> None:
    sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()


def access_log(
    write: Callable[[bytes], object] = _to_stderr,
) -> Callable[[str, str, int, float, str, str | None], None]:
    """A function that writes one line: method, route template, status, seconds, request id, actor.

    It goes around structlog because it runs for every request; only the actor's name comes from outside, so only that
    is searched for personal numbers.
    """
    encode = msgspec.json.Encoder().encode

    def line(method: str, route: str, status: int, seconds: float, request_id: str, actor: str | None) -> None:
        level = "error" if status == 500 else "info"
        name = None if actor is None else redact(actor)
        ms = round(seconds * 1000, 3)
        write(encode(_Line(datetime.now(UTC), level, "request", method, route, status, ms, request_id, name)) + b"\n")

    return line
