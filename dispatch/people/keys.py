"""Keys of machines (接口密钥): each for one system, bound to its channels."""

import secrets
import string
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
import structlog

from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.people import tokens
from dispatch.people.admission import Admission
from dispatch.people.permissions import ADMINISTRATORS, ROLES
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "accounts")
_ID_ALPHABET = string.ascii_lowercase + string.digits

log = structlog.get_logger(__name__)


class KeyView(msgspec.Struct, frozen=True):
    """A key as it is listed: everything but its secret."""

    id: str
    name: str
    unit: str
    channels: list[str]
    roles: list[str]
    created_at: datetime
    created_by: str
    retired_at: datetime | None


class Keys:
    """Every key of a machine."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock, admission: Admission) -> None:
        self._pool = pool
        self._clock = clock
        self._admission = admission

    async def create(
        self, actor: str, name: str, unit: str, channels: Sequence[str], roles: Sequence[str] = ("connector",)
    ) -> tuple[str, str]:
        """Makes a key; returns its id and the key itself, `cdk_<id>_<secret>`, which is shown once.

        Raises `BadInput` naming `unit`, `channels` or `roles`, and `RuleBroken` for roles that machines may not have.
        """
        if not channels or not all(channels):
            raise BadInput(field="channels", problem="needs at least one channel")
        if not roles or not set(roles) <= set(ROLES):
            raise BadInput(field="roles", problem="is empty or has one that is not a role")
        if ADMINISTRATORS.intersection(roles):
            raise RuleBroken(problem="Administrators are people.")
        key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))
        shown, digest = tokens.new_secret(key_id, tokens.KEY_PREFIX)
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            row = (key_id, digest, name, unit, sorted(set(channels)), sorted(set(roles)), now, actor)
            try:
                await connection.execute(SQL.insert_key, *row)
            except asyncpg.ForeignKeyViolationError:
                raise BadInput(field="unit", problem="is not known") from None
            await connection.execute(SQL.insert_access, now, actor, "key.created", key_id)
        log.info("key created", actor=actor, key=key_id, roles=sorted(set(roles)))
        return key_id, shown

    async def retire(self, actor: str, key_id: str) -> None:
        """Ends a key for good, here at once and elsewhere within 30 seconds. Raises `NotFound`."""
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            if not await connection.fetchval(SQL.retire_key, key_id, now):
                raise NotFound(noun="key", key=key_id)
            await connection.execute(SQL.insert_access, now, actor, "key.retired", key_id)
        self._admission.forget()
        log.info("key retired", actor=actor, key=key_id)

    async def list(self, after: str = "", limit: int = 100) -> list[KeyView]:
        """The next keys after an id, in the order of ids, retired ones too."""
        return [KeyView(**row) for row in await self._pool.fetch(SQL.list_keys, after, limit)]

    async def names(self) -> frozenset[str]:
        """The names of the keys in use."""
        return frozenset(row["name"] for row in await self._pool.fetch(SQL.key_names))
