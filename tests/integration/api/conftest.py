"""Fixtures of tests of the whole interface."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.town import Town, town


@pytest.fixture
async def a_town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """A service with the demo city and a clock that stands at START."""
    async with town(database_url, redis_url) as made:
        yield made
