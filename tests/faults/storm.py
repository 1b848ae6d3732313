"""Deadlines of many cases that fall due within seconds, the list of what must be told of them, and a receiver that is told."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
import msgspec

from dispatch.notices.webhooks import add_webhook, new_secret
from dispatch.store.pool import Connection
from dispatch.store.signals import CHANNEL
from tests.faults.callers import report
from tests.faults.reckoning import Arrival, Entry, Reckoning, read_arrivals, read_list, reckon, write_list
from tests.faults.service import ROOT, Ground, Service, serving

# How long before the first deadline everything is ready, at the least half of it.
LEAST_AHEAD = timedelta(seconds=2)
# A category in which every person's report is a case of its own.
CATEGORY = "S010101"
STEPS = "FROM case_events WHERE actor = 'deadlines' AND type IN ('deadline_warned', 'deadline_missed', 'escalated')"
# Each deadline gets a due instant of its own, its ladder comes along, and what lies before that instant counts as taken.
SPREAD = """
WITH wanted AS (SELECT * FROM unnest($1::bigint[], $2::timestamptz[]) AS w (id, at))
UPDATE deadlines d SET due_at = w.at, next_at = w.at,
    step = (SELECT count(*) FROM jsonb_array_elements(d.plan) p WHERE (p->>'at')::timestamptz < d.due_at),
    plan = (SELECT jsonb_agg(p || jsonb_build_object('at', to_char((p->>'at')::timestamptz + (w.at - d.due_at),
        'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')) ORDER BY nth) FROM jsonb_array_elements(d.plan) WITH ORDINALITY AS e (p, nth))
FROM wanted w WHERE d.id = w.id
"""
AGREE = """
UPDATE cases c SET next_due_at = (SELECT min(due_at) FROM deadlines d WHERE d.case_id = c.id AND d.stopped_at IS NULL)
WHERE id IN (SELECT case_id FROM deadlines WHERE id = ANY ($1::bigint[]))
"""
PLANNED = """
SELECT d.id, d.case_id, c.case_no, d.clock, (d.plan->d.step->>'level')::int AS level, d.due_at
FROM deadlines d JOIN cases c ON c.id = d.case_id WHERE d.id = ANY ($1::bigint[]) ORDER BY d.due_at
"""
POISON = """UPDATE deadlines SET plan = '[{"at": "never"}]' WHERE id = ANY ($1::bigint[])"""
WAITING = "SELECT count(*) FROM deadlines WHERE id = ANY ($1::bigint[]) AND status = 'running' AND due_at <= $2"
UNTOLD = "SELECT count(*) FROM notices WHERE medium = 'webhook' AND next_at IS NOT NULL"
# What waits for a retry or for the lease of a process that was killed need not be waited for.
HURRY = "UPDATE notices SET next_at = clock_timestamp() WHERE medium = 'webhook' AND next_at > clock_timestamp()"


@dataclass(frozen=True, slots=True)
class Receiver:
    """The receiving process and its file."""

    url: str
    secret: str = field(repr=False)
    file: Path

    def arrivals(self) -> list[Arrival]:
        return read_arrivals(self.file)


@contextmanager
def receiving(folder: Path, seed: int) -> Iterator[Receiver]:
    """A receiver that takes notices until the end."""
    file, secret = folder / "told", new_secret()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.receiver", str(file), str(seed)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "RECEIVER_SECRET": secret},
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Receiver(f"http://127.0.0.1:{port}/", secret, file)
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True, slots=True)
class Storm:
    """Deadlines that fall due between `start` and `end`; the list of them is a file that nobody writes any more."""

    ground: Ground
    receiver: Receiver
    list: Path
    # The listed deadlines with their ids, in the order in which they fall due.
    planned: Sequence[tuple[int, int, Entry]]

    @property
    def start(self) -> datetime:
        return self.planned[0][2].due_at

    @property
    def end(self) -> datetime:
        return self.planned[-1][2].due_at

    def reckoned(self, withdrawn: frozenset[Entry] = frozenset()) -> Reckoning:
        """The receiver's file against the list, of which some entries were withdrawn in time."""
        return reckon(set(read_list(self.list)) - withdrawn, self.receiver.arrivals())

    async def through(self, patience_s: float = 600.0) -> None:
        """Waits until nothing listed is due any more and every notice has reached the receiver; fails after `patience_s`."""
        ids = [number for number, _, _ in self.planned]
        async with asyncio.timeout(patience_s):
            while await self.ground.value(WAITING, ids, self.end):
                await asyncio.sleep(0.2)
            while await self.ground.value(UNTOLD):
                await self.ground.rows(HURRY)
                await self.ground.rows("SELECT pg_notify($1, '')", CHANNEL)
                await asyncio.sleep(0.5)


