"""The Redis stream between the one relay and the hubs: a key for each epoch, an entry `<offset>-0` for each message."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from dispatch.live.errors import StreamBroken

# Messages kept for clients that come back; trimming is approximate, never below.
KEPT = 100_000
# A stream that nobody has written to for so long is removed, so that former epochs do not pile up.
KEPT_S = 7 * 24 * 3600
# What a call raises while Redis is away or refuses to work.
FAULTS = (RedisError, OSError, StreamBroken)
# Without an answer for so long Redis counts as away; callers hold a transaction meanwhile.
_ANSWER_S = 3.0

_FIELD, _ROW = b"m", b"i"

Entry = tuple[int, bytes]


class Sent(NamedTuple):
    """An entry as the relay reads it back: its offset, the row of the outbox it was, and the message."""

    offset: int
    row: int
    message: bytes


class Stream:
    """Positions and messages as Redis keeps them.

    The client must leave answers as bytes (no `decode_responses`), and its `socket_timeout` must exceed a second.
    Every method raises one of `FAULTS` while Redis is away.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def last(self, epoch: str) -> int:
        """The offset of the newest message; 0 when there is none."""
        async with asyncio.timeout(_ANSWER_S):
            found = await cast(Awaitable[list[Any]], self._redis.xrevrange(_key(epoch), count=1))
        return _entries(found)[0][0] if found else 0

    async def add(self, epoch: str, offset: int, rows: Sequence[tuple[int, bytes]]) -> None:
        """Append (row of the outbox, message) behind `offset`, in order. Raises StreamBroken where something stands there."""
        pipeline = self._redis.pipeline(transaction=True)
        for position, (row, message) in enumerate(rows, offset + 1):
            fields: Any = {_FIELD: message, _ROW: row}
            pipeline.xadd(_key(epoch), fields, id=f"{position}-0", maxlen=KEPT, approximate=True)
        pipeline.expire(_key(epoch), KEPT_S)
        async with asyncio.timeout(_ANSWER_S):
            answers = await pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception):
                raise StreamBroken from answer

    async def sent_after(self, epoch: str, offset: int, count: int) -> list[Sent]:
        """At most `count` entries behind an offset with the rows they were."""
        found = self._redis.xrange(_key(epoch), min=f"({offset}-0", count=count)
        async with asyncio.timeout(_ANSWER_S):
            entries = await cast(Awaitable[list[Any]], found)
        return [Sent(_offset(entry_id), int(fields.get(_ROW, 0)), fields[_FIELD]) for entry_id, fields in entries]

    async def after(self, epoch: str, offset: int, count: int) -> list[Entry]:
        """At most `count` messages behind an offset, in order."""
        found = self._redis.xrange(_key(epoch), min=f"({offset}-0", count=count)
        async with asyncio.timeout(_ANSWER_S):
            return _entries(await cast(Awaitable[list[Any]], found))

    async def wait(self, epoch: str, offset: int, count: int, wait_ms: int) -> list[Entry]:
        """Like `after`, but waits up to `wait_ms` milliseconds for a first message."""
        found = self._redis.xread({_key(epoch): f"{offset}-0"}, count=count, block=wait_ms)
        async with asyncio.timeout(_ANSWER_S + wait_ms / 1000):
            streams = await cast(Awaitable[Any], found)
        # RESP2 answers a list of pairs, RESP3 a mapping with the entries one level deeper.
        if isinstance(streams, dict):
            return [entry for chunks in streams.values() for chunk in chunks for entry in _entries(chunk)]
        return [entry for _, chunk in streams or () for entry in _entries(chunk)]


def _key(epoch: str) -> str:
    return f"live:{epoch}"


def _entries(found: Sequence[Any]) -> list[Entry]:
    return [(_offset(entry_id), fields[_FIELD]) for entry_id, fields in found]


def _offset(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
