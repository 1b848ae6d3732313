"""Three replicas of the service, and what happens to them: kill -9 and a start again, a server that goes away and comes back."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import asyncpg

from dispatch.embedded import folder, redis
from tests.faults.reckoning import Entry
from tests.faults.service import DISPATCH, PATIENCE_S, Service, redis_pid, restart_postgres, start
from tests.faults.storm import AGREE, Storm

ALTERED = ("-m", "tests.faults.altered")
# How long a supervisor takes to see that a process is gone.
RESTART_S = (0.1, 1.0)
# How near to its due instant somebody withdraws a deadline, in seconds: the deviation of a normal distribution around it.
CONTEST_S = 0.05


@dataclass
class Replicas:
    """Processes of the service on the same servers; `faults` are those of `tests.faults.altered`, a set for each."""

    journals: Path
    environment: Mapping[str, str]
    faults: Sequence[Sequence[str]]
    services: list[Service] = field(default_factory=list)
    lives: list[Service] = field(default_factory=list)
    kills: int = 0

    async def start(self) -> None:
        """Starts all of them; returns when they serve."""
        self.services = [self._start(number) for number in range(len(self.faults))]
        for service in self.services:
            await asyncio.to_thread(service.until_serving)

    def _start(self, number: int) -> Service:
        faults = self.faults[number]
        program = (*ALTERED, *faults, "--") if faults else DISPATCH
        journal = self.journals / f"replica-{number}-{len(self.lives)}.log"
        self.lives.append(start(journal, environment=self.environment, program=program))
        return self.lives[-1]

    async def tend(self, random: Random) -> None:
        """The supervisor: starts again whatever has ended; to be cancelled."""
        while True:
            for number, service in enumerate(self.services):
                if service.process.poll() is not None:
                    await asyncio.sleep(random.uniform(*RESTART_S))
                    self.services[number] = self._start(number)
            await asyncio.sleep(0.05)

    def kill_one(self, random: Random) -> None:
        """kill -9 of one that runs, if any does."""
        if running := [service for service in self.services if service.process.poll() is None]:
            random.choice(running).kill()
            self.kills += 1

    def end(self) -> None:
        """Leaves none."""
        for service in self.lives:
            service.kill()

    def serve(self) -> bool:
        """Whether all of them serve."""
        return all(s.process.poll() is None and _says(s, b'"service.started"') for s in self.services)

    def check(self) -> None:
        """No part of a process ended while the process went on."""
        assert not [service.journal for service in self.lives if _says(service, b'"service.part_ended"')]


def _says(service: Service, word: bytes) -> bool:
    # A process that finds no database at its start ends with words that are no log line.
    return word in service.journal.read_bytes()


@dataclass
class Misfortunes:
    """What happens while a storm goes on, all by chance of one seed: kills, one restart of each server, withdrawals."""

    storm: Storm
    replicas: Replicas
    data: Path
    random: Random
    # From when until when PostgreSQL was away.
    away: tuple[datetime, datetime] | None = None
    withdrawn: set[Entry] = field(default_factory=set)

    async def happen(self, kills: int, contested: int) -> None:
        """Returns when everything has happened; from then on every replica lives."""
        tending = asyncio.create_task(self.replicas.tend(Random(self.random.random())))
        try:
            async with asyncio.TaskGroup() as group:
                for at in self._instants(kills, 0.0, 1.0):
                    group.create_task(self._kill(at))
                (at,) = self._instants(1, 0.2, 0.7)
                group.create_task(self._restart_postgres(at))
                (at,) = self._instants(1, 0.2, 0.7)
                group.create_task(self._restart_redis(at))
                group.create_task(self._withdraw(self.random.sample(self.storm.planned, contested)))
            async with asyncio.timeout(PATIENCE_S):
                while not self.replicas.serve():
                    await asyncio.sleep(0.05)
        finally:
            tending.cancel()

    def _instants(self, count: int, low: float, high: float) -> list[datetime]:
        span = self.storm.end - self.storm.start
        return sorted(self.storm.start + span * self.random.uniform(low, high) for _ in range(count))

    async def _kill(self, at: datetime) -> None:
        await until(at)
        self.replicas.kill_one(self.random)

    async def _restart_postgres(self, at: datetime) -> None:
        await until(at)
        began = datetime.now(UTC)
        await asyncio.to_thread(restart_postgres, self.data)
        self.away = began, datetime.now(UTC)

    async def _restart_redis(self, at: datetime) -> None:
        await until(at)
        os.kill(redis_pid(self.data), signal.SIGKILL)
        home = folder.find(self.data)
        assert home is not None
        await asyncio.to_thread(redis.start, home)

    async def _withdraw(self, contested: list[tuple[int, int, Entry]]) -> None:
        """Somebody moves or cancels each of these about when it falls due: before it acts it is withdrawn, after that it is too late."""
        wanted = [(e.due_at + timedelta(seconds=self.random.gauss(0, CONTEST_S)), i, c, e) for i, c, e in contested]
        for at, deadline, case, entry in sorted(wanted):
            await until(at)
            while True:
                try:
                    if await withdraw(self.storm, deadline, case, entry, move=self.random.random() < 0.5):
                        self.withdrawn.add(entry)
                    break
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await asyncio.sleep(0.05)


WITHDRAWN = "SELECT due_at <> $2 OR status = 'cancelled' FROM deadlines WHERE id = $1"
MOVE = """
UPDATE deadlines SET due_at = due_at + interval '1 day', next_at = next_at + interval '1 day',
    plan = (SELECT jsonb_agg(p || jsonb_build_object('at', to_char((p->>'at')::timestamptz + interval '1 day',
        'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')) ORDER BY nth) FROM jsonb_array_elements(plan) WITH ORDINALITY AS e (p, nth))
WHERE id = $1 AND status = 'running'
"""
CANCEL = "UPDATE deadlines SET status = 'cancelled', stopped_at = clock_timestamp(), next_at = NULL WHERE id = $1 AND status = 'running'"


async def withdraw(storm: Storm, deadline: int, case: int, entry: Entry, *, move: bool) -> bool:
    """Whether the deadline is moved or cancelled, under the lock of its case as every action does it; also if it was already."""
    connection = await asyncpg.connect(storm.ground.database_url, server_settings={"timezone": "UTC"})
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", case)
            if not await connection.fetchval(WITHDRAWN, deadline, entry.due_at):
                await connection.execute(MOVE if move else CANCEL, deadline)
                await connection.execute(AGREE, [deadline])
            return bool(await connection.fetchval(WITHDRAWN, deadline, entry.due_at))
    finally:
        await connection.close()


async def until(at: datetime) -> None:
    """Waits for an instant; the servers and we are on one machine."""
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
