"""Accounts of people (账号): made, listed and retired by the security administrator, or loaded with a city."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import asyncpg
import msgspec
import structlog

from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.people import passwords
from dispatch.people.admission import Admission
from dispatch.people.permissions import ROLES, incompatible, permissions_of
from dispatch.people.principal import Principal
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "accounts")
SYSTEM = "system"

log = structlog.get_logger(__name__)


class CityAccount(Protocol):
    """An account as a city's files name it."""

    @property
    def username(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def unit(self) -> str: ...


class AccountView(msgspec.Struct, frozen=True):
    """An account as it is listed."""

    username: str
    unit: str
    roles: list[str]
    title: str
    must_change: bool
    locked_until: datetime | None
    retired_at: datetime | None


class Accounts:
    """Every account. Names are never given twice, so that the log says who it was for good."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, admission: Admission) -> None:
        self._pool = pool
        self._clock = clock
        self._admission = admission

    async def create(self, actor: str, username: str, unit: str, roles: Sequence[str], title: str = "") -> str:
        """Makes an account and returns its first password, which is shown once and has to be changed at once.

        Raises `BadInput` naming `username`, `unit` or `roles`, and `RuleBroken` for a taken name or roles that must
        be apart.
        """
        _check_roles(roles)
        password = passwords.generate()
        stored = await asyncio.to_thread(passwords.hashed, password)
        async with self._pool.acquire() as connection, connection.transaction():
            try:
                made = await connection.fetchval(
                    SQL.insert_account, username, unit, sorted(set(roles)), title, stored, True
                )
            except asyncpg.ForeignKeyViolationError:
                raise BadInput(field="unit", problem="is not known") from None
            except asyncpg.CheckViolationError:
                raise BadInput(field="username", problem="needs 2 to 32 of a-z 0-9 . _ - and a letter first") from None
            if not made:
                raise RuleBroken(problem=f"The user name {username} is taken.")
            now = await self._clock.now(connection)
            await connection.execute(SQL.insert_access, now, actor, "account.created", username)
        log.info("account created", actor=actor, account=username, roles=sorted(set(roles)))
        return password

    async def reset_password(self, actor: str, username: str) -> str:
        """Sets and returns a new first password and ends every session of the account. Raises `NotFound`."""
        password = passwords.generate()
        stored = await asyncio.to_thread(passwords.hashed, password)
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(SQL.set_password, username, stored, True) is None:
                raise NotFound(noun="account", key=username)
            now = await self._clock.now(connection)
            await connection.execute(SQL.end_sessions, username, now)
            await connection.execute(SQL.insert_access, now, actor, "password.reset", username)
        self._admission.forget()
        log.info("password reset", actor=actor, account=username)
        return password

    async def retire(self, actor: str, username: str) -> None:
        """Ends an account for good: here at once, in other processes within 30 seconds.

        Raises `NotFound`, and `RuleBroken` for the actor's own account and for one whose work nobody has taken over.
        """
        if actor == username:
            raise RuleBroken(problem="Nobody retires the account they are using.")
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            if not await connection.fetchval(SQL.retire_account, username, now):
                raise NotFound(noun="account", key=username)
            if tasks := await connection.fetchval(SQL.open_tasks, username):
                raise RuleBroken(
                    field="successor", problem=f"{tasks} open tasks are in these hands: hand them over first"
                )
            await connection.execute(SQL.end_sessions, username, now)
            await connection.execute(SQL.insert_access, now, actor, "account.retired", username)
        self._admission.forget()
        log.info("account retired", actor=actor, account=username)

    async def list(self, after: str = "", limit: int = 100) -> list[AccountView]:
        """The next accounts after a name, in the order of names, retired ones too."""
        return [AccountView(**row) for row in await self._pool.fetch(SQL.list_accounts, after, limit)]

    async def principal(self, username: str) -> Principal:
        """Somebody with an account, for a command at the machine itself. Raises NotFound."""
        row = await self._pool.fetchrow(SQL.select_account, username)
        if row is None:
            raise NotFound(noun="account", key=username)
        return Principal(username, "account", row["unit"], frozenset(row["roles"]), permissions_of(row["roles"]))

    async def load(
        self,
        accounts: Iterable[CityAccount],
        passwords_given: Mapping[str, str] | None = None,
        *,
        must_change: bool = True,
    ) -> dict[str, str]:
        """Makes the accounts of a city that do not exist yet; returns their passwords by user name.

        Those that exist get the unit, role and title of the file; passwords and retirement stay.
        """
        wanted = {account.username: account for account in accounts}
        known = {row["username"] for row in await self._pool.fetch(SQL.known_accounts, list(wanted))}
        fresh = {
            name: (passwords_given or {}).get(name) or passwords.generate() for name in wanted if name not in known
        }
        stored = {name: await asyncio.to_thread(passwords.hashed, password) for name, password in fresh.items()}
        made: dict[str, str] = {}
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            for name, account in sorted(wanted.items()):
                row = (name, account.unit, [account.role], account.name)
                _check_roles(row[2])
                if name in known:
                    await connection.execute(SQL.update_account, *row)
                elif await connection.fetchval(SQL.insert_account, *row, stored[name], must_change):
                    await connection.execute(SQL.insert_access, now, SYSTEM, "account.created", name)
                    made[name] = fresh[name]
        self._admission.forget()
        return made


def _check_roles(roles: Sequence[str]) -> None:
    for role in roles:
        if role not in ROLES:
            raise BadInput(field="roles", problem=f"{role} is not a role")
    if not roles:
        raise BadInput(field="roles", problem="is empty")
    if incompatible(roles):
        raise RuleBroken(problem="These roles may not be held by one account.")
