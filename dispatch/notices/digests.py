"""Digests (合并提醒): reminders beyond the most that one recipient may get in an hour are told in one notice at its end.

| a notice is                                         | inbox                                     | webhook             |
|-----------------------------------------------------|-------------------------------------------|---------------------|
| no reminder, or about an urgent matter              | announced at once                         | sent at once        |
| one of the first so many reminders of the hour      | announced at once                         | sent at once        |
| a reminder beyond them                              | stands there, is not announced by itself  | held                |
| the digest of an hour                               | announced; names every case               | sent; the same      |

What is held is known by its row, so that one which commits late is named by the next digest and never by none. How many went before
is counted among what was committed: two processes that remind one person in the same instant may both pass the bound.
"""

from datetime import datetime

from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "digests")
# So many case numbers fit into what a webhook takes (`sending.BODY_BYTES`); an hour with more has a second part.
MOST_CASES = 500


async def make(connection: Connection, now: datetime) -> int:
    """Makes the digests of all hours that are over, in the running transaction; returns how many."""
    await connection.execute(SQL.one_at_a_time)
    made: int = await connection.fetchval(SQL.make, now, MOST_CASES)
    return made
