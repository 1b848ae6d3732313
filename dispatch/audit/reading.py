"""What an auditor reads: looks at personal data, and checkpoints."""

from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from dispatch.audit.checkpoints import SQL, view
from dispatch.insight.cases import FAR_FUTURE

BEYOND: Final = 2**62


async def access(
    pool: asyncpg.Pool,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Looks at personal data, newest first: subjects are numbers and digests, never the data."""
    return [dict(row) for row in await pool.fetch(SQL.access, *(after or (FAR_FUTURE, 0)), actor, action, since, limit)]


async def checkpoints(pool: asyncpg.Pool, below: int | None, limit: int) -> list[dict[str, Any]]:
    """Checkpoints with their digests, newest first."""
    rows = await pool.fetch(SQL.newest_checkpoints, below or BEYOND, limit)
    return [msgspec.structs.asdict(view(dict(row))) for row in rows]
