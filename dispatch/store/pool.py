"""Connections to PostgreSQL, and blocks of ids."""

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from dispatch.domain.errors import RuleBroken
from dispatch.store.statements import load

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

# A connection, whether one's own or lent by the pool; and whatever runs a statement.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Executor: TypeAlias = "Connection | asyncpg.Pool[asyncpg.Record]"

SQL = load(__file__, "pool")
SERVICE_ROLE = "dispatch_service"
BLOCK = 512


async def open_pool(url: str, *, size: int = 8, role: str = SERVICE_ROLE) -> asyncpg.Pool:
    """A pool whose connections work as the service's role or another one that is granted, never as the owner, in UTC and READ COMMITTED.

    Raises RuleBroken where they could change the record of a case: a connection pooler that drops start-up parameters
    leaves the rights of whoever logs in.
    """
    pool: asyncpg.Pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        command_timeout=60,
        reset=_leave,
        server_settings={"role": role, "timezone": "UTC", "application_name": "dispatch", "jit": "off"},
    )
    if await pool.fetchval(SQL.may_bend_the_record):
        await pool.close()
        raise RuleBroken(problem=f"the service must not work with the owner's rights: log in as a member of {role}")
    return pool


async def _leave(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing is reset when a connection goes back: whatever is set here is set for one transaction."""


async def one(connection: Executor, statement: str, *values: object) -> asyncpg.Record:
    """The row of a statement that always has one."""
    row = await connection.fetchrow(statement, *values)
    assert row is not None
    return row


# What the driver raises while the server is away, restarting or cutting connections; the same request may do later.
AWAY: tuple[type[Exception], ...] = (
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)


class Ids:
    """Ids of new rows, held by one piece of work; what it does not use leaves gaps."""

    __slots__ = ("_held",)

    def __init__(self, held: dict[str, deque[int]]) -> None:
        self._held = held

    def take(self, name: str) -> int:
        """One of those reserved under this name."""
        return self._held[name].popleft()


# For work that only looks, or makes no rows that need one.
NO_IDS = Ids({})


class Sequences:
    """Hands out ids, taken from the database in blocks, so that a batch asks for none. Blocks lost in a crash leave gaps."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._free: dict[str, deque[int]] = {name: deque() for name in ("case", "report", "assignment", "text")}

    async def reserve(self, **wanted: int) -> Ids:
        """So many ids of each (`case=128, report=128`), for the caller alone."""
        held: dict[str, deque[int]] = {}
        for name, count in wanted.items():
            free = self._free[name]
            while len(free) < count:
                rows = await self._pool.fetch(SQL.take_ids, f"{name}_ids", max(BLOCK, count))
                free.extend(row["id"] for row in rows)
            held[name] = deque(free.popleft() for _ in range(count))
        return Ids(held)
