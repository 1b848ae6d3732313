"""The inbox (收件箱) of the console: the notices of a person and of the units they answer for.

Recipients are those of the rows: `account:<username>` and `unit:<code>`; who asks may name only their own.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from dispatch.store.statements import load

SQL = load(__file__, "notices")


class InboxNotice(msgspec.Struct, frozen=True):
    """One notice as its recipient sees it, about an event of a case or about a `subject`; `body` is the JSON object it was posted with."""

    id: UUID
    case_no: str | None
    event_seq: int | None
    recipient: str
    topic: str
    body: msgspec.Raw
    created_at: datetime
    read_at: datetime | None
    subject: str | None


async def unread(connection: asyncpg.Connection | asyncpg.Pool, recipients: Sequence[str]) -> int:
    """How many notices nobody has read."""
    return int(await connection.fetchval(SQL.unread, recipients))


async def newest(
    connection: asyncpg.Connection | asyncpg.Pool,
    recipients: Sequence[str],
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[InboxNotice]:
    """A page of notices, newest first; `after` is `created_at` and `id` of the last one of the page before."""
    rows = await connection.fetch(SQL.newest, recipients, limit, *(after or (None, None)))
    return [InboxNotice(**{**row, "body": msgspec.Raw(row["body"].encode())}) for row in rows]


async def mark_read(
    connection: asyncpg.Connection | asyncpg.Pool, recipients: Sequence[str], ids: Sequence[UUID], at: datetime, by: str
) -> int:
    """Mark notices read by somebody and say how many were not; those of other recipients are left alone."""
    return int(await connection.fetchval(SQL.mark_read, recipients, ids, at, by))
