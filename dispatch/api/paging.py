"""Cursors of lists: where the next page begins, as an opaque signed word (keyset paging, never an offset)."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import msgspec

from dispatch.domain.errors import BadInput

_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """The sort values of a page's last row: text, numbers, booleans, None, aware datetimes (which come back in UTC)."""

    values: tuple[Any, ...]


def encode_cursor(cursor: Cursor, key: bytes, listing: str) -> str:
    """The word for `cursor`; `listing` names the list and its order, so that no other list takes it."""
    payload = msgspec.msgpack.encode(cursor.values)
    return urlsafe_b64encode(_signature(payload, key, listing) + payload).rstrip(b"=").decode()


def decode_cursor(word: str, key: bytes, listing: str) -> Cursor:
    """The cursor of a word made for the same list with the same key; anything else raises `BadInput`."""
    try:
        raw = urlsafe_b64decode(word.encode("ascii") + b"=" * (-len(word) % 4))
    except ValueError:
        raise BadInput(field="cursor", problem="is not one of ours") from None
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(payload, key, listing)):
        raise BadInput(field="cursor", problem="is not one of ours, or belongs to another list")
    return Cursor(msgspec.msgpack.decode(payload, type=tuple[Any, ...]))


def _signature(payload: bytes, key: bytes, listing: str) -> bytes:
    # The length in front keeps a list's name and a payload from running into each other.
    name = listing.encode()
    return hmac.digest(key, len(name).to_bytes(4) + name + payload, "sha256")[:_SIGNATURE_BYTES]
