"""What a client may send: who it is, then what it wants to hear."""

from typing import Annotated

import msgspec
from aiohttp import WSMessage, WSMsgType

from dispatch.live.errors import Refused

BAD_FRAME = 4400

Feed = Annotated[str, msgspec.Meta(pattern=r"^(cases|escalations|stats|city|inbox|(unit|area):\S{1,64})$")]


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="auth"):
    """A token as the session gives it out; not needed where the request itself was authenticated."""

    token: str


class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The position of a snapshot, or the last one this client was told."""

    epoch: str
    offset: Annotated[int, msgspec.Meta(ge=0)]


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="subscribe"):
    """The feeds of this connection; to change them, connect again."""

    feeds: Annotated[list[Feed], msgspec.Meta(min_length=1, max_length=100)]
    since: Since | None = None


_decode = msgspec.json.Decoder(Auth | Subscribe).decode


def read_frame(message: WSMessage) -> Auth | Subscribe:
    """A frame from its text. Raises `Refused`."""
    if message.type is not WSMsgType.TEXT:
        raise Refused(BAD_FRAME, "frames are text")
    try:
        frame: Auth | Subscribe = _decode(message.data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused(BAD_FRAME, "not an auth or subscribe frame") from None
    return frame
