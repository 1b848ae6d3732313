"""Who sends a request: from a bearer token, an API key, or the console's cookie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

import asyncpg

from dispatch.domain.errors import NotAuthenticated
from dispatch.people import tokens
from dispatch.people.keyring import Keyring
from dispatch.people.permissions import permissions_of
from dispatch.people.principal import Principal
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "accounts")
SESSION_COOKIE = "dispatch_session"
CSRF_HEADER = "X-CSRF-Token"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# How long another process may go on admitting who was retired, logged out, or changed the password.
TRUST = timedelta(seconds=30)
MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Admitted:
    """A principal, the session it came in (None for keys), and until when both need not be looked up again."""

    principal: Principal
    session: str | None
    until: datetime


class Admission:
    """Looks principals up and remembers them for 30 seconds, so that a request makes no statement of its own."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", keyring: Keyring, clock: Clock) -> None:
        self._pool = pool
        self._keyring = keyring
        self._clock = clock
        # By digest: the tokens themselves are kept nowhere.
        self._known: dict[bytes, Admitted] = {}

    async def admit(self, headers: Mapping[str, str], cookies: Mapping[str, str], method: str) -> Admitted | None:
        """Who it is, or nothing if no proof was shown at all. Raises `NotAuthenticated` for a proof that is none.

        The cookie is good for changes only together with `X-CSRF-Token`: a browser sends it whoever's page asks.
        """
        shown = headers.get("Authorization")
        if shown is not None:
            scheme, _, token = shown.partition(" ")
            if scheme.lower() != "bearer":
                raise NotAuthenticated(problem="Only bearer tokens are taken.")
            return await self._look_up(token)
        cookie = cookies.get(SESSION_COOKIE)
        if not cookie:
            return None
        admitted = await self._look_up(cookie)
        if method not in READING and not (
            admitted.session and tokens.csrf_token_valid(self._keyring, admitted.session, headers.get(CSRF_HEADER, ""))
        ):
            raise NotAuthenticated(problem=f"The header {CSRF_HEADER} is missing or of another session.")
        return admitted

    def forget(self) -> None:
        """Looks everybody up anew: somebody's rights changed."""
        self._known.clear()

    async def _look_up(self, token: str) -> Admitted:
        if not token.isascii():
            raise NotAuthenticated(problem="The token is not one of this service.")
        known_by, now = tokens.digest(token), self._clock.wall()
        known = self._known.get(known_by)
        if known is not None and now < known.until:
            return known
        self._known.pop(known_by, None)
        find = self._key if token.startswith(tokens.KEY_PREFIX) else self._session
        found = await find(token, now)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[known_by] = found
        return found

    async def _key(self, token: str, now: datetime) -> Admitted:
        key_id, digest = tokens.split_secret(token, tokens.KEY_PREFIX)
        row = await self._pool.fetchrow(SQL.select_key, key_id)
        if row is None or not compare_digest(row["secret"], digest):
            raise NotAuthenticated(problem="The key is unknown or retired.")
        roles = frozenset(row["roles"])
        channels = frozenset(row["channels"])
        principal = Principal(f"key:{key_id}", "key", row["unit"], roles, permissions_of(roles), channels)
        return Admitted(principal, None, now + TRUST)

    async def _session(self, token: str, now: datetime) -> Admitted:
        access = tokens.read_access(self._keyring, token, now)
        row = await self._pool.fetchrow(SQL.select_session, access.sid, now)
        if row is None or (row["username"], row["token_epoch"]) != (access.sub, access.epoch):
            raise NotAuthenticated(problem="The session has ended.")
        roles, must_change = frozenset(row["roles"]), row["must_change"]
        # Whoever forgets to ask `must_change` finds that nothing is permitted.
        permissions = frozenset() if must_change else permissions_of(roles)
        principal = Principal(row["username"], "account", row["unit"], roles, permissions, must_change=must_change)
        return Admitted(principal, access.sid, min(now + TRUST, datetime.fromtimestamp(access.exp, UTC)))
