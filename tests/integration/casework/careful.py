"""A city that asks for evidence: what its rows say, and where its cases are."""

from typing import Any

import asyncpg

from tests.harness.town import Town
from tests.integration.casework.always import examine
from tests.integration.casework.walks import brought

HERE = (116.19, 33.13)
AWAY = (116.2225, 33.13)  # three kilometres to the east
# Pictures within 200 m; a visit too; nothing at all, an exception from the class above.
SHOWN, VISITED, FREE = "E0506", "E0503", "E0507"
EVIDENCE = f"""category,needs,within_m
E05,photo_before photo_after,200
{VISITED},site_check,
{FREE},none,
"""


async def case_of(town: Town, state: str, category: str = SHOWN, **fields: Any) -> str:
    """A case of drainage; its own place unless one is given."""
    return await brought(town, state, **({"category": category, "assigned_unit": "drainage"} | fields))


async def sound(town: Town) -> None:
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()
