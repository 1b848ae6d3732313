"""How much reaches each person (指尖负担): notices a day, and the open tasks behind them."""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "load")


class Load(Struct, frozen=True):
    """What one person got on one day of the city.

    `reminders` are among the `notices`, `held` those of them that came as part of one of the `digests`; `matters` counts merged
    cases as the one that leads on. `open_tasks` is what the person has in hand now, a case once.
    """

    day: date
    account: str
    unit: str
    notices: int
    reminders: int
    held: int
    digests: int
    read: int
    matters: int
    open_tasks: int


async def loads(
    connection: Executor, units: Sequence[str] | None, since: datetime, until: datetime, zone: str, after: tuple[date, str], limit: int
) -> list[Load]:  # fmt: skip
    """Days and people in order, behind `after`, of accounts in `units` (None: all); days are those of `zone`."""
    return [Load(**row) for row in await connection.fetch(SQL.loads, units, since, until, zone, *after, limit)]
