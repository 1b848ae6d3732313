"""The cases that a report could be about, by the ways in which they can be near it: place, person, area and kind, words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dispatch.city.categories import Category
from dispatch.intake.alike import Texts
from dispatch.intake.classify import UNKNOWN, Classified
from dispatch.intake.directive import NONE, Directive
from dispatch.intake.locate import Place, tile_of
from dispatch.intake.located import Placed
from dispatch.intake.models import NO_VERSIONS
from dispatch.intake.rarity import Rarity
from dispatch.intake.read import Reading
from dispatch.intake.texts import shipped
from dispatch.intake.weighed import Weighed, kept

# Of the cases that have a run the newest are looked at, and of all these the likeliest are compared, as in the statement `candidates`.
NEWEST: Final = 32
LIKELIEST: Final = 12
# What a report and a case have in common must be so much rarer than one run can be: by a single one, however rare, nothing is found.
TOGETHER: Final = 1.2


@dataclass(slots=True)
class Prepared:
    """A report after the first half: nothing in it depends on another report."""

    reading: Reading
    place: Place
    category: Category | None
    restricted: bool
    tiles: tuple[int, ...]
    neighbourhoods: tuple[int, ...]
    backfill: bool
    by: str
    about: str | None = None
    directive: Directive = NONE
    # Keyed hash of the named object or party that it is about.
    object: bytes | None = None
    texts: Texts = field(default_factory=shipped)
    classified: Classified = UNKNOWN
    # Version of each model that it was judged by.
    models: Mapping[str, str] = field(default_factory=lambda: NO_VERSIONS)
    # As it is compared without words, where it has none and the city has learned how.
    placed: Placed | None = None
    _weighed: Weighed | None = None

    @property
    def weighed(self) -> Weighed:
        """Its words to be compared, weighed once."""
        if self._weighed is None:
            self._weighed = Weighed(self.reading.words, self.texts.rarity)
        return self._weighed

    @property
    def least(self) -> float:
        """How rare the runs must be together by which a case is found."""
        return TOGETHER * self.texts.rarity.most

    @property
    def kin(self) -> str:
        """The family of its kind; empty while nobody knows its category."""
        return self.category.kin if self.category else ""


@dataclass(slots=True)
class Candidate:
    """An earlier case as matching sees it, in the order of the columns of the statement `candidates`.

    `persons` holds those of the people of this batch who reported it before.
    """

    id: int
    case_no: str
    is_open: bool
    category: str | None
    kin: str
    lon: float | None
    lat: float | None
    area: str | None
    opened_at: datetime
    closed_at: datetime | None
    solved: bool | None
    # Its words as `intake.words.packed` makes them; a case from before these were kept has none.
    words: bytes | None
    persons: set[bytes] = field(default_factory=set)
    about: str | None = None
    object: bytes | None = None
    # Answered, refused or referred without a unit: never reopened by itself, a person looks whether anything is new.
    ended: bool = False
    # By which reports of the batch its words were found, and how rare the runs are together that it has in common with each.
    reports: Sequence[int] = ()
    together: Sequence[float] = ()
    # What it is compared by where there are no words: its address by keyed hashes, and how many stood near it (`located`).
    address: str = ""
    streets: Sequence[str] = ()
    crowd: int = 0
    around: int = 0
    # Of a case that this batch opens, the runs by which it is found again.
    ways: Sequence[int] = ()

    def weighed(self, rarity: Rarity) -> Weighed | None:
        """Its words to be compared."""
        return kept(self.words, rarity) if self.words is not None else None


class Candidates:
    """Cases by the ways in which `reports` can be near them; cases opened earlier in the same batch are added."""

    def __init__(self, candidates: Iterable[Candidate], reports: Sequence[Prepared]) -> None:
        # Reports have no other name before they are stored; the batch holds them as long as these.
        self._numbers = {id(report): number for number, report in enumerate(reports)}
        self._looked_for = frozenset(run for report in reports for run in report.weighed.leading)
        self._by_tile: dict[int, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
        self._by_person: dict[bytes, list[Candidate]] = defaultdict(list)
        self._by_area: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
        self._by_run: dict[int, list[Candidate]] = defaultdict(list)
        self._led: dict[int, list[tuple[Candidate, float]]] = defaultdict(list)
        for candidate in candidates:
            self.add(candidate)

    def add(self, candidate: Candidate) -> None:
        """Makes a case findable."""
        if candidate.lon is not None and candidate.lat is not None:
            self._by_tile[tile_of(candidate.lon, candidate.lat)][candidate.kin].append(candidate)
        elif candidate.area and candidate.kin:
            self._by_area[candidate.area, candidate.kin].append(candidate)
        for person in candidate.persons:
            self._by_person[person].append(candidate)
        for number, together in zip(candidate.reports, candidate.together, strict=True):
            self._led[number].append((candidate, together))
        for run in self._looked_for.intersection(candidate.ways):
            self._by_run[run].append(candidate)

    def joined_by(self, candidate: Candidate, person: bytes) -> None:
        """A person is now one of the case's."""
        if person not in candidate.persons:
            candidate.persons.add(person)
            self._by_person[person].append(candidate)

    def near(self, report: Prepared) -> list[Candidate]:
        """Each candidate once, in no order."""
        found = self._told(report)
        place, identity = report.place, report.reading.identity
        if place.lon is not None and place.lat is not None:
            for families in (self._by_tile[tile] for tile in report.tiles if tile in self._by_tile):
                for kin in {report.kin, ""} if report.category else families:
                    found += families.get(kin, ())
        elif place.area and report.category:
            found += self._by_area.get((place.area, report.category.kin), ())
        if identity is not None:
            found += self._by_person.get(identity.person, ())
        return list({c.id: c for c in found}.values())

    def _told(self, report: Prepared) -> list[Candidate]:
        """Those that have most of what is rare in the report's words, each run weighing as it is rare: kept cases and those of this batch."""
        led = self._led.get(self._numbers[id(report)], [])
        weight = {candidate.id: together for candidate, together in led}
        known = {candidate.id: candidate for candidate, _ in led}
        for run in self._by_run.keys() & report.weighed.leading.keys():
            for candidate in self._by_run[run][-NEWEST:]:
                weight[candidate.id] = weight.get(candidate.id, 0.0) + report.weighed.leading[run]
                known[candidate.id] = candidate
        enough = [id for id in weight if weight[id] >= report.least]
        return [known[id] for id in sorted(enough, key=lambda id: (-weight[id], -id))[:LIKELIEST]]
