"""The deadline loop beside its peers, two processes each, on one durable database and with the same effect.

python -m tests.bench.deadlines [--deadlines 1000000]

Scattered: 300 deadlines fall due over ten seconds; how late is each? At once: thousands fall due at one instant; how many
fire a second? Both twice, the better turn counts for every contender alike, and what was lost or doubled counts from all
turns. How late a deadline is, is the time from its planned instant to the commit of its event, as the server records it.
At last ours alone, with a thousand open deadlines and with a million: lateness, and CPU time while nothing is due.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from dispatch import embedded
from dispatch.logs import configure_logs
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.statements import load
from tests.bench.deadline_peers import PEERS, Contender, Ours
from tests.bench.intake import SHOWN, fill
from tests.harness.town import archive, load_city

SQL = load(__file__, "deadlines")
WORKERS, TURNS = 2, 2
SCATTERED, AT_ONCE, WINDOW = 300, 4_000, timedelta(seconds=10)
# A thousand open deadlines are those of so many cases that two hundred of them have one to plan.
ALONE = 200
FEW, CASES, MANY = 1_000, 7_000, 1_000_000
GRACE_S, IDLE_S = 30.0, 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run."""

    planned: int
    lost: int
    doubled: int
    p50_ms: float
    p99_ms: float
    per_s: float


def run(deadlines: int = MANY) -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}; `deadlines` is how many are open in the last measurement."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        os.chmod(folder, 0o711)
        data = Path(folder) / "data"
        url = embedded.start(data, {"track_commit_timestamp": "on"}).database_url
        try:
            return _rows(url, Path(folder), deadlines)
        finally:
            embedded.stop(data)


