"""Fixtures of tests that break things: durable servers and a service of the test's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch import embedded
from tests.faults.service import Ground, embedded_ground
from tests.harness import servers


@pytest.fixture(scope="session")
def laid() -> Iterator[tuple[Path, Ground]]:
    """A data folder with the demo city, laid once for all tests of this process: that takes longer than any of them."""
    run = servers.new_run_folder()
    yield run / "data", embedded_ground(run / "data")
    servers.end_run(run)


@pytest.fixture
def data(laid: tuple[Path, Ground]) -> Path:
    """The data folder with the city; other tests of this process have left their reports in it."""
    return laid[0]


@pytest.fixture
def on_embedded(laid: tuple[Path, Ground]) -> Ground:
    """The durable servers of `data`; they run."""
    found = embedded.start(laid[0])
    return replace(laid[1], database_url=found.database_url, redis_url=found.redis_url)
