"""Fourth step: was it said before? Compares a report with live cases near in place, time and kind, or of the same person.

| kind            | place            | text     | who    | verdict  | what follows                                    |
|-----------------|------------------|----------|--------|----------|-------------------------------------------------|
| same or akin    | near, or none    | –        | same   | repeat   | attached; a reminder to the unit                |
| … closed, not solved                 |          | same   | repeat   | reopened in a new round                         |
| … answered, refused, referred        |          | same   | new      | own case, `suggested`: is anything new?         |
| same or akin    | near             | –        | other  | joined   | attached; more people                           |
| other           | near             | –        | same   | facet    | own case, linked                                |
| same            | far              | copied   | any    | topic    | own case, linked: one text about several places |
| anything that scores between the two thresholds             | new      | own case, `suggested`: a person decides         |

A category that is each person's own claim (`no_merge`) is only ever attached to the same person's case. What one person
says of one named object or party counts as said of one place. A complaint about a unit meets only cases about the same unit:
any other may be in that unit's hands. A restricted report or case takes no part. An open case is compared with its own
people's reports however old it is. The score is a sum of named parts, so that it can be explained.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from dispatch.city.categories import Category
from dispatch.city.model import City, Matching
from dispatch.intake.directive import NONE, Directive
from dispatch.intake.lessons import MOST, NO_LESSONS, Lessons, pair
from dispatch.intake.locate import Place, metres, tile_of
from dispatch.intake.read import Reading
from dispatch.intake.similarity import Sketch, similarity

COPIED = 0.6
# What equal words add to the score: beside a place, and without one.
TEXT_MOST, TEXT_ALONE = 0.15, 0.6
UNSOLVED_WINDOW = timedelta(days=30)


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

    @property
    def kin(self) -> str:
        """The family of its kind; empty while nobody knows its category."""
        return self.category.kin if self.category else ""


@dataclass(slots=True)
class Candidate:
    """An earlier case as matching sees it. `persons` holds those of the people of this batch who reported it before."""

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
    sketch: Sketch
    persons: set[bytes] = field(default_factory=set)
    about: str | None = None
    object: bytes | None = None
    # Answered, refused or referred without a unit: never reopened by itself, a person looks whether anything is new.
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What was decided: the verdict, the case it is about, and the parts of the score."""

    verdict: str
    score: float = 0.0
    suggested: bool = False
    candidate: Candidate | None = None
    reasons: tuple[str, ...] = ()

    @property
    def attaches(self) -> bool:
        return self.verdict in ("repeat", "joined")


NOTHING = Match("new")


class Candidates:
    """Cases by the ways in which a report can be near them; cases opened earlier in the same batch are added."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._by_tile: dict[int, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
        self._by_person: dict[bytes, list[Candidate]] = defaultdict(list)
        self._by_area: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
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

    def joined_by(self, candidate: Candidate, person: bytes) -> None:
        """A person is now one of the case's."""
        if person not in candidate.persons:
            candidate.persons.add(person)
            self._by_person[person].append(candidate)

    def near(self, report: Prepared) -> list[Candidate]:
        """Each candidate once, in no order."""
        found: list[Candidate] = []
        place, identity = report.place, report.reading.identity
        if place.lon is not None and place.lat is not None:
            for families in (self._by_tile[tile] for tile in report.tiles if tile in self._by_tile):
                for kin in {report.kin, ""} if report.category else families:
                    found += families.get(kin, ())
        elif place.area and report.category:
            found += self._by_area.get((place.area, report.category.kin), ())
        if identity is not None and (theirs := self._by_person.get(identity.person)):
            ids = {c.id for c in found}
            found += [c for c in theirs if c.id not in ids]
        return found


def match(report: Prepared, candidates: Candidates, city: City, at: datetime, lessons: Lessons = NO_LESSONS) -> Match:
    """The best of the candidates, as of the instant `at` of the report; of equally good ones the newest."""
    rules = city.matching
    if report.restricted or not city.automatic.match:
        return NOTHING
    person = report.reading.identity.person if report.reading.identity else None
    likely: list[_Likeness] = []
    for candidate in candidates.near(report):
        same_person = person in candidate.persons
        if (report.about is None or report.about == candidate.about) and _in_time(candidate, at, rules, same_person):
            likeness = _likeness(report, candidate, rules, same_person)
            if likeness is not None and likeness.most >= rules.suggest:
                likely.append(likeness)
    likely.sort(key=_most, reverse=True)
    # What was learned may lift a score beyond what words alone could make of it.
    margin = MOST if lessons else 0.0
    best: Match | None = None
    for likeness in likely:
        # Words are compared last, and only where they could still make a better match.
        if best is not None and likeness.most + margin < best.score:
            break
        found = _verdict(report, likeness, rules, lessons)
        if found is not None and (best is None or _rank(found) > _rank(best)):
            best = found
    return best or NOTHING


def _rank(found: Match) -> tuple[float, datetime, int]:
    assert found.candidate is not None
    return found.score, found.candidate.opened_at, abs(found.candidate.id)


