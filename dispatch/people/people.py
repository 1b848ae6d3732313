"""The room's front door: everything about people that the service is wired with."""

from collections.abc import Iterable, Mapping

import asyncpg

from dispatch.people.accounts import SYSTEM, Accounts, CityAccount
from dispatch.people.admission import Admission
from dispatch.people.keyring import Keyring
from dispatch.people.keys import Keys
from dispatch.people.principal import Principal
from dispatch.people.rosters import Rosters
from dispatch.people.sessions import Sessions
from dispatch.store.clock import Clock

MACHINE = "connector"


class People:
    """Accounts, sessions, keys and rosters over one database, sharing what is remembered of who was admitted."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", keyring: Keyring, clock: Clock) -> None:
        self._admission = Admission(pool, keyring, clock)
        self.sessions = Sessions(pool, keyring, clock, self._admission)
        self.accounts = Accounts(pool, clock, self._admission)
        self.keys = Keys(pool, clock, self._admission)
        self.rosters = Rosters(pool, clock)

    async def authenticate(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], method: str
    ) -> Principal | None:
        """Who sends a request, or nothing if it shows no proof. Raises `NotAuthenticated` for a proof that is none."""
        admitted = await self._admission.admit(headers, cookies, method)
        return admitted.principal if admitted else None

    async def load(
        self, accounts: Iterable[CityAccount], given: Mapping[str, str] | None = None, *, must_change: bool = True
    ) -> dict[str, str]:
        """Makes the accounts of a city that do not exist yet; returns their passwords by user name.

        A `connector` is a machine: it gets a key of this name, for the channel of this name, and the key is returned.
        """
        wanted = list(accounts)
        made = await self.accounts.load(
            [each for each in wanted if each.role != MACHINE], given, must_change=must_change
        )
        known = await self.keys.names()
        for machine in wanted:
            if machine.role == MACHINE and machine.username not in known:
                _, made[machine.username] = await self.keys.create(
                    SYSTEM, machine.username, machine.unit, [machine.username]
                )
        return made
