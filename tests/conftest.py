"""Fixtures for every test: servers are started when the first test asks for one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis.asyncio
from hypothesis import settings

from tests.harness import servers

# The ordinary run is the same every time; `make test-long` looks further and elsewhere each time.
settings.register_profile("project", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=5000, stateful_step_count=200, print_blob=True)
settings.load_profile("project")

RUN_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[RUN_FOLDER] = Path(given["run_folder"]) if given else servers.new_run_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run keeps its servers."""
    node.workerinput["run_folder"] = str(node.config.stash[RUN_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        servers.end_run(config.stash[RUN_FOLDER])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests measured without judging it: their property `figures`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "figures" and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid.partition('::')[2]}: {value}")


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """The folder that the processes of this run share."""
    return pytestconfig.stash[RUN_FOLDER]


@pytest.fixture(scope="session")
def template_url(run_folder: Path) -> str:
    """The migrated database that every test's own is a copy of; never connect to it."""
    return servers.template(run_folder)


@pytest.fixture
def database_url(template_url: str) -> Iterator[str]:
    """A fresh, migrated database as its owner; dropped after the test."""
    url = servers.fresh_database(template_url)
    yield url
    servers.drop(url)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A pool of plain connections to the test's database."""
    async with asyncpg.create_pool(database_url, min_size=1, max_size=8) as made:
        yield made


@pytest.fixture(scope="session")
def worker_redis_url(run_folder: Path, worker_id: str) -> str:
    """The Redis server of this worker."""
    return servers.worker_redis(run_folder, worker_id)


@pytest.fixture
async def redis_url(worker_redis_url: str) -> str:
    """An empty Redis that no other test uses at the same time."""
    async with redis.asyncio.Redis.from_url(worker_redis_url) as client:
        await client.flushall()
    return worker_redis_url


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder for servers of the test's own (durability, faults, start and stop); they are stopped after it."""
    run = servers.new_run_folder()
    yield run / "data"
    servers.end_run(run)
