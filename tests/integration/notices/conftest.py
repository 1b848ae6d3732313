"""Cases to tell about, people to tell, and webhooks that answer what a test wants."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry, Counter

from dispatch.domain.cases import Post
from dispatch.notices import post
from dispatch.notices.outbound import Outbound
from dispatch.notices.sending import Sender
from dispatch.notices.webhooks import add_webhook
from dispatch.people.keyring import Keyring
from dispatch.store.clock import TravelClock
from dispatch.store.pool import open_pool

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class City:
    """Units U1 and U2, an ordinary case 1 and a restricted case 2.

    `pool` is the owner's, for setting the scene; `service` that of the service's role, for what is tested.
    """

    def __init__(self, pool: asyncpg.Pool, service: asyncpg.Pool) -> None:
        self.pool = pool
        self.service = service

    async def make(self) -> None:
        await self.pool.execute(
            "INSERT INTO city_versions (version, name, digest, archive, valid_from, loaded_by)"
            " VALUES (1, 'test', '', '', $1, 'test')",
            NOON,
        )
        await self.pool.execute("INSERT INTO units (code, name) VALUES ('U1', 'U1'), ('U2', 'U2')")
        await self.pool.executemany(
            "INSERT INTO cases (id, case_no, opened_at, opened_month, state, seq, head, last_event_at, kind, urgency,"
            " city_version, restricted)"
            " VALUES ($1, 'C' || $1::bigint, $3, '2026-03-01', 'answered', 1, $4, $3, 'help', 'ordinary', 1, $2)",
            [(1, False, NOON, bytes(32)), (2, True, NOON, bytes(32))],
        )

    async def account(self, username: str, unit: str, *roles: str, retired: bool = False) -> None:
        await self.pool.execute(
            "INSERT INTO accounts (username, unit, roles, password_hash, retired_at)"
            " VALUES ($1, $2, $3, '$argon2id$none', $4)",
            username,
            unit,
            roles,
            NOON if retired else None,
        )

    async def post(
        self,
        unit: str = "U1",
        *roles: str,
        case: int = 1,
        seq: int = 1,
        topic: str = "deadline",
        at: datetime = NOON,
        **body: Any,
    ) -> int:
        told = Post(1, unit, roles or ("handler",), topic, {"case_no": f"C{case}", **body})
        return await post.insert(self.service, [(case, seq, told, at)])  # type: ignore[arg-type]

    async def rows(self, medium: str = "webhook") -> list[asyncpg.Record]:
        return list(
            await self.pool.fetch("SELECT * FROM notices WHERE medium = $1 ORDER BY event_seq, recipient", medium)
        )

    async def recipients(self, medium: str) -> list[str]:
        return [row["recipient"] for row in await self.rows(medium)]


class Receiver:
    """A webhook that takes down what it gets and answers by a script; after the script it answers 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.script: list[tuple[int, dict[str, str]]] = []

    async def receive(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        status, headers = self.script.pop(0) if self.script else (204, {})
        return web.Response(status=status, headers=headers)


class Office:
    """A sender, its clock, its counter and one registered webhook."""

    def __init__(self, city: City, receiver: Receiver, sender: Sender, clock: TravelClock, counter: Counter) -> None:
        self.city = city
        self.receiver = receiver
        self.sender = sender
        self.clock = clock
        self._counter = counter

    def counted(self, result: str) -> float:
        value: float = self._counter.labels("webhook", result)._value.get()
        return value

    async def at_next(self) -> int:
        """Travel to the next attempt of any notice and make it."""
        at = await self.city.pool.fetchval("SELECT min(next_at) FROM notices WHERE medium = 'webhook'")
        self.clock.travel(max(timedelta(), at - self.clock.at))
        return await self.sender.once()


@pytest.fixture
async def city(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[City]:
    async with await open_pool(database_url) as service:
        made = City(pool, service)
        await made.make()
        yield made


@pytest.fixture
async def office(city: City) -> AsyncIterator[Office]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    keyring, clock = Keyring.generate(), TravelClock(NOON)
    counter = Counter("notices", "Notices.", ["medium", "result"], registry=CollectorRegistry())
    async with TestServer(app) as server, Outbound(allow_private=True) as outbound:
        url = str(server.make_url("/hook"))
        await add_webhook(city.service, keyring, "w1", url, SECRET)  # type: ignore[arg-type]
        yield Office(city, receiver, Sender(city.service, outbound, keyring, clock, counter), clock, counter)
