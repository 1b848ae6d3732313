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

    Recipients are `account:<username>`; `unit:<code>` where the unit has nobody in one of the roles; and `webhook:<id>`
    for every webhook of the unit or of all units; inboxes are told on the live stream. The unit `*` means the people of any
    unit. One addressee hears of one event once per medium: of several posts the first counts. What concerns a restricted case
    goes to inboxes only.
    """
    if not posts:
        return 0
    rows: list[tuple[Any, ...]] = [
        (case_id, seq, post.topic, encode(post.body).decode(), post.unit, encode(post.roles).decode(), at)
        for case_id, seq, post, at in posts
    ]
    new: int = await connection.fetchval(SQL.post, *zip(*rows, strict=True))
    return new
