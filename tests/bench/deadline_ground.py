"""What the benchmark of deadlines stands on: open deadlines in the database, planned to fall due, and what became of them."""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from dispatch.store.clock import SystemClock
from dispatch.store.statements import load
from tests.bench.deadline_peers import Contender
from tests.bench.intake import SHOWN
from tests.harness.town import archive, load_city

SQL = load(__file__, "deadlines")
# Before each run so many deadlines fall due, half of them at one instant and the others one by one, of which no lateness is
# taken: whoever works has prepared its statements then.
WARMING = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run."""

    planned: int
    lost: int
    doubled: int
    stopped: int
    p50_ms: float
    p99_ms: float
    per_s: float


async def prepared(url: str) -> dict[str, str]:
    """The demo city; returns the server's settings that matter."""
    connection = await asyncpg.connect(url)
    await load_city(url, archive(), await SystemClock().now(connection))
    await connection.execute(SQL.make_planned)
    shown = {name: await connection.fetchval(f"SHOW {name}") for name in (*SHOWN, "track_commit_timestamp")}
    await connection.close()
    return shown


async def settled(url: str) -> int:
    """Nothing due, everything vacuumed and written out; how many deadlines are open."""
    connection = await asyncpg.connect(url)
    await connection.execute(SQL.quiet)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    count: int = await connection.fetchval(SQL.open_deadlines)
    await connection.close()
    return count


async def planned(contender: Contender, url: str, count: int, window: timedelta, lead: timedelta) -> datetime:
    """Has `count` deadlines fall due over `window`, the first in `lead`, and some before to warm up; returns when."""
    connection = await asyncpg.connect(url)
    for statement in (SQL.again, SQL.clear_planned, SQL.forget, SQL.quiet):
        await connection.execute(statement)
    begin = await SystemClock().now(connection) + lead
    together, singly = begin - timedelta(seconds=5), begin - timedelta(seconds=4)
    instants = [together] * (WARMING // 2) + [singly + timedelta(seconds=0.1) * n for n in range(WARMING // 2)]
    instants += [begin + window * n / count for n in range(count)]
    await connection.execute(SQL.plan, instants)
    plan = [(one["case_id"], one["planned_at"]) for one in await connection.fetch(SQL.planned)]
    if len(plan) != len(instants):
        raise ValueError(f"there are no {len(instants)} deadlines to plan, only {len(plan)}")
    await connection.execute(SQL.set_due)
    await connection.execute("VACUUM ANALYZE deadlines, cases, escalations, notices, outbox, bench_planned")
    await connection.close()
    await contender.plan(url, plan)
    return begin


async def now(url: str) -> datetime:
    """The database's time."""
    connection = await asyncpg.connect(url)
    moment = await SystemClock().now(connection)
    await connection.close()
    return moment


async def wait(url: str, until: datetime) -> None:
    """Until everything has fired, at most `until`."""
    connection = await asyncpg.connect(url)
    while await connection.fetchval(SQL.left) and await SystemClock().now(connection) < until:
        await asyncio.sleep(0.5)
    await connection.close()


async def judged(url: str, begin: datetime, runs: Counter[str], stopped: int) -> Outcome:
    """What the server has on record, and `runs` of the handlers by case; lateness and speed from `begin` on."""
    connection = await asyncpg.connect(url)
    found = await connection.fetch(SQL.fired)
    await connection.close()
    fired = [one for one in found if one["steps"]]
    timed = [one for one in fired if one["planned_at"] >= begin]
    late = sorted((one["at"] - one["planned_at"]).total_seconds() * 1000 for one in timed)
    seconds = max(((one["at"] - begin).total_seconds() for one in timed), default=1.0)
    return Outcome(
        planned=len(found),
        lost=len(found) - len(fired),
        doubled=sum(max(one["steps"], runs[str(one["case_id"])]) - 1 for one in fired),
        stopped=stopped,
        p50_ms=late[len(late) // 2] if late else float("inf"),
        p99_ms=late[int(len(late) * 0.99)] if late else float("inf"),
        per_s=len(timed) / seconds,
    )


async def backends(url: str) -> list[int]:
    """The server's processes that work for the service."""
    connection = await asyncpg.connect(url)
    pids = [one["pid"] for one in await connection.fetch(SQL.backends)]
    await connection.close()
    return pids


async def multiply(url: str, deadlines: int) -> None:
    """Copies open cases with all that hangs on them until so many deadlines are open."""
    connection = await asyncpg.connect(url, command_timeout=None)
    present: int = await connection.fetchval(SQL.open_deadlines)
    times = max(0, -(-(deadlines - present) // present))
    began = time.perf_counter()
    async with connection.transaction():
        # The copies keep the rules of their originals; looking at each would take longer than making it.
        await connection.execute("SET LOCAL session_replication_role = replica")
        for statement in (SQL.clone_cases, SQL.clone_assignments, SQL.clone_deadlines):
            await connection.execute(statement, 1, times)
    print(f"{present:,} open deadlines copied {times} times, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    await connection.close()
