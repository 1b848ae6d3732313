"""Ways to have everything counted, and to compare it with the events."""

from typing import Any

from dispatch.city.versions import Cities
from dispatch.indicators.rebuilding import Remade, compare, rebuild
from dispatch.indicators.rules import Rulebook
from dispatch.people.principal import Principal
from tests.harness.town import Town, principal

SUPERVISOR = principal("supervisor", "supervision")
PERIOD = "from=2026-11-01&to=2027-03-31"


async def counted(town: Town) -> int:
    """Everything that happened is counted; how many cases were looked at."""
    return await town.services.upkeep.catch_up()


async def compared(town: Town) -> Remade:
    """What differs between the figures that are there and the events."""
    async with town._owner() as connection, connection.transaction(isolation="repeatable_read"):
        return await compare(connection, Rulebook(await Cities.open(connection)))


async def remade(town: Town) -> Remade:
    """Everything made anew, and what differed before."""
    async with town._owner() as connection, connection.transaction():
        return await rebuild(connection, Rulebook(await Cities.open(connection)))


async def figures(
    town: Town, dimension: str = "all", key: str | None = None, who: Principal = SUPERVISOR, period: str = PERIOD
) -> dict[str, Any]:
    """All figures of one key, by name, once everything is counted."""
    await counted(town)
    of_key = f"&key={key}" if key else ""
    status, page = await town.get(f"/stats/indicators?dimension={dimension}{of_key}&{period}", who)
    assert status == 200, page
    (item,) = page["items"]
    return {each["indicator"]: each for each in item["figures"]}


def of(figure: dict[str, Any]) -> tuple[float, int | None]:
    """Numerator and denominator."""
    return figure["numerator"], figure["denominator"]
