"""The access log: every look at personal data, by whom and what for. It is written before the data are given out."""

from datetime import datetime

from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "access")


async def log_access(
    connection: Executor, at: datetime, actor: str, action: str, subject: str, purpose: str = ""
) -> None:
    """Puts on record that `actor` looked at `subject` (a number or digest, never the data themselves)."""
    await connection.execute(SQL.log_access, at, actor, action, subject, purpose)
