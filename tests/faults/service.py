"""`dispatch serve` as its users start it: a process of its own on its own data, watched through its log and /proc."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from dispatch import embedded
from dispatch.demo import keyring_of
from dispatch.embedded import folder, postgres
from dispatch.people.keyring import Keyring
from dispatch.people.people import People
from dispatch.store.clock import SystemClock
from dispatch.store.migrate import migrate
from dispatch.store.pool import open_pool
from tests.harness import town

PATIENCE_S = 60.0
ROOT = Path(__file__).parents[2]
DISPATCH = ("-m", "dispatch.cli")


@dataclass
class Service:
    """One started `dispatch serve`."""

    process: "subprocess.Popen[bytes]"
    journal: Path
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, Any]]:
        """Every complete line written so far; fails on one that is not JSON."""
        whole, _, _ = self.journal.read_bytes().rpartition(b"\n")
        return [msgspec.json.decode(line) for line in whole.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of one event."""
        return [line for line in self.log() if line["event"] == name]

    def until_serving(self, workers: int = 1) -> "Service":
        """Waits until so many workers serve; fails with the log when the process ends before."""
        deadline = time.monotonic() + PATIENCE_S
        while len(found := self.events("service.started")) < workers:
            assert self.process.poll() is None, self.journal.read_text()[-4000:]
            assert time.monotonic() < deadline, self.journal.read_text()[-4000:]
            time.sleep(0.02)
        self.port = found[0]["port"]
        return self

    def kill(self) -> None:
        """kill -9; returns when the process is gone."""
        self.process.kill()
        self.process.wait()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(
    journal: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None, workers: int = 1
) -> Iterator[Service]:
    """A service that serves on a port of its own choice; whatever is left of it is killed in the end."""
    service = start(journal, *arguments, "--workers", str(workers), environment=environment)
    try:
        yield service.until_serving(workers)
    finally:
        service.kill()


def start(
    journal: Path,
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = DISPATCH,
) -> Service:
    """Starts a service and does not wait for it; `program` stands in for `dispatch`."""
    # Compiled modules are kept, as they are wherever a service is installed: a start takes a third of the time.
    ours = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("DISPATCH_")}
    command = [sys.executable, *program, "serve", "--port", "0", *map(str, arguments)]
    with journal.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=log,
            cwd=ROOT,
            env={**ours, **(environment or {})},
            start_new_session=True,
        )
    return Service(process, journal)


@dataclass(frozen=True)
class Ground:
    """Where a service stands: its servers, its keyring, and a key of a connector."""

    database_url: str = field(repr=False)
    redis_url: str | None
    keyring: Keyring = field(repr=False)
    key: str = field(repr=False)

    def environment(self, folder: Path) -> dict[str, str]:
        """Names these servers and keys to a service; the keyring is kept in a file of `folder`."""
        path = folder / "keys.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(self.keyring.to_json())
        redis = {"DISPATCH_REDIS_URL": self.redis_url} if self.redis_url else {}
        return {"DISPATCH_DATABASE_URL": self.database_url, "DISPATCH_KEYRING_FILE": str(path), **redis}

    async def rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Looks into the database as its owner."""
        connection = await asyncpg.connect(self.database_url, server_settings={"timezone": "UTC"})
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def value(self, statement: str, *values: Any) -> Any:
        """The first value of the first row."""
        return (await self.rows(statement, *values))[0][0]


def embedded_ground(data: Path) -> Ground:
    """Durable servers in a data folder, with the demo city and a connector's key."""
    found = embedded.start(data)
    keyring = keyring_of(data)
    return asyncio.run(_laid(found.database_url, found.redis_url, keyring))


async def _laid(database_url: str, redis_url: str | None, keyring: Keyring) -> Ground:
    await migrate(database_url)
    await town.load_city(database_url, town.archive())
    return await ground(database_url, redis_url, keyring)


async def ground(database_url: str, redis_url: str | None, keyring: Keyring) -> Ground:
    """A key of a connector on a database that has a city."""
    pool = await open_pool(database_url, size=2)
    try:
        people = People(pool, keyring, SystemClock())
        _, key = await people.keys.create("test", "load", "hotline", ["demo"], ["connector"])
        return Ground(database_url, redis_url, keyring, key)
    finally:
        await pool.close()


def server_pids(data: Path) -> tuple[int, int]:
    """The process numbers of PostgreSQL and Redis of a data folder."""
    home = folder.find(data)
    assert home is not None
    postmaster = (home.path / "postgres" / "postmaster.pid").read_text().split("\n")[0]
    return int(postmaster), redis_pid(data)


def redis_pid(data: Path) -> int:
    """The process number of Redis alone: that of PostgreSQL is not there while it restarts."""
    home = folder.find(data)
    assert home is not None
    return int((home.sockets / "redis.pid").read_text())


def restart_postgres(data: Path) -> None:
    """A crash of the server and its recovery: nothing is written down before it stops."""
    home = folder.find(data)
    assert home is not None
    cluster = home.path / "postgres"
    programs = postgres._programs(home, cluster)
    home.account.run((programs / "pg_ctl", "-D", cluster, "-m", "immediate", "-w", "-l", home.path / "log", "restart"))


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    return [int(number) for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def left_of(data: Path) -> list[str]:
    """The command lines of all processes that have to do with a data folder, by command, working folder or open file."""
    sign, found = str(data), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            places = [os.readlink(entry / "cwd"), *(os.readlink(file) for file in (entry / "fd").iterdir())]
        except OSError:
            continue
        if sign in command or any(place.startswith(sign) for place in places):
            found.append(command)
    return found
