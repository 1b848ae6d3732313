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
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvloop

from dispatch import embedded
from dispatch.logs import configure_logs
from dispatch.store.migrate import migrate
from tests.bench import deadline_ground as ground
from tests.bench.deadline_ground import Outcome
from tests.bench.deadline_peers import PEERS, STOPPED, Contender, Ours
from tests.bench.intake import fill

WORKERS, TURNS = 2, 2
SCATTERED, AT_ONCE, WINDOW = 300, 2_000, timedelta(seconds=10)
# A thousand open deadlines hang on so few cases that no more than this many can be planned, one a case.
ALONE = 150
FEW, CASES, MANY = 1_000, 3_500, 1_000_000
GRACE_S, IDLE_S = 30.0, 10.0
# How much time all get to be told of everything and to start, as multiples of what is enough on a quiet machine.
LEADS = (1, 3, 9)


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
    print("PostgreSQL:", asyncio.run(ground.prepared(url)), file=sys.stderr)
    uvloop.run(fill(url, FEW // 4))
    ours = Ours()
    few = _burdened(ours, url, folder)
    uvloop.run(fill(url, CASES, seed=2))
    asyncio.run(ground.settled(url))
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
    asyncio.run(ground.multiply(url, deadlines))
    return rows + _grown(few, _burdened(ours, url, folder))


def _beside(peer: str, ours: Sequence[list[Outcome]], theirs: Sequence[list[Outcome]]) -> list[dict[str, Any]]:
    """Ours and one peer: [scattered, at once] of each."""

    def both(of: Sequence[list[Outcome]]) -> list[float]:
        everything = [outcome for outcomes in of for outcome in outcomes]
        return [
            sum(o.lost for o in everything),
            sum(o.doubled for o in everything),
            sum(o.stopped for o in everything),
            min(o.p50_ms for o in of[0]),
            min(o.p99_ms for o in of[0]),
            max(o.per_s for o in of[1]),
        ]

    total = sum(outcome.planned for outcomes in ours for outcome in outcomes)
    names = ("lost", "doubled", "workers that stopped", "lateness p50", "lateness p99", "at once")
    workers = WORKERS * sum(map(len, ours))
    units = (
        f"of {total:,}",
        f"of {total:,}",
        f"of {workers}",
        "ms (lower is better)",
        "ms (lower is better)",
        "firings/s",
    )
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
    count: int = asyncio.run(ground.settled(url))
    with _working(ours, url, folder / "idle") as processes:
        pids = [process.pid or 0 for process in processes] + asyncio.run(ground.backends(url))
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
    """One run, begun anew with more time ahead where a contender is not ready in time."""
    for factor in LEADS:
        if outcome := _measured(contender, url, folder, count, window, factor * timedelta(seconds=10 + count / 250)):
            print(contender.name, outcome, file=sys.stderr)
            return outcome
    raise TimeoutError(f"{contender.name} was not ready when deadlines fell due")


def _measured(
    contender: Contender, url: str, folder: Path, count: int, window: timedelta, lead: timedelta
) -> Outcome | None:
    """Plan, start the workers, wait until everything has fired or the grace is over, look; None if ready too late."""
    ran = folder / f"ran-{contender.name}"
    ran.unlink(missing_ok=True)
    begin = asyncio.run(ground.planned(contender, url, count, window, lead))
    with _working(contender, url, ran) as processes:
        if asyncio.run(ground.now(url)) >= begin - timedelta(seconds=3):
            return None
        asyncio.run(ground.wait(url, begin + window + timedelta(seconds=GRACE_S)))
        time.sleep(1)  # for those that run again what has run
        ended = sum(not process.is_alive() for process in processes)
    runs = Counter(ran.read_text().split()) if ran.exists() else Counter()
    return asyncio.run(ground.judged(url, begin, runs, ended + runs[STOPPED]))


@contextmanager
def _working(contender: Contender, url: str, ran: Path) -> Iterator[list[BaseProcess]]:
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
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(15)
            if process.is_alive():
                process.kill()
                process.join()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--deadlines", type=int, default=MANY)
    for line in run(options.parse_args().deadlines):
        print(json.dumps(line, ensure_ascii=False))
