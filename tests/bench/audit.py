"""The record rebuilt and checked, beside the least that reading it costs: the same rows fetched and their JSON decoded.

Memory is the most that the process held beyond what it held before it began: rows go through in chunks, however many there are.
"""

import os
import resource
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import uvloop

from dispatch import embedded
from dispatch.audit import chain, checkpoints
from dispatch.audit.checkpoints import SQL
from dispatch.audit.rebuild import CHUNK, rebuild
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import Connection, open_pool
from tests.bench.intake import row, seed
from tests.harness.town import KEYRING

# How much of the record a run has at least; the generator attaches some of its reports.
EVENTS_A_CASE = 2


async def read(connection: Connection) -> int:
    """The least: every row of the record, fetched and decoded."""
    behind, events, decode = 0, 0, msgspec.json.Decoder().decode
    while cases := await connection.fetch(SQL.whole_cases, behind, None, CHUNK):
        ids, months = [case["id"] for case in cases], [case["opened_month"] for case in cases]
        bodies = await connection.fetch(SQL.bodies_of, ids, months)
        for each in bodies:
            decode(each["body"])
        await connection.fetch(SQL.tasks_of, ids)
        await connection.fetch(SQL.clocks_of, ids)
        events, behind = events + len(bodies), ids[-1]
    return events


async def measure(url: str) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}."""
    pool = await open_pool(url, size=1)
    try:
        began = perf_counter()
        async with pool.acquire() as connection, connection.transaction():
            taken = await checkpoints.take(connection, KEYRING, await SystemClock().now(connection))
        print(f"checkpoint of {taken.moved:,} heads in {perf_counter() - began:.1f} s", file=sys.stderr)
        async with pool.acquire() as connection:
            began = perf_counter()
            events = await read(connection)
            least = events / (perf_counter() - began)
            before, began = _held(), perf_counter()
            found = await rebuild(connection)
            rebuilt = found.events / (perf_counter() - began)
        assert not found.differences, found.differences[:3]
        assert not found.incomplete
        began = perf_counter()
        verdict = await chain.verify(pool, KEYRING)
        verified = verdict.events / (perf_counter() - began)
        assert not verdict.faults, verdict.faults[:3]
        grown = _held() - before
    finally:
        await pool.close()
    return [
        row(f"record rebuilt and compared, {events:,} events", rebuilt, least, "events/s"),
        row(f"record verified, {events:,} events", verified, least, "events/s"),
        {"name": "memory beyond that (lower is better)", "ours": grown, "peer": 0.0, "ratio": None, "unit": "MB"},
    ]


def _held() -> float:
    """The most this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(events: int) -> list[dict[str, Any]]:
    """A record of about so many events, made by intake itself."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        at = embedded.start(data)
        try:
            uvloop.run(migrate(at.database_url))
            began = perf_counter()
            uvloop.run(seed(at.database_url, events // EVENTS_A_CASE))
            print(f"seeded in {perf_counter() - began:.0f} s", file=sys.stderr)
            return uvloop.run(measure(at.database_url))
        finally:
            embedded.stop(data)
