"""Fixtures of tests that need a whole service."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.harness import servers
from tests.harness.town import Town, archive, load_city, town


@pytest.fixture(scope="session")
def city_template(run_folder: Path, template_url: str) -> str:
    """A database with the demo city in force; never connect to it."""
    return servers.city_template(run_folder, template_url, lambda url: load_city(url, archive()))


@pytest.fixture
def city_url(city_template: str) -> Iterator[str]:
    """A fresh database with the demo city in force, as its owner; dropped after the test."""
    url = servers.fresh_database(city_template)
    yield url
    servers.drop(url)


@pytest.fixture
async def a_town(city_url: str, redis_url: str) -> AsyncIterator[Town]:
    """A service with the demo city and a clock that stands at START."""
    async with town(city_url, redis_url, loaded=True) as made:
        yield made
