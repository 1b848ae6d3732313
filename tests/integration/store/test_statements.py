"""Every named statement is one that the server takes, whatever its version: the suite runs on two of them."""

from pathlib import Path

import asyncpg
import pytest

from dispatch.store.statements import load

HOUSE = Path(__file__).parents[3] / "dispatch"
FILES = sorted(path for path in HOUSE.rglob("*.sql") if "migrations" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOUSE).as_posix())
async def test_the_server_takes_every_statement(city_url: str, path: Path) -> None:
    refused, statements = {}, vars(load(str(path), path.stem))
    connection = await asyncpg.connect(city_url)
    async with connection.transaction():
        for made in (each for each in statements.values() if each.startswith("CREATE TEMPORARY")):
            await connection.execute(made)
        for name, statement in statements.items():
            try:
                async with connection.transaction():
                    await connection.prepare(statement)
            except asyncpg.PostgresError as error:
                refused[name] = str(error)
    await connection.close()
    assert refused == {}
