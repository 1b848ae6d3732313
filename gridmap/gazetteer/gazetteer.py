"""The gazetteer, and how far what it finds lies from a point that was given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot
from typing import Final

from gridmap.gazetteer.belief import Beliefs, Signs
from gridmap.gazetteer.index import Entry, Index
from gridmap.gazetteer.places import Guess, Why, guesses
from gridmap.gazetteer.reading import parsed, parts_of, plain, read
from gridmap.gazetteer.search import likeliest
from gridmap.metres import metres_per_degree

# From this chance on a candidate speaks against a point that lies farther off than DISAGREES_M.
CERTAIN: Final = 0.8
DISAGREES_M: Final = 500.0
# What is left of a chance where the text names an area in which the place does not lie.
ELSEWHERE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a text may mean, in WGS-84 degrees; `name` is of the place of the gazetteer that it rests on.

    `confidence` is the chance that the point lies within 300 m, `area_confidence` the chance that the area is right; both follow from
    the signs, by the weights for its kind.
    """

    name: str
    lon: float
    lat: float
    area: str
    confidence: float
    area_confidence: float
    why: Why
    kind: str
    signs: Signs


# An address is hardly ever longer.
ADDRESS_MOST: Final = 40
REMEMBERED: Final = 4_096


class Gazetteer:
    """Immutable; threads may share one."""

    def __init__(self, entries: Iterable[Entry], beliefs: Beliefs, areas: Mapping[str, str] | None = None) -> None:
        """Indexes the places. `areas`: the names by which a text may name an area, each with the area as the places call it."""
        self._reader = _Reader(tuple(entries), beliefs, areas)
        self.entries = self._reader.entries
        # People say the same addresses again and again. What is remembered must not hold the gazetteer: it goes with its version of the city.
        self._remembered = lru_cache(REMEMBERED)(self._reader.find)

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, text: str, near_area: str | None = None, limit: int = 5) -> list[Candidate]:
        """What a text may mean, best first; empty where it says nothing that any place has.

        `near_area` is an area in which, or below which, the place is known to lie.
        """
        if not self.entries:
            return []
        find = self._remembered if len(text) <= ADDRESS_MOST else self._reader.find
        return list(find(text, near_area, limit))


class _Reader:
    """Finds what a text may mean, each time anew."""

    def __init__(self, entries: tuple[Entry, ...], beliefs: Beliefs, areas: Mapping[str, str] | None) -> None:
        self.entries, self._beliefs = entries, beliefs
        self._index = Index(entries)
        given = {name: name for name in self._index.areas} if areas is None else areas
        self._areas = {plain(name): area for name, area in given.items() if len(plain(name)) > 1}

    def find(self, text: str, near_area: str | None, limit: int) -> list[Candidate]:
        if len(text) > ADDRESS_MOST and not self._may_name(text):
            return []
        comparable = plain(text)
        said = read(parsed(comparable), self._index.known)
        named = {area for name, area in self._areas.items() if name in said.plain}
        within = tuple(named | {near_area} if near_area else named)
        likely = likeliest(said, self._index, within)
        if likely is None:
            return []
        return [self._candidate(guess, within) for guess in guesses(said, likely, self._index, limit)]

    def _may_name(self, text: str) -> bool:
        """Whether a long text can name a place: most of what people write at length names none, and nothing more is read of it."""
        return len(parts_of(text)) > 1 or self._index.touches("".join(text.split()).casefold())

    def _candidate(self, guess: Guess, within: tuple[str, ...]) -> Candidate:
        entry, (lon, lat) = self.entries[guess.row], guess.point / self._index.scale
        fits = 1.0 if not within or entry.area.startswith(within) else ELSEWHERE
        point, area = (fits * chance for chance in self._beliefs.of(guess.kind, guess.signs))
        return Candidate(
            entry.name, float(lon), float(lat), entry.area, point, area, guess.why, guess.kind, guess.signs
        )


def disagreement(candidates: Sequence[Candidate], lon: float, lat: float) -> float | None:
    """How far in metres a given point lies from what a text says; None where the text is not certain, or they agree."""
    if not candidates or candidates[0].confidence < CERTAIN:
        return None
    found = candidates[0]
    east, north = metres_per_degree((lat + found.lat) / 2)
    metres = hypot((lon - found.lon) * east, (lat - found.lat) * north)
    return metres if metres > DISAGREES_M else None
