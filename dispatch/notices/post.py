"""Writing notices: a row for every addressee, in the transaction of the event they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from dispatch.domain.cases import SENT_BY, Post
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "notices")
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Told:
    """A notice about no case: about a `subject` (`article:7:2`), of which one addressee hears once a medium."""

    subject: str
    unit: str
    roles: tuple[str, ...]
    topic: str
    body: dict[str, Any]


async def insert(connection: Connection, posts: Sequence[tuple[int, int, Post, datetime]]) -> int:
    """Write the rows of posts (case id, seq of the event, post, time of the event), and say how many are new.

    Recipients are `account:<username>` of whoever is on duty for one of the roles (shifts, leave and stand-ins, else all who
    hold it); `unit:<code>` where nobody is; and `webhook:<id>` for every webhook of the unit or of all units; inboxes are told
    on the live stream. The unit `*` means roles that stand over all units. A post goes by its media only. One addressee hears
    of one event once per medium: of several posts the first counts. Reminders beyond the most
    that a post allows an hour wait for a digest (`digests`). What concerns a restricted case goes to inboxes only.
    """
    if not posts:
        return 0
    rows: list[tuple[Any, ...]] = [
        (
            case_id,
            seq,
            None,
            p.topic,
            encode(p.body).decode(),
            p.unit,
            encode(p.roles).decode(),
            at,
            encode(p.media).decode(),
            p.most,
        )
        for case_id, seq, p, at in posts
    ]
    new: int = await connection.fetchval(SQL.post, *zip(*rows, strict=True))
    return new


async def tell(connection: Connection, told: Sequence[Told], at: datetime) -> int:
    """Write notices about subjects, to the addressees that `insert` knows, and say how many are new."""
    if not told:
        return 0
    rows: list[tuple[Any, ...]] = [
        (None, None, t.subject, t.topic, encode({"subject": t.subject, **t.body}).decode(), t.unit, encode(t.roles).decode(), at,
         encode(SENT_BY).decode(), None)
        for t in told
    ]  # fmt: skip
    new: int = await connection.fetchval(SQL.post, *zip(*rows, strict=True))
    return new
