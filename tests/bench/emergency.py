"""An emergency over many open cases: how long intake takes while they are swept, beside how long it takes without, in one run.

The service is one process, which takes reports in and sweeps; the load is another. Reports come at a fixed pace, what a city
sends in a busy hour and more, so that latencies are those of callers and not of a queue that the load itself makes. Limits are
long enough that no ladder of the swept cases fires meanwhile: levels are their own benchmark (`deadlines`).
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import asyncpg
import msgspec
import uvloop

from dispatch import embedded, server
from dispatch.demo import generator
from dispatch.people.people import People
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import open_pool
from dispatch.store.statements import load
from tests.bench.casework import SQL as GROUND
from tests.bench.casework import start
from tests.bench.intake import measure_ready, row
from tests.harness.town import KEYRING, archive, load_city, unpacked

SQL = load(__file__, "emergency")
PER_S, USUAL, ASKED = 40, 2_000, 3.0
ORDER = {
    "categories": ["E01"],
    "areas": ["990101"],
    "urgency": "critical",
    "reason": "演练",
    "limits": {"close": "480h", "reply": "470h"},
}


async def seed(url: str, cases: int) -> dict[str, str]:
    """The demo city with so many open cases; keys by role."""
    connection = await asyncpg.connect(url)
    await load_city(url, archive(), await SystemClock().now(connection))
    city = unpacked(archive(), 1)
    table = city.categories.get("E0110")
    assert table is not None
    for statement, values in (
        (GROUND.triggers_off, ()), (SQL.cases, (cases, table.table_version, sorted(city.units.units))), (SQL.tasks, ()), (SQL.clocks, ()),
        (GROUND.sequences, (cases,)), (GROUND.signed_today, ()),
    ):  # fmt: skip
        await connection.execute(statement, *values)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
    pool = await open_pool(url, size=2)
    keys = People(pool, KEYRING, SystemClock()).keys
    made = {}
    for role, unit in (("commander", "city"), ("connector", "hotline")):
        made[role] = (await keys.create("bench", role, unit, ["bench"], [role]))[1]
    await pool.close()
    return made


def reports(count: int, seed: int) -> Iterator[bytes]:
    """Reports of the generator's mix, made as they are sent."""
    return (msgspec.json.encode(made.report) for made in generator(seed, f"b{seed}", "bench").reports(count))


async def paced(base: str, key: str, sent: Iterator[bytes], until: asyncio.Event) -> list[float]:
    """Posts reports at the pace, until told to stop or all are sent; milliseconds each took, in order of size."""
    took: list[float] = []
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def post(session: aiohttp.ClientSession, body: bytes) -> None:
        began = perf_counter()
        async with session.post(f"{base}/reports", data=body) as answer:
            # The generator's mix has reports that are refused.
            assert answer.status < 500, await answer.text()
        took.append((perf_counter() - began) * 1000)

    async with aiohttp.ClientSession(headers=headers) as session:
        began, tasks = perf_counter(), list[asyncio.Task[None]]()
        for n, body in enumerate(sent):
            await asyncio.sleep(max(0.0, began + n / PER_S - perf_counter()))
            if until.is_set():
                break
            tasks.append(asyncio.create_task(post(session, body)))
        await asyncio.gather(*tasks)
    return sorted(took)


async def measure(base: str, keys: dict[str, str]) -> dict[str, Any]:
    """Usual latencies, then those during the sweep, which begins with the order."""
    never, swept = asyncio.Event(), asyncio.Event()
    await paced(base, keys["connector"], reports(400, 900), never)
    usual = await paced(base, keys["connector"], reports(USUAL, 901), never)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {keys['commander']}"}) as session:
        began = perf_counter()
        async with session.post(f"{base}/emergencies", json=ORDER | {"dry_run": True}) as answer:
            assert answer.status == 200, await answer.text()
            impact = (await answer.json())["impact"]
        foreseen_s, began = perf_counter() - began, perf_counter()
        async with session.post(f"{base}/emergencies", json=ORDER) as answer:
            assert answer.status == 201, await answer.text()
            id = (await answer.json())["emergency"]["id"]
        ordered_s = perf_counter() - began
        load = asyncio.create_task(paced(base, keys["connector"], reports(10**7, 902), swept))
        while not swept.is_set():
            await asyncio.sleep(0.5)
            async with session.get(f"{base}/emergencies/{id}") as answer:
                shown = await answer.json()
            print(f"\rswept {shown['done']:,} of {shown['total']:,}", end="", file=sys.stderr)
            if shown["swept"]:
                swept.set()
        seconds = perf_counter() - began
        during = await load
    print(file=sys.stderr)
    return {
        "usual": usual, "during": during, "cases": shown["done"], "seconds": seconds, "ordered_s": ordered_s, "foreseen_s": foreseen_s,
        "impact": impact["cases"],
    }  # fmt: skip


def run(cases: int) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}; the peer of intake during a sweep is intake without."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        at = embedded.start(data)
        try:
            asyncio.run(migrate(at.database_url))
            keys = uvloop.run(seed(at.database_url, cases))
            listening = server.bind("127.0.0.1", 0)
            base = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
            process = start("ours", at.database_url, at.redis_url, listening)
            listening.close()
            measure_ready(base)
            try:
                found = uvloop.run(measure(base, keys))
            finally:
                process.terminate()
                process.join(15)
            print(asyncio.run(_written(at.database_url)), file=sys.stderr)
        finally:
            embedded.stop(data)
    return _table(found, cases)


def _table(found: dict[str, Any], cases: int) -> list[dict[str, Any]]:
    usual, during = found["usual"], found["during"]
    rows = [
        row(
            f"intake beside a sweep of {cases:,} open cases: {name} ({PER_S} reports/s; asked at most {ASKED:.0f}×)",
            during[int(len(during) * share)], usual[int(len(usual) * share)], "ms",
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]  # fmt: skip
    for name, value, unit in (
        ("emergency: open cases swept", found["cases"] / found["seconds"], "cases/s"),
        ("emergency: the order itself", found["ordered_s"] * 1000, "ms"),
        (f"emergency: dry run over {found['impact']:,} cases", found["foreseen_s"], "s"),
    ):
        rows.append({"name": name, "ours": round(value, 1), "peer": 0.0, "ratio": None, "unit": unit})
    return rows


async def _written(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    written = dict(await connection.fetchrow(SQL.swept) or {})
    await connection.close()
    return written