def _rows(url: str, folder: Path, deadlines: int) -> list[dict[str, Any]]:
    asyncio.run(migrate(url))
    print("PostgreSQL:", asyncio.run(_prepared(url)), file=sys.stderr)
    uvloop.run(fill(url, FEW // 4))
    ours = Ours()
    few = _burdened(ours, url, folder)
    uvloop.run(fill(url, CASES, seed=2))
    asyncio.run(_settled(url))
    contenders = (ours, *PEERS)
    scattered: dict[str, list[Outcome]] = {c.name: [] for c in contenders}
    at_once: dict[str, list[Outcome]] = {c.name: [] for c in contenders}
    for contender in contenders:
        asyncio.run(contender.prepare(url))
    for _ in range(TURNS):
        for contender in contenders:
            scattered[contender.name].append(measure(contender, url, folder, SCATTERED, WINDOW))
            at_once[contender.name].append(measure(contender, url, folder, AT_ONCE, timedelta(0)))
    rows = [
        line
        for peer in PEERS
        for line in _beside(peer.name, *((scattered[n], at_once[n]) for n in (ours.name, peer.name)))
    ]
    asyncio.run(_multiply(url, deadlines))
    return rows + _grown(few, _burdened(ours, url, folder))


def _beside(peer: str, ours: Sequence[list[Outcome]], theirs: Sequence[list[Outcome]]) -> list[dict[str, Any]]:
    """Ours and one peer: [scattered, at once] of each."""

    def both(of: Sequence[list[Outcome]]) -> list[float]:
        everything = [outcome for outcomes in of for outcome in outcomes]
        return [
            sum(o.lost for o in everything),
            sum(o.doubled for o in everything),
            min(o.p50_ms for o in of[0]),
            min(o.p99_ms for o in of[0]),
            max(o.per_s for o in of[1]),
        ]

    total = sum(outcome.planned for outcomes in ours for outcome in outcomes)
    names = ("lost", "doubled", "lateness p50", "lateness p99", "at once")
    units = (f"of {total:,}", f"of {total:,}", "ms (lower is better)", "ms (lower is better)", "firings/s")
    return [
        row(f"deadlines beside {peer}: {name}", mine, other, unit)
        for name, unit, mine, other in zip(names, units, both(ours), both(theirs), strict=True)
    ]


def _grown(few: tuple[int, float, Outcome], many: tuple[int, float, Outcome]) -> list[dict[str, Any]]:
    what = f"{many[0]:,} open deadlines (peer: ours with {few[0]:,})"
    return [
        row(f"{what}: lost", many[2].lost, few[2].lost, f"of {ALONE}"),
        row(f"{what}: lateness p50", many[2].p50_ms, few[2].p50_ms, "ms (lower is better)"),
        row(f"{what}: lateness p99", many[2].p99_ms, few[2].p99_ms, "ms (lower is better)"),
        row(f"{what}: idle CPU", many[1] * 1000, few[1] * 1000, f"ms in {IDLE_S:.0f} s (lower is better)"),
    ]


def row(name: str, ours: float, theirs: float, unit: str) -> dict[str, Any]:
    """One line of the table."""
    ratio = round(ours / theirs, 2) if theirs else None
    return {"name": name, "ours": round(ours, 1), "peer": round(theirs, 1), "ratio": ratio, "unit": unit}


def _burdened(ours: Contender, url: str, folder: Path) -> tuple[int, float, Outcome]:
    """Open deadlines, CPU seconds while nothing is due, and the better of two runs of scattered ones."""
    count: int = asyncio.run(_settled(url))
    with _working(ours, url, folder / "idle"):
        pids = [process.pid or 0 for process in multiprocessing.active_children()] + asyncio.run(_backends(url))
        time.sleep(2)
        before = sum(map(_cpu, pids))
        time.sleep(IDLE_S)
        seconds = (sum(map(_cpu, pids)) - before) / 1e9
    print(f"idle with {count:,} open deadlines: {seconds * 1000:.1f} ms CPU in {IDLE_S:.0f} s", file=sys.stderr)
    best = min((measure(ours, url, folder, ALONE, WINDOW) for _ in range(TURNS)), key=lambda o: o.p99_ms)
    return count, seconds, best


def _cpu(pid: int) -> int:
    """Nanoseconds that a process has computed (Linux)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def measure(contender: Contender, url: str, folder: Path, count: int, window: timedelta) -> Outcome:
    """One run: plan, start the workers, wait until everything has fired or the grace is over, look."""
    ran = folder / f"ran-{contender.name}"
    ran.unlink(missing_ok=True)
    # Enough for the slowest to be told of everything and for all workers to be up.
    begin = asyncio.run(_planned(contender, url, count, window, lead=timedelta(seconds=6 + count / 250)))
    with _working(contender, url, ran):
        if asyncio.run(_now(url)) >= begin:
            raise TimeoutError(f"{contender.name} was not ready when the first deadline fell due")
        asyncio.run(_wait(url, begin + window + timedelta(seconds=GRACE_S)))
        time.sleep(1)  # for those that run again what has run
    runs = Counter(ran.read_text().split()) if ran.exists() else Counter()
    outcome = asyncio.run(_judged(url, begin, runs))
    print(contender.name, outcome, file=sys.stderr)
    return outcome


@contextmanager
def _working(contender: Contender, url: str, ran: Path) -> Iterator[None]:
    """The worker processes of a contender, ready."""
    context = multiprocessing.get_context("fork")
    ready = context.Semaphore(0)

    def work() -> None:
        configure_logs("critical")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        uvloop.run(contender.work(url, ran, ready.release))

    processes: list[BaseProcess] = [context.Process(target=work, daemon=True) for _ in range(WORKERS)]
    for process in processes:
        process.start()
    try:
        for _ in processes:
            if not ready.acquire(timeout=60):
                raise TimeoutError(f"{contender.name} does not start")
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(15)
            if process.is_alive():
                process.kill()
                process.join()


async def _prepared(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    await load_city(url, archive(), await SystemClock().now(connection))
    await connection.execute(SQL.make_planned)
    shown = {name: await connection.fetchval(f"SHOW {name}") for name in (*SHOWN, "track_commit_timestamp")}
    await connection.close()
    return shown


async def _settled(url: str) -> int:
    """Nothing due, everything vacuumed and written out; how many deadlines are open."""
    connection = await asyncpg.connect(url)
    await connection.execute(SQL.quiet)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    count: int = await connection.fetchval(SQL.open_deadlines)
    await connection.close()
    return count


async def _planned(contender: Contender, url: str, count: int, window: timedelta, lead: timedelta) -> datetime:
    """Has `count` deadlines fall due over `window`, the first in `lead`; returns when."""
    connection = await asyncpg.connect(url)
    for statement in (SQL.again, SQL.clear_planned, SQL.forget, SQL.quiet):
        await connection.execute(statement)
    begin = await SystemClock().now(connection) + lead
    await connection.execute(SQL.plan, count, begin, window)
    planned = [(one["case_id"], one["planned_at"]) for one in await connection.fetch(SQL.planned)]
    if len(planned) != count:
        raise ValueError(f"there are no {count} deadlines to plan, only {len(planned)}")
    await connection.execute(SQL.set_due)
    await connection.execute("VACUUM ANALYZE deadlines, cases, escalations, notices, outbox, bench_planned")
    await connection.close()
    await contender.plan(url, planned)
    return begin


async def _now(url: str) -> datetime:
    connection = await asyncpg.connect(url)
    now = await SystemClock().now(connection)
    await connection.close()
    return now


async def _wait(url: str, until: datetime) -> None:
    """Until everything has fired, at most `until`."""
    connection = await asyncpg.connect(url)
    while await connection.fetchval(SQL.left) and await SystemClock().now(connection) < until:
        await asyncio.sleep(0.5)
    await connection.close()


async def _judged(url: str, begin: datetime, runs: Counter[str]) -> Outcome:
    connection = await asyncpg.connect(url)
    found = await connection.fetch(SQL.fired)
    await connection.close()
    fired = [one for one in found if one["steps"]]
    late = sorted((one["at"] - one["planned_at"]).total_seconds() * 1000 for one in fired)
    seconds = max(((one["at"] - begin).total_seconds() for one in fired), default=1.0)
    return Outcome(
        planned=len(found),
        lost=len(found) - len(fired),
        doubled=sum(max(one["steps"], runs[str(one["case_id"])]) - 1 for one in fired),
        p50_ms=late[len(late) // 2] if late else float("inf"),
        p99_ms=late[int(len(late) * 0.99)] if late else float("inf"),
        per_s=len(fired) / seconds,
    )


async def _backends(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    pids = [one["pid"] for one in await connection.fetch(SQL.backends)]
    await connection.close()
    return pids


async def _multiply(url: str, deadlines: int) -> None:
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


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--deadlines", type=int, default=MANY)
    for line in run(options.parse_args().deadlines):
        print(json.dumps(line, ensure_ascii=False))
