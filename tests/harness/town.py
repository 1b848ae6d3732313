"""A service in the test's own process: real PostgreSQL and Redis, the demo city, a clock that the test moves."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import ClientResponse, ClientSession, web

from dispatch import bootstrap
from dispatch.bootstrap import Services
from dispatch.casework.moves import mover
from dispatch.casework.registry import ACTIONS
from dispatch.casework.sweeping import Sweeper
from dispatch.city import load as loading
from dispatch.city import versions
from dispatch.city.archive import pack, unpack
from dispatch.city.model import City
from dispatch.domain.errors import Unavailable
from dispatch.people.keyring import Keyring
from dispatch.people.permissions import PERMISSIONS
from dispatch.people.principal import Principal
from dispatch.settings import Settings
from dispatch.store.clock import TravelClock

DEMO = Path(__file__).parents[2] / "config" / "city" / "demo"
# A working Wednesday, ten in the morning in Shanghai, in a year whose calendar is published.
START = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
KEYRING = Keyring.generate()
# A point well inside a cell of the demo city, and its street office.
PLACE = {"lon": 116.19, "lat": 33.13}
_numbers = itertools.count(1)
# The form of a lead's reply: a matter that was found and solved.
REPLY: dict[str, Any] = {
    "note": "已经处理",
    "finding": "founded",
    "outcome": "solved",
    "answer": "积水已经排除，感谢您的反映",
}
# Actions of a unit: their version is that of its task.
OF_UNIT = frozenset(name for name, action in ACTIONS.items() if action.of_unit)


@cache
def archive(folder: Path = DEMO) -> bytes:
    """The archive of a city folder, packed once a process."""
    return pack(folder)


@cache
def unpacked(data: bytes, version: int) -> City:
    """The city of an archive, unpacked once a process: it is immutable."""
    return unpack(data, version)


async def load_city(database_url: str, data: bytes, at: datetime = START) -> None:
    """Puts an archive in force in a test's database."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    try:
        async with connection.transaction():
            what = await loading.plan(connection, data)
            await loading.apply(connection, what, by="test", now=at, move=mover(KEYRING))
    finally:
        await connection.close()


def principal(role: str, unit: str, *, name: str | None = None, channels: frozenset[str] = frozenset()) -> Principal:
    """Somebody with one role, without an account."""
    kind = "key" if role in ("connector", "replayer") else "account"
    return Principal(name or f"{role}-{unit}", kind, unit, frozenset({role}), frozenset(PERMISSIONS[role]), channels)  # type: ignore[index, arg-type]


def report(**fields: Any) -> dict[str, Any]:
    """A report in its wire form with a key of its own; an ordinary one of a category routed by place, unless told otherwise."""
    made: dict[str, Any] = {
        "channel": "demo",
        "external_id": f"t-{next(_numbers)}",
        "category": "E0506",
        "text": "路口积水很深",
        "location": dict(PLACE),
    }
    made |= fields
    return {k: v for k, v in made.items() if v is not None}


