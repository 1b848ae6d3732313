"""One connection's side of the fan-out: what it wants, what waits for it, and when it is too slow."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from dispatch.live.messages import Message, Note

# Frames that may wait for one connection. Beyond it only the latest of each case is kept; if that frees less than half,
# the connection is too slow. So the work of a compaction is spread over at least half as many messages.
BOUND = 512
TOO_SLOW = 4408


@dataclass(frozen=True, slots=True)
class Audience:
    """What a principal may hear: feeds of these units (None: every feed), and whether restricted cases.

    `inbox` are the recipients whose notices reach it: its account and its unit.
    """

    units: frozenset[str] | None
    restricted: bool
    inbox: frozenset[str] = frozenset()

    def covers(self, feed: str) -> bool:
        """Whether a feed lies in the scope; the city's version and its emergencies concern everybody, and everybody has an inbox."""
        if self.units is None or feed in ("city", "inbox"):
            return True
        kind, _, unit = feed.partition(":")
        return kind == "unit" and unit in self.units

    def feeds(self, asked: Iterable[str]) -> frozenset[str]:
        """The feeds of a connection as messages name them: `inbox` stands for the recipients it reaches."""
        named = set(asked)
        if "inbox" in named:
            named |= {f"inbox:{recipient}" for recipient in self.inbox}
        return frozenset(named)


class Listener:
    """Offsets go to the connection strictly ascending; each frame's `prev` is the offset it was told before."""

    __slots__ = ("_restricted", "_told", "_waiting", "_woken", "code", "ended", "feeds")

    def __init__(self, feeds: frozenset[str], *, restricted: bool, at: int) -> None:
        """`at` is the offset that the client has already."""
        self.feeds = feeds
        self._restricted = restricted
        self._told = at
        self._waiting: list[Message | Note] = []
        self._woken = asyncio.Event()
        self.ended = asyncio.Event()
        self.code: int | None = None

    def wants(self, message: Message) -> bool:
        """Whether the message is new to this connection, on one of its feeds and for its eyes."""
        return (
            message.offset > self._told
            and not self.feeds.isdisjoint(message.feeds)
            and (self._restricted or not message.restricted)
        )

    def offer(self, frame: Message | Note) -> None:
        """Let a frame wait its turn; ends the connection when too much waits."""
        self._waiting.append(frame)
        self._woken.set()
        if len(self._waiting) > BOUND:
            self._waiting = _latest(self._waiting)
            if len(self._waiting) > BOUND // 2:
                self.end(TOO_SLOW)

    def restart(self, note: Note) -> None:
        """Nothing that waits is worth sending: history is lost, and the note says where the connection stands."""
        self._waiting = [note]
        self._told = note.offset or 0
        self._woken.set()

    def end(self, code: int) -> None:
        """Close the connection with a code; the first one counts."""
        if self.code is None:
            self.code = code
        self._waiting = []
        self.ended.set()

    def frames(self, waiting: Iterable[Message | Note]) -> list[bytes]:
        """What to send, in order; what the connection has already is left out."""
        made = []
        for frame in waiting:
            if isinstance(frame, Message):
                if self.wants(frame):
                    made.append(frame.frame(self._told))
                    self._told = frame.offset
            elif frame.offset is None:
                made.append(frame.body)
            # A client may be ahead of this process: its position never goes back.
            elif frame.offset >= self._told:
                made.append(frame.body)
                self._told = frame.offset
        return made

    async def take(self) -> list[bytes]:
        """Wait for frames, and take all that wait."""
        await self._woken.wait()
        self._woken.clear()
        waiting, self._waiting = self._waiting, []
        return self.frames(waiting)


def _latest(waiting: list[Message | Note]) -> list[Message | Note]:
    """The last frame of each key, in the order of those last ones: offsets stay ascending."""
    last: dict[object, Message | Note] = {}
    for frame in waiting:
        last.pop(frame.key, None)
        last[frame.key] = frame
    return list(last.values())
