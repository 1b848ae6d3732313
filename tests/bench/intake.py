"""HTTP intake beside a bare aiohttp endpoint that does one asyncpg INSERT a request: same server, pool, body, durability.

python -m tests.bench.intake [--cases 100000] [--reports 6000]
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from dispatch import bootstrap, embedded, server
from dispatch.demo import generator
from dispatch.domain.reports import Report
from dispatch.logs import configure_logs
from dispatch.people.people import People
from dispatch.settings import Settings
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import open_pool
from tests.bench.load import CLIENTS
from tests.harness.town import KEYRING, archive, load_city, principal

POOL = 8
SHOWN = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "server_version")


def bodies(count: int, seed: int) -> list[bytes]:
    """Reports of the generator's mix."""
    return [msgspec.json.encode(made.report) for made in generator(seed, f"b{seed}", "bench").reports(count)]


def burst(count: int, seed: int) -> list[bytes]:
    """Reports of one matter by different people, each saying what kind it is: the storm of one neighbourhood."""
    made = generator(seed, f"x{seed}", "bench").burst(2 * count)
    return [msgspec.json.encode(one.report) for one in made if one.report.get("category")][:count]


async def peer(url: str, listening: Any) -> None:
    """The ceiling: read the body, insert it, answer."""
    pool = await asyncpg.create_pool(url, min_size=POOL, max_size=POOL)

    async def take(request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        number = await pool.fetchval("INSERT INTO bare (body) VALUES ($1::jsonb) RETURNING id", body)
        return web.json_response({"id": number}, status=201)

    app = web.Application()
    app.router.add_post("/api/v1/reports", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    await asyncio.Event().wait()


def start(target: str, url: str, listening: Any) -> multiprocessing.process.BaseProcess:
    """A server process: ours or the peer."""

    def work() -> None:
        if target == "peer":
            uvloop.run(peer(url, listening))
        configure_logs("warning")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        uvloop.run(server.serve(Settings(url, url, REDIS, pool_size=POOL), KEYRING, listening))

    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start()
    return process


REDIS: str | None = None


def measure(url: str, key: str, sent: list[bytes], clients: int = CLIENTS) -> dict[str, Any]:
    """The load, from a process of its own."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(b"\n".join(sent))
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load", url, key, file.name, str(clients)],
            capture_output=True,
            check=True,
        )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


async def seed(url: str, cases: int) -> str:
    """The demo city, `cases` cases of the generator's mix, and a key; returns the key."""
    await load_city(url, archive(), await SystemClock().now(await asyncpg.connect(url)))
    pool = await open_pool(url, size=4)
    _, key = await People(pool, KEYRING, SystemClock()).keys.create("bench", "bench", "hotline", ["bench"])
    await pool.close()
    await fill(url, cases)
    return key


async def fill(url: str, cases: int, seed: int = 1) -> None:
    """Takes reports in, those of another seed than before, until there are `cases` cases."""
    filler = principal("connector", "hotline", name="seed")
    async with bootstrap.services(Settings(url, url, None, pool_size=4), KEYRING) as services:
        stop = asyncio.Event()
        committing = asyncio.create_task(services.intake.run(stop))
        made = generator(seed, f"seed{seed}", "bench").reports(10**9)
        began = perf_counter()
        present = 0
        while present < cases:
            batch = [msgspec.convert(next(made).report, Report) for _ in range(min(2000, max(50, cases - present)))]
            await services.intake.submit_all(batch, filler)
            present = await services.pool.fetchval("SELECT count(*) FROM cases")
            print(f"\rseeding {present:,} of {cases:,} cases, {perf_counter() - began:.0f} s", end="", file=sys.stderr)
        stop.set()
        await committing
        print(file=sys.stderr)


def run(cases: int, reports: int) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}."""
    global REDIS
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        found = embedded.start(data)
        REDIS = found.redis_url
        try:
            return _rows(found.database_url, cases, reports)
        finally:
            embedded.stop(data)


def _rows(url: str, cases: int, reports: int) -> list[dict[str, Any]]:
    asyncio.run(migrate(url))
    settings = asyncio.run(_shown(url))
    print("PostgreSQL:", settings, file=sys.stderr)
    key = uvloop.run(seed(url, cases))
    asyncio.run(_vacuum(url))
    results: dict[str, dict[str, Any]] = {}
    for turn in range(2):
        for target in ("peer", "ours"):
            listening = server.bind("127.0.0.1", 0)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1/reports"
            process = start(target, url, listening)
            listening.close()
            measure_ready(address)
            measure(address, key, bodies(500, 100 + turn * 10 + len(target)))
            result = measure(address, key, bodies(reports, 200 + turn * 10 + len(target)))
            print(target, result, file=sys.stderr)
            if target not in results or result["per_s"] > results[target]["per_s"]:
                results[target] = result
            if target == "ours" and turn == 1:
                before = asyncio.run(_count(url))
                storm = measure(address, key, burst(500, 300))
                results["storm"] = storm | {"cases": asyncio.run(_count(url)) - before}
                print("storm", results["storm"], file=sys.stderr)
            process.terminate()
            process.join(15)
            if process.is_alive():
                process.kill()
    ours, theirs, storm = results["ours"], results["peer"], results["storm"]
    return [
        row("intake, one report a request, 64 clients", ours["per_s"], theirs["per_s"], "requests/s"),
        row("intake p99 (lower is better)", ours["p99_ms"], theirs["p99_ms"], "ms"),
        row("one matter, 500 reports: cases opened", storm["cases"], 1, "cases"),
        row("one matter, 500 reports", storm["per_s"], theirs["per_s"], "requests/s"),
    ]


def row(name: str, ours: float, theirs: float, unit: str) -> dict[str, Any]:
    """One line of the table."""
    return {
        "name": name,
        "ours": round(ours, 1),
        "peer": round(theirs, 1),
        "ratio": round(ours / theirs, 2),
        "unit": unit,
    }


def measure_ready(address: str) -> None:
    """Waits until the server answers anything at all."""
    deadline = perf_counter() + 60
    while perf_counter() < deadline:
        if subprocess.run(["curl", "-s", "-o", "/dev/null", address], check=False).returncode == 0:
            return
    raise TimeoutError(address)


async def _shown(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, body jsonb NOT NULL)")
    shown = {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}
    await connection.close()
    return shown


async def _vacuum(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    count: int = await connection.fetchval("SELECT count(*) FROM cases")
    await connection.close()
    return count


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--reports", type=int, default=6_000)
    given = options.parse_args()
    for line in run(given.cases, given.reports):
        print(json.dumps(line, ensure_ascii=False))
