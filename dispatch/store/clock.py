"""Time: the database's clock for what is decided, the machine's for what merely looks."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "store")


class Clock(Protocol):
    """The one port through which time enters; tests put their own in and travel."""

    def wall(self) -> datetime:
        """This machine's time, for plausibility and display only."""
        ...

    async def now(self, connection: Executor) -> datetime:
        """The database's time, read once in a transaction, after its rows are held."""
        ...

    def when(self, told: datetime) -> datetime:
        """The same, where a statement that read what hangs on held rows told the database's time."""
        ...


class SystemClock:
    """The real clocks."""

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def now(self, connection: Executor) -> datetime:
        moment: datetime = await connection.fetchval(SQL.database_time)
        return moment

    def when(self, told: datetime) -> datetime:
        return told


class TravelClock:
    """A clock that tests and trials move by hand; it stands still in between."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def wall(self) -> datetime:
        return self.at

    async def now(self, connection: Executor) -> datetime:
        return self.at

    def when(self, told: datetime) -> datetime:
        return self.at

    def travel(self, step: timedelta) -> datetime:
        """Moves on by `step` and says where it is now."""
        self.at += step
        return self.at
