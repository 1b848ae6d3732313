"""Writing notices: a row for every addressee, in the transaction of the event they are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from dispatch.domain.cases import Post
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "notices")
encode = msgspec.json.Encoder().encode


async def insert(connection: Connection, posts: Sequence[tuple[int, int, Post, datetime]]) -> int:
    """Write the rows of posts (case id, seq of the event, post, time of the event), and say how many are new.

    Recipients are `account:<username>` of whoever is on duty for one of the roles (shifts, leave and stand-ins, else all who
    hold it); `unit:<code>` where nobody is; and `webhook:<id>` for every webhook of the unit or of all units; inboxes are told
    on the live stream. The unit `*` means roles that stand over all units. A post goes by its media only. One addressee hears
    of one event once per medium: of several posts the first counts. What concerns a restricted case goes to inboxes only.
    """
    if not posts:
        return 0
    rows: list[tuple[Any, ...]] = [
        (case_id, seq, p.topic, encode(p.body).decode(), p.unit, encode(p.roles).decode(), at, encode(p.media).decode())
        for case_id, seq, p, at in posts
    ]
    new: int = await connection.fetchval(SQL.post, *zip(*rows, strict=True))
    return new
