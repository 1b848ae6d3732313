"""An action, a page of a queue and a search over HTTP, each beside a bare endpoint that does its least: same pool, loop, durability.

| measured                                             | its peer                                                     |
|------------------------------------------------------|--------------------------------------------------------------|
| `contact`: load, check, write, log, outbox, commit    | SELECT … FOR UPDATE and two writes in one transaction         |
| the first 50 of a unit's queue, with words and lights | the indexed SELECT of 50 rows                                |
| a search by words, the first 50 cases of the answer   | the GIN query alone                                          |
"""

import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import asyncpg
import uvloop
from aiohttp import web

from dispatch import embedded, server
from dispatch.logs import configure_logs
from dispatch.people.people import People
from dispatch.settings import Settings
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import one, open_pool
from dispatch.store.statements import load
from tests.bench.intake import POOL, SHOWN, measure_ready, row
from tests.harness.town import KEYRING, archive, load_city, unpacked

SQL = load(__file__, "casework")
UNIT, CLIENTS, ACTIONS, READS = "drainage", 16, 4_000, 600
COMMON = [chr(19968 + n) + chr(19968 + n // 3) for n in range(0, 60, 4)]
RARE = [chr(20500 + n) + chr(20520 + n // 2) for n in range(0, 40, 4)]


async def seed(url: str, cases: int) -> tuple[dict[str, str], list[str]]:
    """The demo city with so many cases, keys by role, and the numbers of cases at work in the unit."""
    began = perf_counter()
    connection = await asyncpg.connect(url)
    print("PostgreSQL:", {name: await connection.fetchval(f"SHOW {name}") for name in SHOWN}, file=sys.stderr)
    await load_city(url, archive(), await SystemClock().now(connection))
    units = sorted(unpacked(archive(), 1).units.units)
    await connection.execute(
        "CREATE TABLE bare (id bigserial PRIMARY KEY, body jsonb NOT NULL); GRANT ALL ON bare, bare_id_seq TO PUBLIC"
    )
    for statement, values in (
        (SQL.triggers_off, ()), (SQL.words_off, ()), (SQL.cases, (cases, units)), (SQL.tasks, ()), (SQL.clocks, ()),
        (SQL.words, (cases,)), (SQL.words_on, ()), (SQL.sequences, (cases,)), (SQL.signed_today, ()),
    ):  # fmt: skip
        await connection.execute(statement, *values)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    numbers = [
        r["case_no"]
        for r in await connection.fetch("SELECT case_no FROM cases WHERE owner_unit = $1 AND is_open", UNIT)
    ]
    await connection.close()
    pool = await open_pool(url, size=2)
    keys = People(pool, KEYRING, SystemClock()).keys
    made = {}
    for role, unit in (("handler", UNIT), ("supervisor", "supervision"), ("connector", "hotline")):
        made[role] = (await keys.create("bench", role, unit, ["bench"], [role]))[1]
    await pool.close()
    print(f"seeded {cases:,} cases in {perf_counter() - began:.0f} s", file=sys.stderr)
    return made, numbers


async def peer(url: str, listening: Any) -> None:
    """The least that each request could do."""
    pool = await asyncpg.create_pool(url, min_size=POOL, max_size=POOL)

    async def act(request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        async with pool.acquire() as connection, connection.transaction():
            held = await one(connection, SQL.bare_hold, request.match_info["case_no"])
            await connection.execute(SQL.bare_update, held["id"])
            await connection.execute(SQL.bare_insert, body)
        return web.json_response({"case_no": held["case_no"], "state": held["state"]})

    async def queue(request: web.Request) -> web.Response:
        rows = await pool.fetch(SQL.bare_queue, request.match_info["unit"])
        return web.json_response({"items": [{k: str(v) for k, v in found.items()} for found in rows]})

    async def search(request: web.Request) -> web.Response:
        rows = await pool.fetch(SQL.bare_search, f"'{request.query['q']}'")
        return web.json_response({"items": [found["case_id"] for found in rows]})

    app = web.Application()
    app.router.add_post("/api/v1/cases/{case_no}/actions/contact", act)
    app.router.add_get("/api/v1/units/{unit}/queue", queue)
    app.router.add_get("/api/v1/cases", search)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    await asyncio.Event().wait()


def start(target: str, url: str, redis: str | None, listening: Any) -> multiprocessing.process.BaseProcess:
    """A server process: ours or the peer."""

    def work() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if target == "peer":
            uvloop.run(peer(url, listening))
        configure_logs("warning")
        uvloop.run(server.serve(Settings(url, url, redis, pool_size=POOL), KEYRING, listening))

    process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
    process.start()
    return process


async def drive(base: str, key: str, requests: list[tuple[str, str, Any]], clients: int) -> dict[str, float]:
    """Sends (method, path, body) once each; rate, p50 and p95 in milliseconds. Raises AssertionError unless all succeed."""
    waiting: Iterator[tuple[str, str, Any]] = iter(requests)
    took: list[float] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for method, path, body in waiting:
            began = perf_counter()
            async with session.request(method, f"{base}{path}", json=body, headers={"If-Match": '"1"'}) as answer:
                text = await answer.text()
                assert answer.status == 200, (path, answer.status, text[:300])
            took.append((perf_counter() - began) * 1000)

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        began = perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        seconds = perf_counter() - began
    took.sort()
    return {"per_s": len(took) / seconds, "p50": took[len(took) // 2], "p95": took[int(len(took) * 0.95)]}


async def measure(base: str, keys: dict[str, str], numbers: list[str]) -> dict[str, dict[str, float]]:
    """Every kind of request, warmed up before."""
    acts = [("POST", f"/cases/{numbers[n % len(numbers)]}/actions/contact", {"reached": False}) for n in range(ACTIONS)]
    reads = [("GET", f"/units/{UNIT}/queue?limit=50", None)] * READS
    found: dict[str, dict[str, float]] = {}
    for name, key, requests, clients in (
        ("action", "handler", acts, CLIENTS), ("queue", "handler", reads, 1),
        ("common words", "supervisor", [("GET", f"/cases?q={w}", None) for w in COMMON] * 10, 1),
        ("rare words", "supervisor", [("GET", f"/cases?q={w}", None) for w in RARE] * 10, 1),
    ):  # fmt: skip
        await drive(base, keys[key], requests[: len(requests) // 10], clients)
        found[name] = await drive(base, keys[key], requests, clients)
    return found


def run(cases: int) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}; the better of two turns each."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        at = embedded.start(data)
        try:
            asyncio.run(migrate(at.database_url))
            keys, numbers = uvloop.run(seed(at.database_url, cases))
            best: dict[str, dict[str, dict[str, float]]] = {"ours": {}, "peer": {}}
            for target in ("peer", "ours", "peer", "ours"):
                for name, result in _turn(target, at.database_url, at.redis_url, keys, numbers).items():
                    before = best[target].get(name)
                    best[target][name] = result if before is None or result["p95"] < before["p95"] else before
            print(asyncio.run(_written(at.database_url)), file=sys.stderr)
        finally:
            embedded.stop(data)
    return _table(best, cases)


def _turn(
    target: str, url: str, redis: str | None, keys: dict[str, str], numbers: list[str]
) -> dict[str, dict[str, float]]:
    listening = server.bind("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v1"
    process = start(target, url, redis, listening)
    listening.close()
    measure_ready(base)
    try:
        result = uvloop.run(measure(base, keys, numbers))
    finally:
        process.terminate()
        process.join(15)
    print(target, json.dumps(result), file=sys.stderr)
    return result


async def _written(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    written = dict(await connection.fetchrow(SQL.written) or {})
    await connection.close()
    return written


def _table(best: dict[str, dict[str, dict[str, float]]], cases: int) -> list[dict[str, Any]]:
    ours, theirs = best["ours"], best["peer"]
    rows = [row("an action over HTTP, 16 clients", ours["action"]["per_s"], theirs["action"]["per_s"], "requests/s")]
    for name in ("queue", "common words", "rare words"):
        title = f"{name}, {cases:,} cases: p95 (lower is better)"
        rows.append(row(title, ours[name]["p95"], theirs[name]["p95"], "ms"))
    return rows
