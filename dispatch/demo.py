"""The demonstration: a keyring and secrets of its own folder, the demo city, accounts of all roles, a gentle stream of reports.

Nothing here has a fixed secret: passwords and keys are made at random the first time and kept in the data folder, mode 0600.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from secrets import token_hex

import asyncpg
import structlog
from aiohttp import ClientSession
from rich.console import Console
from rich.table import Table

from connectors.generator.feeder import feed
from connectors.generator.places import places_from
from connectors.generator.stream import Generator
from dispatch.casework.moves import mover
from dispatch.city import load as loading
from dispatch.city.archive import pack
from dispatch.city.versions import SQL as CITIES
from dispatch.city.versions import Cities
from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool

CITY = Path(__file__).parent.parent / "config" / "city" / "demo"
RATE = 0.5
console = Console(stderr=True)
log = structlog.get_logger()


def keyring_of(data: Path) -> Keyring:
    """The keyring of a data folder, made the first time."""
    path = data / "keyring.json"
    if not path.exists():
        _keep(path, Keyring.generate().to_json())
    return Keyring.parse(path.read_bytes())


def _kept(path: Path) -> dict[str, str]:
    """The secrets that an earlier start left, none the first time."""
    secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return secrets


def _keep(path: Path, text: str) -> None:
    """Writes a secret whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


async def prepare(
    database_url: str, keyring: Keyring, data: Path, url: str
) -> Callable[[], Coroutine[None, None, None]]:
    """Loads the demo city and its accounts if they are missing; returns what runs beside the service once it serves."""
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    try:
        # Only the first city is loaded here: cutting and comparing thousands of cells would hold up every later start.
        if await connection.fetchrow(CITIES.newest) is None:
            what = await loading.plan(connection, await asyncio.to_thread(pack, CITY))
            async with connection.transaction():
                await loading.apply(
                    connection, what, by="demo", now=await SystemClock().now(connection), move=mover(keyring)
                )
    finally:
        await connection.close()
    secrets = await _accounts(database_url, keyring, data / "accounts.json")

    async def beside() -> None:
        _welcome(url, secrets, data)
        await _stream(url, secrets["demo"])

    return beside


async def _accounts(database_url: str, keyring: Keyring, path: Path) -> dict[str, str]:
    """Passwords and keys of the demo, by account; decided before they are loaded, so that a crash in between loses none."""
    known = _kept(path)
    if "demo" in known:  # the key of the stream is written last
        return known
    pool = await open_pool(database_url, size=2)
    try:
        cities = await Cities.open(pool)
        people = [a for a in cities.current.demo_accounts if a.role != "connector"]
        given = {a.username: known.get(a.username) or f"Demo-{token_hex(4)}" for a in people}
        _keep(path, json.dumps({**known, **given}, indent=1))
        made = await People(pool, keyring, SystemClock()).load(cities.current.demo_accounts, given, must_change=False)
        machines = {a.username: a.unit for a in cities.current.demo_accounts if a.role == "connector"}
        secrets = {**known, **given, **{name: made[name] for name in machines if name in made}}
        for name in (
            machines.keys() - secrets.keys()
        ):  # made by a start that was cut off before it could write them down
            _, secrets[name] = await People(pool, keyring, SystemClock()).keys.create(
                "demo", name, machines[name], [name]
            )
        _keep(path, json.dumps(secrets, indent=1))
        return secrets
    finally:
        await pool.close()


def _welcome(url: str, secrets: dict[str, str], data: Path) -> None:
    console.print(
        f"\nCity dispatch 一网统管 serves at {url} (its operations: {url}/docs)\n", highlight=False, soft_wrap=True
    )
    table = Table("account 账号", "password 口令")
    for name in _one_of_each(secrets):
        table.add_row(name, secrets[name])
    console.print(table)
    console.print(f"all accounts: {data / 'accounts.json'}\n\nTry 试一试:", highlight=False, soft_wrap=True)
    for line in commands(url, secrets):
        console.print(line + "\n", highlight=False, soft_wrap=True, markup=False)


def _one_of_each(secrets: dict[str, str]) -> list[str]:
    wanted = ("operator1", "dispatcher1", "urban-management-handler", "urban-management-head", "reviewer1", "followup1", "collector1",
              "supervisor1", "commander1", "sysadmin1", "secadmin1", "auditor1")  # fmt: skip
    return [name for name in wanted if name in secrets]


def commands(url: str, secrets: dict[str, str]) -> list[str]:
    """Three commands to copy: send a report, list what came in, see where everything stands."""
    report = {
        "channel": "demo",
        "external_id": f"try-{token_hex(3)}",
        "category": "E0506",
        "text": "路口积水很深，车辆过不去",
        "location": {"lon": 116.19, "lat": 33.13},
    }
    person = json.dumps({"username": "dispatcher1", "password": secrets["dispatcher1"]})
    as_json = "-H 'Content-Type: application/json'"
    token = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])'"
    log_in = f"TOKEN=$(curl -s {url}/api/v1/session {as_json} -d '{person}' | {token})"
    sent = json.dumps(report, ensure_ascii=False)
    return [
        f"curl -s {url}/api/v1/reports -H 'Authorization: Bearer {secrets['demo']}' {as_json} -d '{sent}'",
        f"{log_in}; curl -s '{url}/api/v1/cases?limit=5' -H \"Authorization: Bearer $TOKEN\"",
        f"{log_in}; curl -s '{url}/api/v1/snapshot?limit=3' -H \"Authorization: Bearer $TOKEN\"",
    ]


async def _stream(url: str, key: str) -> None:
    """One generated report every two seconds, until the service stops."""
    stop = asyncio.Event()
    try:
        # Reading the city takes a second, in which the service already answers.
        made = await asyncio.to_thread(generator, random.randrange(10**9), token_hex(4))
        reports = made.reports()
        async with ClientSession() as client:
            await feed(client, url, key, RATE, reports, stop)
    finally:
        stop.set()


def generator(seed: int, run: str, channel: str = "demo", folder: Path = CITY) -> Generator:
    """Realistic reports over the demo city, with their truth."""
    from dispatch.city.read import read_city

    features = json.loads((folder / "areas.geojson").read_text("utf-8"))["features"]
    city, _ = read_city(folder)
    assert city is not None
    subjects = [
        (c.code, c.name, c.branch) for c in city.categories if c.table_version == city.categories.current[c.branch]
    ]
    return Generator(places_from(features, seed), subjects, seed, channel=channel, run=run)
