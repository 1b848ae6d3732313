"""Figures beside the least that each could cost, and what keeping them costs intake.

| measured                                             | its peer                                                          |
|------------------------------------------------------|-------------------------------------------------------------------|
| all units of one indicator for a month, over HTTP      | a bare endpoint with the indexed SELECT of the same rows            |
| everything about one unit for a month, over HTTP      | the same by the other index                                         |
| figures made anew from all events                      | the same rows fetched and their JSON decoded                        |
| intake while figures are kept                          | intake while nobody counts (somebody else holds the row)            |

Cases are made by intake itself and then copied, record and all, until there are as many as asked for, spread over 60 days.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from dispatch import embedded, server
from dispatch.city.versions import Cities
from dispatch.embedded.servers import Servers
from dispatch.indicators.keeping import SQL as KEEPING
from dispatch.indicators.keeping import Upkeep, bodies_of
from dispatch.indicators.rebuilding import CHUNK, rebuild
from dispatch.indicators.rules import Rulebook
from dispatch.live import relay
from dispatch.logs import configure_logs
from dispatch.people.people import People
from dispatch.settings import Settings
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import Connection, open_pool
from dispatch.store.statements import load
from tests.bench.casework import drive
from tests.bench.intake import POOL, bodies, measure, measure_ready, row, seed
from tests.bench.intake import _shown as shown
from tests.harness.town import KEYRING

SQL = load(__file__, "indicators")
READS, REPORTS, TURNS = 400, 5_000, 4
# Intake makes so many itself; the others are copies of them, put on one of so many days.
REAL, DAYS = 20_000, 60
INDICATOR, UNIT = "on_time_sign", "drainage"


async def copy(url: str, cases: int) -> str:
    """As many cases as asked for, with their record; a key for reading."""
    connection = await asyncpg.connect(url)
    began = perf_counter()
    await connection.execute(SQL.triggers_off)
    highest, real = await connection.fetchrow(SQL.present) or (0, 1)
    for nth in range(1, -(-cases // real)):
        values = nth * 10_000_000, highest, nth % DAYS
        await connection.execute(SQL.copy_cases, *values[:2])
        await connection.execute(SQL.copy_events, *values)
    await connection.execute(SQL.triggers_on)
    await connection.execute("VACUUM ANALYZE")
    print(f"copied in {perf_counter() - began:.0f} s", file=sys.stderr)
    await connection.close()
    pool = await open_pool(url, size=1)
    keys = People(pool, KEYRING, SystemClock()).keys
    _, key = await keys.create("bench", "figures", "supervision", ["bench"], ["supervisor"])
    await pool.close()
    return key


async def read(connection: Connection) -> int:
    """The least: every event fetched and decoded."""
    behind, events, decode = 0, 0, msgspec.json.Decoder().decode
    while cases := await connection.fetch(KEEPING.cases_after, behind, CHUNK):
        for each in (await bodies_of(connection, cases)).values():
            events += len(each)
            for body in each:
                decode(body)
        behind = cases[-1]["id"]
    return events


async def remake(url: str) -> list[dict[str, Any]]:
    """Everything made anew, twice: the second time nothing may differ."""
    pool = await open_pool(url, size=1)
    try:
        async with pool.acquire() as connection:
            book = Rulebook(await Cities.open(connection))
            began = perf_counter()
            events = await read(connection)
            least = events / (perf_counter() - began)
            before, began = _held(), perf_counter()
            async with connection.transaction():
                made = await rebuild(connection, book)
            rate, grown = made.events / (perf_counter() - began), _held() - before
            async with connection.transaction():
                again = await rebuild(connection, book)
            assert not again.differences, again.differences[:3]
            figures = await connection.fetchval(SQL.how_many)
            print(f"{made.cases:,} cases, {made.events:,} events, {figures:,} figures", file=sys.stderr)
            await connection.execute(SQL.nothing_due)
    finally:
        await pool.close()
    return [
        row(f"figures made anew, {made.events:,} events", rate, least, "events/s"),
        {"name": "memory beyond that (lower is better)", "ours": grown, "peer": 0.0, "ratio": None, "unit": "MB"},
    ]


async def peer(url: str, listening: Any) -> None:
    """The bare indexed reads."""
    pool = await asyncpg.create_pool(url, min_size=POOL, max_size=POOL)

    async def indicators(request: web.Request) -> web.Response:
        days = [date.fromisoformat(request.query[name]) for name in ("from", "to")]
        if "key" in request.query:
            found = await pool.fetch(SQL.bare_unit, request.query["key"], *days)
        else:
            found = await pool.fetch(SQL.bare_page, request.query["indicator"], *days)
        return web.json_response({"items": [dict(each) for each in found]})

    app = web.Application()
    app.router.add_get("/api/v1/stats/indicators", indicators)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    await asyncio.Event().wait()


def start(target: str, at: Servers, listening: Any) -> multiprocessing.process.BaseProcess:
    """A server process: ours, ours without any figures, or the peer of the reads."""

    def work() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if target == "peer":
            uvloop.run(peer(at.database_url, listening))
        if target == "without":
            relay.SQL.sent = SQL.sent_before_there_were_figures
            Upkeep.run = _nothing  # type: ignore[method-assign, assignment]
        configure_logs("warning")
        settings = Settings(at.database_url, at.database_url, at.redis_url, pool_size=POOL)
        uvloop.run(server.serve(settings, KEYRING, listening))

    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start()
    return process


async def _nothing(_: Upkeep, stop: asyncio.Event) -> None:
    await stop.wait()


@contextmanager
def serving(target: str, at: Servers) -> Iterator[tuple[str, int]]:
    """The address of a server that answers, and its process."""
    listening = server.bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
    process = start(target, at, listening)
    listening.close()
    try:
        measure_ready(address)
        assert process.pid is not None
        yield address, process.pid
    finally:
        process.terminate()
        process.join(15)
        if process.is_alive():
            process.kill()


def intakes(at: Servers, key: str, postmaster: int) -> list[dict[str, Any]]:
    """With and without figures, turn by turn: reports a second, and processor time a report, which neighbours do not disturb."""
    rates: dict[str, list[float]] = {"ours": [], "without": []}
    worked: dict[str, list[float]] = {"ours": [], "without": []}
    for turn in range(TURNS):
        for target in sorted(rates, reverse=turn % 2 == 1):
            with serving(target, at) as (address, server_):
                measure(f"{address}/reports", key, bodies(300, 1_000 + turn * 10 + len(target)))
                before = _worked(server_, postmaster)
                result = measure(f"{address}/reports", key, bodies(REPORTS, 2_000 + turn * 10 + len(target)))
                worked[target].append((_worked(server_, postmaster) - before) / REPORTS * 1_000)
            rates[target].append(result["per_s"])
            print(target, f"{worked[target][-1]:.3f} ms of processor time a report", result, file=sys.stderr)
    middle = {target: (statistics.median(rates[target]), statistics.median(worked[target])) for target in rates}
    name = f"while figures are kept, the middle of {TURNS} turns"
    return [
        row(f"intake {name}", middle["ours"][0], middle["without"][0], "requests/s"),
        row(f"processor time a report {name}", middle["ours"][1], middle["without"][1], "ms"),
    ]


def _worked(server_: int, postmaster: int) -> float:
    """Seconds of processor time of the service and of PostgreSQL with all that it started, also what has ended since."""
    total = 0
    for process in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            if process.name.isdecimal():
                parts = (process / "stat").read_text().rpartition(")")[2].split()
                parent, times = int(parts[1]), [int(each) for each in parts[11:15]]
                if int(process.name) == postmaster:
                    total += sum(times)
                elif postmaster == parent or int(process.name) == server_:
                    total += sum(times[:2])
    return total / os.sysconf("SC_CLK_TCK")


def reads(at: Servers, key: str) -> list[dict[str, Any]]:
    """The 95th percentile of each page beside its bare read, the better of two turns."""
    today = datetime.now(UTC).date()
    period = f"from={today - timedelta(days=29)}&to={today}&dimension=unit"
    pages = {
        "all units, one indicator, a month": f"/stats/indicators?{period}&indicator={INDICATOR}",
        "one unit, every indicator, a month": f"/stats/indicators?{period}&key={UNIT}",
    }
    best: dict[tuple[str, str], float] = {}
    for target in ("peer", "ours") * 2:
        with serving(target, at) as (address, _):
            for name, path in pages.items():
                requests: list[tuple[str, str, Any]] = [("GET", path, None)] * READS
                asyncio.run(drive(address, key, requests[:40], 1))
                found = asyncio.run(drive(address, key, requests, 1))
                print(target, name, found, file=sys.stderr)
                best[target, name] = min(found["p95"], best.get((target, name), found["p95"]))
    return [row(f"{name}: p95 (lower is better)", best["ours", name], best["peer", name], "ms") for name in pages]


def remade(url: str) -> list[dict[str, Any]]:
    """In a process of its own: it measures resident memory."""
    script = "import json, sys, uvloop; from tests.bench.indicators import remake; print(json.dumps(uvloop.run(remake(sys.argv[1]))))"
    done = subprocess.run([sys.executable, "-c", script, url], stdout=subprocess.PIPE, check=True, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _held() -> float:
    """The most this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(cases: int) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        at = embedded.start(data)
        try:
            uvloop.run(migrate(at.database_url))
            print("PostgreSQL:", asyncio.run(shown(at.database_url)), file=sys.stderr)
            key = uvloop.run(seed(at.database_url, min(cases, REAL)))
            postmaster = int(next(data.rglob("postmaster.pid")).read_text().split()[0])
            rows = intakes(at, key, postmaster)
            reading = uvloop.run(copy(at.database_url, cases))
            rows += remade(at.database_url)
            return rows + reads(at, reading)
        finally:
            embedded.stop(data)
