"""The places of a gazetteer by what is said of them: runs of characters, roads with numbers, parts of lists, whole names and addresses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from operator import add
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridmap.gazetteer.reading import Said, key_of, known_roads, parsed, plain, read, runs, trunk
from gridmap.metres import metres_per_degree

Rows = NDArray[np.int32]
Numbers = NDArray[np.float64]
# The first character of a key says what is looked up; runs of characters begin with none of these.
NAME, ADDRESS, ROAD, TRUNK, PART, TOWN = "=@/~,^"
NO_ROWS: Final = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in WGS-84 degrees; `area` is a code or a name, as the city calls its areas."""

    name: str
    address: str
    area: str
    lon: float
    lat: float
    aliases: tuple[str, ...] = ()


class Index:
    """Immutable. Rows are numbered in the order in which the places came; `plane` holds their points in metres."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Reads and indexes the places."""
        self.entries = entries
        texts = [[plain(text) for text in (entry.name, *entry.aliases, entry.address)] for entry in entries]
        addresses = [[parsed(text) for text in listed] for listed in texts]
        self.known: Mapping[str, str] = known_roads(each for listed in addresses for each in listed)
        self.names = [tuple(name for name in map(key_of, listed[:-1]) if name) for listed in texts]
        self.addresses = [key_of(listed[-1]) for listed in texts]
        self._short = {name for names in self.names for name in names if len(name) == 2}
        rows: dict[str, list[int]] = {}
        numbers: dict[str, list[tuple[int, int]]] = {}
        for row, listed in enumerate(addresses):
            said = [read(address, self.known) for address in listed]
            for key in {key for each in said for key in keys(each)} | self._wholes(row):
                rows.setdefault(key, []).append(row)
            for road in said[-1].roads:
                if road.number is not None:
                    numbers.setdefault(road.name, []).append((road.number, row))
        self._place = {key: place for place, key in enumerate(rows)}
        self._starts = np.cumsum([0, *map(len, rows.values())]).tolist()
        self._rows: Rows = np.array([row for listed in rows.values() for row in listed], dtype=np.int32)
        self.numbers = {road: np.array(sorted(listed), dtype=np.int32) for road, listed in numbers.items()}
        self._by_area(entries)
        self.scale = metres_per_degree(float(np.mean([entry.lat for entry in entries])) if entries else 0.0)
        self.plane: Numbers = np.array([(entry.lon, entry.lat) for entry in entries]).reshape(-1, 2) * self.scale
        self.most = log(len(entries) + 1)

    def _wholes(self, row: int) -> set[str]:
        return {NAME + name for name in self.names[row]} | (
            {ADDRESS + self.addresses[row]} if self.addresses[row] else set()
        )

    def _by_area(self, entries: Sequence[Entry]) -> None:
        self.areas = sorted({entry.area for entry in entries})
        number = {area: place for place, area in enumerate(self.areas)}
        self.area_of: Rows = np.array([number[entry.area] for entry in entries], dtype=np.int32)
        self.sizes = np.bincount(self.area_of, minlength=len(self.areas))

    def rows(self, key: str) -> Rows:
        """The places of which this is said, ascending."""
        place = self._place.get(key)
        return NO_ROWS if place is None else self._rows[self._starts[place] : self._starts[place + 1]]

    def known_of(self, asked: set[str]) -> set[str]:
        """Those of the keys under which there is a place."""
        return asked & self._place.keys()

    def touches(self, text: str) -> bool:
        """Whether any place has three characters in a row in common with a text, or a whole name of two."""
        triples = map(add, map(add, text, text[1:]), text[2:])
        return not self._place.keys().isdisjoint(triples) or any(name in text for name in self._short)

    def shares(self, row: int, text: str, size: int) -> bool:
        """Whether a run of so many characters of a place's name or address stands in a text."""
        return any(
            own[start : start + size] in text
            for own in (*self.names[row], self.addresses[row])
            for start in range(len(own) - size + 1)
        )

    def within(self, areas: Iterable[str]) -> NDArray[np.bool_]:
        """Which places lie in one of these areas, or below one."""
        above = tuple(areas)
        return np.array([area.startswith(above) for area in self.areas])[self.area_of]

    def rarity(self, count: int) -> float:
        """How much it says that so many places have something: 0 for all of them."""
        return self.most - log(count + 1)


def apart(one: Numbers, other: Numbers) -> Numbers:
    """Metres from each point of one list to each of the other, on the plane: shape (n, m)."""
    east, north = one[:, 0, None] - other[:, 0], one[:, 1, None] - other[:, 1]
    distances: Numbers = np.sqrt(east * east + north * north)
    return distances


def keys(said: Said) -> set[str]:
    """All under which a text is found, but for its whole."""
    return marks(said) | runs(said.plain)


def marks(said: Said) -> set[str]:
    """What it names: parts of a list, towns, roads; each begins with the sign of its kind."""
    found = {PART + part for part in said.parts} | {TOWN + town for town in said.towns}
    for road in said.roads:
        found |= {ROAD + road.name, TRUNK + trunk(road.name)}
    return found