def _in_time(candidate: Candidate, at: datetime, rules: Matching, same_person: bool) -> bool:
    if candidate.is_open:
        age = at - candidate.opened_at
        return timedelta(days=-1) <= age and (same_person or age <= timedelta(days=rules.days))
    return (
        candidate.closed_at is not None and candidate.solved is not True and at - candidate.closed_at <= UNSOLVED_WINDOW
    )


@dataclass(slots=True)
class _Likeness:
    """A candidate before its words are compared: the parts of the score so far, and the most that words can make of it."""

    candidate: Candidate
    same_person: bool
    kind: float
    distance: float | None
    far: bool
    parts: dict[str, float]
    most: float


_most = attrgetter("most")


def _likeness(report: Prepared, candidate: Candidate, rules: Matching, same_person: bool) -> _Likeness | None:
    """None for a candidate that is out of the question whatever the words are."""
    if not same_person and (not candidate.is_open or (report.category is not None and report.category.no_merge)):
        return None
    kind = _kind(report.category, candidate)
    distance = _distance(report.place, candidate)
    same_object = same_person and report.object is not None and report.object == candidate.object
    if same_object:
        # What one person says of one named thing is about one place, whatever they complain of today.
        distance = 0.0
    far = distance is not None and distance > rules.radius_m
    if kind == 0 and (not same_person or distance is None or far):
        return None
    if far and not candidate.is_open:
        return None
    parts = _score(kind, distance, rules.radius_m, same_person)
    if same_object:
        parts["object"] = parts.pop("place")
    words = TEXT_MOST if distance is not None else TEXT_ALONE
    most = rules.attach if far else 1.0 if kind == 0 else min(round(sum(parts.values()) + words, 3), 1.0)
    return _Likeness(candidate, same_person, kind, distance, far, parts, most)


def _verdict(report: Prepared, likeness: _Likeness, rules: Matching, lessons: Lessons) -> Match | None:
    """The verdict on one candidate by its words too, or None."""
    candidate, distance, parts = likeness.candidate, likeness.distance, likeness.parts
    text = similarity(report.reading.sketch, candidate.sketch)
    if likeness.far and (text is None or text < COPIED):
        return None
    if distance is None:
        parts["text"] = TEXT_ALONE * (text or 0.0)
    elif text is not None:
        parts["text"] = max(-0.08, min(TEXT_MOST, 0.5 * (text - 0.12)))
    if likeness.far:  # one text about several places
        score = round(min(text or 0.0, rules.attach - 0.01), 3)
        return Match("topic", score, False, candidate, _reasons(parts, distance))
    score = _taught(report, likeness, rules, lessons)
    if likeness.kind == 0:
        return Match("facet", score, False, candidate, _reasons(parts, distance))
    if candidate.ended:
        return Match("new", score, True, candidate, _reasons(parts, distance)) if score >= rules.suggest else None
    if score >= rules.attach:
        verdict = "repeat" if likeness.same_person else "joined"
        return Match(verdict, score, False, candidate, _reasons(parts, distance))
    return Match("new", score, True, candidate, _reasons(parts, distance)) if score >= rules.suggest else None


def _taught(report: Prepared, likeness: _Likeness, rules: Matching, lessons: Lessons) -> float:
    """The sum of the parts, with what people decided about such pairs: that alone attaches nothing, and hides nothing either."""
    parts = likeness.parts
    score = round(min(max(sum(parts.values()), 0.0), 1.0), 3)
    learned = lessons.get(pair(report.category.code if report.category else None, likeness.candidate.category), 0.0)
    if not learned or likeness.kind == 0:
        return score
    parts["learned"] = learned
    taught = round(min(max(score + learned, 0.0), 1.0), 3)
    if score >= rules.attach:
        return max(taught, rules.suggest)
    return min(taught, round(rules.attach - 0.001, 3))


def _reasons(parts: dict[str, float], distance: float | None) -> tuple[str, ...]:
    return (
        *(f"{name} {value:+.2f}" for name, value in parts.items()),
        *([f"{distance:.0f} m"] if distance is not None else []),
    )


def _score(kind: float, distance: float | None, radius_m: float, same_person: bool) -> dict[str, float]:
    """Named parts that add up to the score. With a place it weighs as much as the kind; without, the text will."""
    parts = {"kind": (0.3 if distance is None else 0.55) * kind}
    if distance is not None:
        parts["place"] = 0.45 * max(0.0, 1 - 0.5 * distance / radius_m)
    if same_person:
        # The same caller at the same place says little while nobody knows what kind of thing it is.
        parts["person"] = 0.15 * kind if distance is not None else 0.3
    return parts


def _kind(category: Category | None, candidate: Candidate) -> float:
    """1 for the same category, 0.7 within a family, 0.5 where one of the two is not known yet, 0.4 where neither is."""
    if category is None or candidate.category is None:
        return 0.4 if category is None and candidate.category is None else 0.5
    if category.code == candidate.category:
        return 1.0
    return 0.7 if category.kin and category.kin == candidate.kin else 0.0


def _distance(place: Place, candidate: Candidate) -> float | None:
    if place.lon is None or place.lat is None or candidate.lon is None or candidate.lat is None:
        return None
    return metres(place.lon, place.lat, candidate.lon, candidate.lat)
