"""What of a city's version decides how a case is counted: its hours and areas, whose cases are not assessed, which appeals count."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dispatch.casework.record import shown_area
from dispatch.city.model import City, Indicators
from dispatch.city.versions import Cities
from dispatch.store.pool import Executor
from gridmap.areas import AreaTree

NOON: Final = 12


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the version that a case stands under, so that counting it again later gives the same."""

    tz: ZoneInfo
    areas: AreaTree
    settings: Indicators

    def day(self, at: datetime) -> date:
        """The day that an instant counts to: of its date, or, where days end at noon, of the next noon."""
        local = at.astimezone(self.tz)
        # Noon of the clock on the wall: a date and an hour, whatever was done to clocks in between.
        after = self.settings.day_ends == "noon" and local.hour >= NOON
        return local.date() + timedelta(days=after)

    def path(self, area: str | None, *, restricted: bool) -> tuple[str, ...]:
        """The area and those around it; of a restricted case city and district alone, as on every map and list."""
        return tuple(shown_area(self.areas, area, restricted=restricted))


def rules_of(city: City) -> Rules:
    """The rules of a version."""
    return Rules(city.tz, city.map.areas, city.indicators)


class Rulebook:
    """The rules of every version, read when first needed."""

    def __init__(self, cities: Cities) -> None:
        self._cities = cities
        self._known: dict[int, Rules] = {}

    async def of(self, connection: Executor, version: int) -> Rules:
        """The rules of a version of the city; they never change."""
        if version not in self._known:
            self._known[version] = rules_of(await self._cities.version(connection, version))
        return self._known[version]
