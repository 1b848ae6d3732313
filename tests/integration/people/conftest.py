"""People over a fresh database, worked as the service's role, at a time that only tests move."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.store.clock import TravelClock
from dispatch.store.pool import open_pool

UNITS = [("city", None), ("hotline", "city"), ("dispatch", "city"), ("water", "city")]
AGENT = "operator1"


@pytest.fixture
async def service_pool(pool: "asyncpg.Pool[asyncpg.Record]", database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections with the rights of the service, to a database with a few units."""
    await pool.executemany("INSERT INTO units (code, name, parent) VALUES ($1, $1, $2)", UNITS)
    opened = await open_pool(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> TravelClock:
    return TravelClock(datetime.now(UTC))


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.generate()


@pytest.fixture
def people(service_pool: asyncpg.Pool, keyring: Keyring, clock: TravelClock) -> People:
    return People(service_pool, keyring, clock)


@pytest.fixture
def elsewhere(service_pool: asyncpg.Pool, keyring: Keyring, clock: TravelClock) -> People:
    """The same people in another process: with a memory of its own."""
    return People(service_pool, keyring, clock)


@pytest.fixture
async def password(people: People) -> str:
    """The password, changed once, of the account `operator1`."""
    first = await people.accounts.create("secadmin1", AGENT, "hotline", ["operator"])
    await people.sessions.change_password(AGENT, first, "Chosen-once-7")
    return "Chosen-once-7"
