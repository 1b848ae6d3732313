"""Logging in and out, and what keeps guessers out (会话)."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import TypeVar

import asyncpg
import msgspec
import structlog

from dispatch.domain.errors import AccountLocked, BadInput, NotAuthenticated
from dispatch.people import passwords, tokens
from dispatch.people.admission import Admission
from dispatch.people.keyring import Keyring
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "accounts")
MOST_ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)
# Hashes made at a time: each takes a processor.
MOST_HASHES = 2
_WRONG = "The user name or the password is wrong."

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Tokens(msgspec.Struct, frozen=True):
    """What a client gets for a password: an access token for `expires_in` seconds, and how to get the next."""

    access_token: str
    refresh_token: str
    csrf_token: str
    expires_in: int
    must_change: bool

    def __repr__(self) -> str:
        return "Tokens(…)"


class Sessions:
    """Sessions: opened by a password, carried on by refresh tokens that are good once, ended by logging out."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", keyring: Keyring, clock: Clock, admission: Admission
    ) -> None:
        self._pool = pool
        self._keyring = keyring
        self._clock = clock
        self._admission = admission
        self._hashing = asyncio.Semaphore(MOST_HASHES)

    async def log_in(self, username: str, password: str) -> Tokens:
        """Opens a session.

        Raises `NotAuthenticated`, the same for a name that is unknown, and `AccountLocked` for 15 minutes after five
        failures in a row.
        """
        claimed = await self._claim(username, password)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(SQL.forgive_attempts, username, claimed["token_epoch"]):
                raise NotAuthenticated(problem=_WRONG)
            return await self._open(connection, username, claimed["token_epoch"], must_change=claimed["must_change"])

    async def refresh(self, token: str) -> Tokens:
        """The next tokens of a session. Raises `NotAuthenticated`.

        A refresh token is good once. Shown again, somebody has a copy of it, and nobody can tell who: the session ends.
        """
        session, digest = tokens.split_secret(token)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.hold_session, session)
            now = await self._clock.now(connection)
            if row is None or row["ended_at"] or row["retired_at"] or row["expires_at"] <= now:
                raise NotAuthenticated(problem="The session has ended.")
            fits = compare_digest(row["refresh"], digest)
            if fits:
                shown, digest = tokens.new_secret(session)
                await connection.execute(SQL.rotate_session, session, digest)
            else:
                await connection.execute(SQL.end_session, session, now)
                await connection.execute(SQL.insert_access, now, row["username"], "session.reused", row["username"])
        if not fits:
            self._admission.forget()
            log.warning("refresh token shown again", account=row["username"])
            raise NotAuthenticated(problem="The session has ended: its refresh token was used before.")
        return self._tokens(row["username"], session, row["token_epoch"], shown, must_change=row["must_change"])

    async def log_out(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Ends the session of a request. Raises `NotAuthenticated` if it has none."""
        admitted = await self._admission.admit(headers, cookies, "DELETE")
        if admitted is None or admitted.session is None:
            raise NotAuthenticated(problem="There is no session to end.")
        name = admitted.principal.name
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            await connection.execute(SQL.end_session, admitted.session, now)
            await connection.execute(SQL.insert_access, now, name, "session.ended", name)
        self._admission.forget()

    async def change_password(self, username: str, old: str, new: str) -> Tokens:
        """Sets the password, ends every session of the account and opens a new one.

        Raises `BadInput` for a password that will not do, `NotAuthenticated` and `AccountLocked` as `log_in` does.
        """
        passwords.check(new, username)
        if new == old:
            raise BadInput(field="new_password", problem="is the old one")
        await self._claim(username, old)
        stored = await self._in_thread(lambda: passwords.hashed(new))
        async with self._pool.acquire() as connection, connection.transaction():
            epoch = await connection.fetchval(SQL.set_password, username, stored, False)
            if epoch is None:
                raise NotAuthenticated(problem=_WRONG)
            now = await self._clock.now(connection)
            await connection.execute(SQL.end_sessions, username, now)
            await connection.execute(SQL.insert_access, now, username, "password.changed", username)
            opened = await self._open(connection, username, epoch, must_change=False)
        self._admission.forget()
        return opened

    async def _claim(self, username: str, password: str) -> asyncpg.Record:
        """The account, if the password is right; the attempt is counted before that is known."""
        async with self._pool.acquire() as connection:
            now = await self._clock.now(connection)
            row = await connection.fetchrow(SQL.claim_attempt, username, now, MOST_ATTEMPTS, now + LOCKED_FOR)
            until = None if row else await connection.fetchval(SQL.locked_until, username)
        if until is not None:
            raise AccountLocked(until=until)
        if row is None:
            # As long as for a name that exists.
            await self._in_thread(lambda: passwords.hashed(password))
            log.warning("log-in failed", account=None)
            raise NotAuthenticated(problem=_WRONG)
        if await self._in_thread(lambda: passwords.fits(row["password_hash"], password)):
            return row
        action = "account.locked" if row["locked_until"] else "session.refused"
        await self._pool.execute(SQL.insert_access, now, username, action, username)
        log.warning("log-in failed", account=username, locked=row["locked_until"] is not None)
        raise NotAuthenticated(problem=_WRONG)

    async def _open(
        self,
        connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
        username: str,
        epoch: int,
        *,
        must_change: bool,
    ) -> Tokens:
        now = await self._clock.now(connection)
        session = secrets.token_hex(16)
        shown, digest = tokens.new_secret(session)
        await connection.execute(SQL.forget_sessions, username, now)
        await connection.execute(SQL.insert_session, session, username, digest, now, now + tokens.SESSION_LIFE)
        await connection.execute(SQL.insert_access, now, username, "session.opened", username)
        return self._tokens(username, session, epoch, shown, must_change=must_change)

    def _tokens(self, username: str, session: str, epoch: int, refresh: str, *, must_change: bool) -> Tokens:
        now: datetime = self._clock.wall()
        access = tokens.sign_access(self._keyring, username, session, epoch, now)
        csrf = tokens.csrf_token(self._keyring, session)
        return Tokens(access, refresh, csrf, int(tokens.ACCESS_LIFE.total_seconds()), must_change)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._hashing:
            return await asyncio.to_thread(work)
