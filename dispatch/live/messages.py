"""Messages as the stream carries them, and as a connection is sent them."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

import msgspec
import structlog

log = structlog.get_logger()


class _Head(msgspec.Struct):
    """What decides who gets a message; the rest of it is never decoded."""

    type: str
    case_no: str | None = None
    receipt_no: str | None = None
    subject: str | None = None
    deadline: str | None = None
    units: tuple[str, ...] = ()
    area: tuple[str, ...] | None = None
    restricted: bool = False
    recipient: str | None = None
    id: int | None = None


_head = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the stream: a JSON object in bytes, and whom it concerns.

    `key` names what a later message replaces for a connection that is behind: the state of one case, or one clock of
    it.
    """

    offset: int
    key: Hashable
    feeds: frozenset[str]
    restricted: bool
    body: bytes

    @classmethod
    def read(cls, offset: int, body: bytes) -> Self:
        """A message from its bytes. One that cannot be read concerns nobody, but keeps its place in the count."""
        try:
            head = _head(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.error("live_message_unreadable", offset=offset)
            return cls(offset, offset, frozenset(), True, body)
        return cls(
            offset,
            (head.type, head.case_no or head.receipt_no or head.subject or head.id, head.deadline or head.recipient),
            _feeds(head),
            head.restricted,
            body,
        )

    def frame(self, prev: int) -> bytes:
        """The frame for a connection whose last offset was `prev`: only these two numbers are written anew."""
        return b'{"offset":%d,"prev":%d,%b' % (self.offset, prev, self.body[1:])


@dataclass(frozen=True, slots=True)
class Note:
    """A frame of the connection itself: subscribed, position, degraded, stats.

    `offset` is where the client stands after it; None: where it stood before.
    """

    key: Hashable
    body: bytes
    offset: int | None = None


def _feeds(head: _Head) -> frozenset[str]:
    if head.type in ("city", "emergency"):
        return frozenset(("city",))
    if head.type == "notice":
        return frozenset((f"inbox:{head.recipient}",))
    places = (*(f"unit:{unit}" for unit in head.units), *(f"area:{area}" for area in head.area or ()))
    return frozenset(("escalations" if head.type == "escalation" else "cases", *places))


def subscribed(epoch: str, offset: int, *, recovered: bool, degraded: bool) -> Note:
    """The answer to a subscription; sent again with `recovered` false when history is lost on the way."""
    body = {"type": "subscribed", "recovered": recovered, "epoch": epoch, "offset": offset, "degraded": degraded}
    return Note("subscribed", msgspec.json.encode(body), offset)


def position(epoch: str, offset: int) -> Note:
    """Everything up to this position was sent; also the end of a degraded time."""
    return Note("position", msgspec.json.encode({"type": "position", "epoch": epoch, "offset": offset}), offset)


DEGRADED = Note("degraded", b'{"type":"degraded"}')