@dataclass
class Town:
    """A running service and ways to talk to it as its users do."""

    services: Services
    clock: TravelClock
    url: str
    http: ClientSession
    database_url: str
    principals: dict[str, Principal] = field(default_factory=dict)
    sweeper: Sweeper | None = None

    def acts_as(self, who: Principal) -> dict[str, str]:
        """Headers of requests by `who`."""
        self.principals[who.name] = who
        return {"X-Test-Principal": who.name}

    async def send(self, made: dict[str, Any], who: Principal | None = None) -> tuple[int, dict[str, Any]]:
        """POST /reports; the status and the body."""
        async with self.http.post(
            f"{self.url}/api/v1/reports", json=made, headers=self.acts_as(who or CONNECTOR)
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str, who: Principal) -> tuple[int, Any]:
        """GET a path below /api/v1; the status and the body."""
        async with self.http.get(f"{self.url}/api/v1{path}", headers=self.acts_as(who)) as answer:
            return answer.status, await answer.json(content_type=None)

    async def act(
        self,
        case_no: str,
        action: str,
        who: Principal,
        *,
        version: int | None = None,
        key: str | None = None,
        **body: Any,
    ) -> tuple[int, Any]:
        """POST an action with the current version unless one is given; the status and the body."""
        headers = self.acts_as(who)
        if version is None:
            version = await self.version_for(case_no, action, who)
        headers["If-Match"] = f'"{version}"'
        if key:
            headers["Idempotency-Key"] = key
        async with self.http.post(
            f"{self.url}/api/v1/cases/{case_no}/actions/{action}", json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def version_for(self, case_no: str, action: str, who: Principal) -> int:
        """The version that If-Match wants: of the assignment of `who`'s unit for actions of a unit, else of the case."""
        if action not in OF_UNIT:
            return int(await self.value("SELECT version FROM cases WHERE case_no = $1", case_no))
        return int(
            await self.value(
                "SELECT a.version FROM assignments a JOIN cases c ON c.id = a.case_id"
                " WHERE c.case_no = $1 AND a.unit = $2 ORDER BY a.id DESC LIMIT 1",
                case_no,
                who.unit,
            )
        )

    async def fire(self) -> int:
        """Lets every deadline act that is due at the present of the test."""
        fired = 0
        while count := await self.services.deadlines.fire(100):
            fired += count
        return fired

    async def sweep(self) -> int:
        """Lets emergencies be swept as far as it goes at the present of the test."""
        assert self.sweeper is not None
        return await self.sweeper.run()

    async def rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Looks into the database as its owner."""
        async with self._owner() as connection:
            return await connection.fetch(statement, *values)

    async def value(self, statement: str, *values: Any) -> Any:
        """One value of the database."""
        async with self._owner() as connection:
            return await connection.fetchval(statement, *values)

    @asynccontextmanager
    async def _owner(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.database_url, server_settings={"timezone": "UTC"})
        try:
            yield connection
        finally:
            await connection.close()


CONNECTOR = principal("connector", "hotline", channels=frozenset({"demo", "app", "sensor"}))
REPLAYER = principal("replayer", "hotline", channels=frozenset({"history"}))


@asynccontextmanager
async def town(
    database_url: str, redis_url: str | None, *, clock: TravelClock | None = None, loaded: bool = False
) -> AsyncIterator[Town]:
    """A service on `database_url` with the demo city; deadline loop and sweeps stand still, tests call `fire` and `sweep`."""
    if not loaded:
        await load_city(database_url, archive())
    versions.unpack = unpacked  # type: ignore[attr-defined]  # the same immutable city, read once a process
    clock = clock or TravelClock(START)
    with tempfile.TemporaryDirectory(prefix="files-") as folder:
        settings = Settings(
            database_url,
            database_url,
            redis_url,
            Path(folder, "files").as_uri(),
            pool_size=6,
            allow_private_webhooks=True,
        )
        async with _serving(settings, clock) as made:
            yield made


@asynccontextmanager
async def _serving(settings: Settings, clock: TravelClock) -> AsyncIterator[Town]:
    async with bootstrap.services(settings, KEYRING, clock) as services:
        services.loop = _Still()  # type: ignore[assignment]
        made = Town(services, clock, "", None, settings.database_url)  # type: ignore[arg-type]
        made.sweeper, services.sweeper = services.sweeper, _Still()  # type: ignore[assignment]
        real = services.people.authenticate

        async def authenticate(headers: Any, cookies: Any, method: str) -> Principal | None:
            name = headers.get("X-Test-Principal")
            return made.principals[name] if name else await real(headers, cookies, method)

        services.people.authenticate = authenticate  # type: ignore[method-assign]
        async with bootstrap.running(services) as app:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                async with asyncio.timeout(20):
                    await _listening(services)
                async with ClientSession() as http:
                    made.http = http
                    yield made
            finally:
                services.hub.dismiss()
                await runner.cleanup()


async def _listening(services: Services) -> None:
    """Returns once live clients are taken."""
    while True:
        with suppress(Unavailable):
            services.hub.position()
            return
        await asyncio.sleep(0.01)


class _Still:
    """In place of the deadline loop and the sweeper, so that nothing acts while a test looks."""

    async def run(self, stop: asyncio.Event | None = None) -> int:
        if stop is not None:
            await stop.wait()
        return 0

    def hint(self) -> None:
        return None


async def json_of(answer: ClientResponse) -> Any:
    """The body of an answer, whatever its content type says."""
    return await answer.json(content_type=None)
