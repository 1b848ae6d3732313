"""The places of a city by name (地名库), from its file `gazetteer.csv`."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from dispatch.city.files import CONFIG
from dispatch.city.rows import GazetteerRow
from dispatch.city.tables import Line
from gridmap.areas import AreaTree
from gridmap.gazetteer import Entry, Gazetteer
from gridmap.gazetteer.belief import Beliefs

FILE: Final = "gazetteer.csv"
SHIPPED: Final = CONFIG / "models" / "places.json"


@cache
def shipped_beliefs() -> Beliefs:
    """How far candidates are believed, as the service comes."""
    return msgspec.json.decode(SHIPPED.read_bytes(), type=Beliefs)


def city_gazetteer(lines: Sequence[Line[GazetteerRow]], areas: AreaTree) -> Gazetteer:
    """The gazetteer of a city; a text may name any of its areas."""
    entries = [
        Entry(row.name, row.address, row.area, row.lon, row.lat, tuple(filter(None, row.aliases.split("|"))))
        for row in (line.row for line in lines)
    ]
    return Gazetteer(entries, shipped_beliefs(), {area.name: area.code for area in areas.areas.values()})
