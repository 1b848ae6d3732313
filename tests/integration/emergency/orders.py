"""What commanders order, and ways to look at what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from dispatch.city.emergencies import Emergencies
from dispatch.people.principal import Principal
from tests.harness.town import Town
from tests.integration.casework.always import examine
from tests.integration.casework.people import COMMANDER
from tests.integration.casework.walks import opened

REASON = "暴雨红色预警，防汛一级响应"
# A district of the demo city, an ordinary matter that is no other's, and places in the district and in another one.
DISTRICT = "990101"
LITTER: dict[str, Any] = {"category": "E0110", "text": "路边有垃圾"}


def here(n: int) -> dict[str, float]:
    return {"lon": 116.176 + 0.003 * n, "lat": 33.13}


def there(n: int) -> dict[str, float]:
    return {"lon": 116.2313 + 0.003 * n, "lat": 33.13}


async def litter(town: Town, place: dict[str, float], **fields: Any) -> str:
    """A case about litter; its number."""
    return await opened(town, **(LITTER | {"location": place} | fields))


@contextmanager
def overtaken(town: Town, emergencies: Emergencies, *, back: bool = True) -> Iterator[None]:
    """The service as a process that has not heard of the last change yet; afterwards it has, unless it hears of it itself."""
    cities = town.services.cities
    now = cities.current
    cities.current = replace(now, emergencies=emergencies)
    yield
    if back:
        cities.current = now


async def post(town: Town, path: str, who: Principal = COMMANDER, **body: Any) -> tuple[int, Any]:
    """POST below /api/v1/emergencies; the status and the body."""
    url = f"{town.url}/api/v1/emergencies{path}"
    async with town.http.post(url, json=body, headers=town.acts_as(who)) as answer:
        return answer.status, await answer.json(content_type=None)


async def start(town: Town, **body: Any) -> Any:
    """An emergency for what lies about the streets, unless told otherwise."""
    status, made = await post(town, "", **({"categories": ["E01"], "reason": REASON} | body))
    assert status == (200 if body.get("dry_run") else 201), made
    return made["impact" if body.get("dry_run") else "emergency"]


async def end(town: Town, id: int, **body: Any) -> Any:
    """Ends one."""
    status, ended = await post(town, f"/{id}/end", **body)
    assert status == 200, ended
    return ended["impact" if body.get("dry_run") else "emergency"]


async def state_of(town: Town, number: str) -> dict[str, Any]:
    """The row of a case."""
    return dict((await town.rows("SELECT * FROM cases WHERE case_no = $1", number))[0])


async def whole(town: Town) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that an emergency could touch."""
    tables = (
        "cases",
        "assignments",
        "deadlines",
        "case_events",
        "escalations",
        "notices",
        "emergencies",
        "emergency_cases",
        "access_log",
    )
    return {name: [tuple(row) for row in await town.rows(f"SELECT * FROM {name} ORDER BY 1, 2, 3")] for name in tables}


async def looked_at(town: Town, clocks: dict[int, Any]) -> dict[int, Any]:
    """What must always hold, holds; the clocks for the next look."""
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        return await examine(connection, clocks)
    finally:
        await connection.close()


async def audited(town: Town) -> list[tuple[str, str, str]]:
    """Who ordered what, in the access log."""
    rows = await town.rows("SELECT actor, action, subject FROM access_log WHERE action LIKE 'emergency.%' ORDER BY id")
    return [(row["actor"], row["action"], row["subject"]) for row in rows]
