"""A city that asks for evidence."""

from collections.abc import AsyncIterator
from shutil import copytree

import pytest

from tests.harness.town import DEMO, Town, archive, load_city, town
from tests.integration.casework.careful import EVIDENCE


@pytest.fixture(scope="session")
def careful_city(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = copytree(DEMO, tmp_path_factory.mktemp("careful") / "city")
    (folder / "evidence.csv").write_text(EVIDENCE, encoding="utf-8")
    return archive(folder)


@pytest.fixture
async def careful(database_url: str, redis_url: str, careful_city: bytes) -> AsyncIterator[Town]:
    """The demo city with evidence asked for."""
    await load_city(database_url, careful_city)
    async with town(database_url, redis_url, loaded=True) as made:
        yield made