async def take(ground: Ground, journal: Path, environment: Mapping[str, str], cases: int) -> None:
    """Has so many cases made through the intake of a service of its own, each of another person."""
    with serving(journal, environment=environment) as service:
        await _send(service, ground.key, cases)


async def _send(service: Service, key: str, cases: int) -> None:
    lines = b"\n".join(msgspec.json.encode(report(n, "storm") | {"category": CATEGORY}) for n in range(cases))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        where = f"{service.url}/api/v1/reports/batch"
        async with http.post(where, data=io.BytesIO(lines), headers={"Content-Type": "application/x-ndjson"}) as answer:
            assert {msgspec.json.decode(line)["status"] for line in (await answer.read()).splitlines()} == {201}


async def gather(
    ground: Ground,
    receiver: Receiver,
    folder: Path,
    ids: Sequence[int],
    *,
    span_s: float,
    poisoned: Sequence[int] = (),
) -> Storm:
    """Lets the deadlines fall due one by one over `span_s` seconds that begin in a few seconds, and lists them.

    Those that are poisoned fall due at the beginning, with a ladder that nobody can read, and are on no list.
    """
    connection = await asyncpg.connect(ground.database_url, server_settings={"timezone": "UTC"})
    try:
        await add_webhook(connection, ground.keyring, "receiver", receiver.url, receiver.secret)
        ahead = LEAST_AHEAD
        while (rows := await _spread(connection, ids, poisoned, ahead, timedelta(seconds=span_s))) is None:
            ahead *= 2
        planned = [(r["id"], r["case_id"], Entry(r["case_no"], r["clock"], r["level"], r["due_at"])) for r in rows]
        assert len(set(planned)) == len(ids)
        write_list(folder / "list", (entry for _, _, entry in planned))
        now = await connection.fetchval("SELECT clock_timestamp()")
        assert now < planned[0][2].due_at, "due before the list was written"
    finally:
        await connection.close()
    return Storm(ground, receiver, folder / "list", planned)


async def _spread(
    connection: Connection, ids: Sequence[int], poisoned: Sequence[int], ahead: timedelta, span: timedelta
) -> list[asyncpg.Record] | None:
    """The deadlines as they are planned now; None, and nothing is changed, where that took too long to be ahead of them."""
    transaction = connection.transaction()
    await transaction.start()
    begin = await connection.fetchval("SELECT clock_timestamp()") + ahead
    await connection.execute(SPREAD, ids, [begin + span * n / len(ids) for n in range(len(ids))])
    await connection.execute(SPREAD, poisoned, [begin] * len(poisoned))
    await connection.execute(AGREE, [*ids, *poisoned])
    await connection.execute(POISON, poisoned)
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    rows = await connection.fetch(PLANNED, ids)
    if begin - await connection.fetchval("SELECT clock_timestamp()") < LEAST_AHEAD / 2:
        await transaction.rollback()
        return None
    await transaction.commit()
    return rows


async def check_record(storm: Storm, withdrawn: frozenset[Entry] = frozenset()) -> None:
    """Every step is on record once with the instant that was planned for it, none before that, none of a withdrawn deadline."""
    rows = await storm.ground.rows(f"SELECT at, body {STEPS}")
    steps = [(row["at"], msgspec.json.decode(row["body"])) for row in rows]
    on_record = sorted(msgspec.convert(body, Entry) for _, body in steps)
    assert on_record == sorted(set(read_list(storm.list)) - withdrawn)
    for at, body in steps:
        assert body["planned_at"] == body["due_at"]
        assert at >= datetime.fromisoformat(body["planned_at"]), "acted before it was due"
