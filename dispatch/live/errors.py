"""Why a live connection ends."""

from dataclasses import dataclass


class LiveError(Exception):
    """Something about the live stream went wrong."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


@dataclass(eq=False)
class Refused(LiveError):
    """{reason}"""

    # A close code of the websocket: 4400 bad frame, 4401 authentication, 4403 permission or scope.
    code: int
    reason: str


class StreamBroken(LiveError):
    """The stream answered a message with an error."""
