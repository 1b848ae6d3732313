"""Fourth step: was it said before? Compares a report with live cases near in place, time and kind, of like words, or of the same person.

| kind            | place            | words    | who    | verdict  | what follows                                    |
|-----------------|------------------|----------|--------|----------|-------------------------------------------------|
| same or akin    | near, or none    | –        | same   | repeat   | attached; a reminder to the unit                |
| … closed, not solved                 |          | same   | repeat   | reopened in a new round                         |
| … answered, refused, referred        |          | same   | new      | own case, `suggested`: is anything new?         |
| same or akin    | near             | –        | other  | joined   | attached; more people                           |
| other           | near             | –        | same   | facet    | own case, linked                                |
| same            | far              | copied   | any    | topic    | own case, linked: one text about several places |
| same, akin or not known | none     | one matter | other | joined  | attached, where that is as sure as it must be   |
| akin or not known | none           | facet    | any    | facet    | own case, linked                                |
| same, akin or not known | none     | topic    | other  | topic    | own case, linked                                |
| anything that scores between the two thresholds             | new      | own case, `suggested`: a person decides         |

What words say is told by a model that learned from pairs which people judged (`alike`). A category that is each person's own claim
(`no_merge`) is only ever attached to the same person's case. What one person says of one named object or party counts as said of one
place. A complaint about a unit meets only cases about the same unit: any other may be in that unit's hands. A restricted report or case
takes no part. An open case is compared with its own people's reports however old it is. The score is a sum of named parts, so that it
can be explained.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from operator import attrgetter
from typing import Final

from dispatch.city.categories import Category
from dispatch.city.model import City, Matching
from dispatch.intake.alike import Likeness, alike, shared, unsaid
from dispatch.intake.by_place import believed
from dispatch.intake.candidates import Candidate, Candidates, Prepared
from dispatch.intake.lessons import MOST, NO_LESSONS, Lessons, pair
from dispatch.intake.locate import Place, metres
from dispatch.intake.located import Placed
from dispatch.intake.texts import VERSION as SHIPPED

# Share of rare words in common from which one text was copied for another place.
COPIED: Final = 0.6
# What words make of the score: beside a place between the two, and of one person's reports without a place up to this.
TEXT_LEAST, TEXT_MOST, TEXT_ALONE = -0.08, 0.15, 0.6
# What two texts about different things have in common.
UNLIKE: Final = 0.12
# One text about several places or people is told from words that have nothing in common by so much belief.
TOPIC: Final = 0.1
# What comes with the service was learned elsewhere, and knows little of what is rare here: by words alone it suggests.
NEVER: Final = 1.01
# Who says that they said it before is believed so much more to speak of their own earlier case.
AGAIN: Final = 0.2
OTHERS: Final = 2  # of the next best are kept for who asks why
UNSOLVED_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Match:
    """What was decided: the verdict, the case it is about, the parts of the score, and which others came next."""

    verdict: str
    score: float = 0.0
    suggested: bool = False
    candidate: Candidate | None = None
    reasons: tuple[str, ...] = ()
    # What the words alone say: same, facet, topic or diff; None where they were not compared.
    label: str | None = None
    others: tuple["Match", ...] = ()

    @property
    def attaches(self) -> bool:
        return self.verdict in ("repeat", "joined")


NOTHING = Match("new")


def match(
    report: Prepared,
    candidates: Candidates,
    city: City,
    at: datetime,
    lessons: Lessons = NO_LESSONS,
    asked: float = inf,
) -> Match:
    """The best of the candidates, as of the instant `at` of the report; of equally good ones the newest.

    `asked` is what must be believed of a report without words.
    """
    rules = city.matching
    if report.restricted or not city.automatic.match:
        return NOTHING
    person = report.reading.identity.person if report.reading.identity else None
    near = [each for each in candidates.near(report) if report.about is None or report.about == each.about]
    likeliest: list[_Likely] = []
    for candidate in near:
        same_person = person in candidate.persons
        if _in_time(candidate, at, rules, same_person):
            likely = _likely(report, candidate, rules, same_person)
            if likely is not None and likely.most >= rules.suggest:
                likeliest.append(likely)
    likeliest.sort(key=attrgetter("most"), reverse=True)
    # What was learned may lift a score beyond what words alone could make of it.
    margin = MOST if lessons else 0.0
    best: Match | None = None
    looked_at: list[Match] = []
    for likely in likeliest:
        # Words are compared last, and only where they could still make a better match.
        if best is not None and likely.most + margin < best.score:
            break
        found = _verdict(report, likely, rules, lessons)
        if found is not None:
            looked_at.append(found)
            best = found if best is None or _rank(found) > _rank(best) else best
    others = sorted((each for each in looked_at if each is not best), key=_rank, reverse=True)[:OTHERS]
    if report.placed is not None:
        best = _by_place(report.placed, near, best, person, asked)
    return replace(best, others=tuple(others)) if best else NOTHING


def _by_place(
    report: Placed, near: list[Candidate], by_rule: Match | None, person: bytes | None, asked: float
) -> Match | None:
    """Without words the learned model says what joins another's case, and the rule suggests; one's own case is the rule's."""
    candidate, distance = believed(report, near, asked)
    if by_rule is not None and by_rule.verdict == "repeat":
        return by_rule
    if candidate is None or not report.flagged:
        return replace(by_rule, verdict="new", suggested=True) if by_rule and by_rule.attaches else by_rule
    reasons = f"belief {report.belief:.3f}", f"asked {asked:.3f}", f"{distance:.0f} m"
    verdict = "new" if not candidate.is_open else "repeat" if person in candidate.persons else "joined"
    return Match(verdict, round(report.belief, 3), not candidate.is_open, candidate, reasons)


def new_in(report: Prepared, found: Match) -> list[tuple[int, int]]:
    """Where the text of a report says what the case that it is taken for does not hold; nothing where no words are kept of it."""
    said = report.reading.report.text
    if said is None or found.candidate is None or not (found.attaches or found.suggested):
        return []
    before = found.candidate.weighed(report.texts.rarity)
    return unsaid(said, before) if before is not None else []


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
class _Likely:
    """A candidate before its words are compared: the parts of the score so far, and the most that words can make of it."""

    candidate: Candidate
    same_person: bool
    kind: float
    distance: float | None
    far: bool
    parts: dict[str, float]
    most: float

    @property
    def by_words(self) -> bool:
        """Whether words alone decide: another person's case, and no two places to compare."""
        return self.distance is None and not self.same_person


def _likely(report: Prepared, candidate: Candidate, rules: Matching, same_person: bool) -> _Likely | None:
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
    if same_person and report.reading.again:
        parts["again"] = AGAIN
    words = TEXT_MOST if distance is not None else TEXT_ALONE if same_person else 1.0
    most = rules.attach if far else 1.0 if kind == 0 else min(round(sum(parts.values()) + words, 3), 1.0)
    return _Likely(candidate, same_person, kind, distance, far, parts, most)


def _verdict(report: Prepared, likely: _Likely, rules: Matching, lessons: Lessons) -> Match | None:
    """The verdict on one candidate by its words too, or None."""
    candidate, distance, parts = likely.candidate, likely.distance, likely.parts
    weighed = candidate.weighed(report.texts.rarity)
    if likely.far and (weighed is None or shared(report.weighed, weighed) < COPIED):
        return None
    words = alike(report.weighed, weighed, report.texts) if weighed is not None else None
    if likely.far:  # one text about several places
        if words is None:
            return None
        score = round(min(words.shared, rules.attach - 0.01), 3)
        return Match("topic", score, False, candidate, _reasons(parts, distance), words.label)
    if words is not None:
        parts["text"] = _said(words, likely)
    attach = _attach(report, likely, rules)
    score = _taught(report, likely, rules, lessons, attach)
    verdict, suggested = _told(words, likely, score, rules, attach)
    if verdict is None:
        return None
    return Match(verdict, score, suggested, candidate, _reasons(parts, distance), words.label if words else None)


def _told(
    words: Likeness | None, likely: _Likely, score: float, rules: Matching, attach: float
) -> tuple[str | None, bool]:
    """The verdict, and whether it is only suggested."""
    label = words.label if words else None
    if likely.kind == 0:
        return "facet", False
    if likely.candidate.ended:
        return ("new", True) if score >= rules.suggest else (None, False)
    if likely.by_words and label in ("topic", "diff"):
        return ("topic", False) if label == "topic" and score >= TOPIC else (None, False)
    if likely.distance is None and label == "facet" and likely.kind < 1 and score >= rules.suggest:
        return "facet", False
    if score >= attach:
        return ("repeat" if likely.same_person else "joined"), False
    return ("new", True) if score >= rules.suggest else (None, False)


def _attach(report: Prepared, likely: _Likely, rules: Matching) -> float:
    """From which score on it is one matter. Words alone say so only by what was learned here, as sure as those were that had been judged."""
    if not likely.by_words:
        return rules.attach
    return max(report.texts.pairs.sure, rules.suggest) if report.texts.version != SHIPPED else NEVER


def _said(words: Likeness, likely: _Likely) -> float:
    """What the words add to the score."""
    if likely.distance is not None:
        # Beside a place all words count alike: what is rare in them is the place.
        return max(TEXT_LEAST, min(TEXT_MOST, 0.5 * (words.overlap - UNLIKE)))
    return TEXT_ALONE * words.belief if likely.same_person else words.belief


def _taught(report: Prepared, likely: _Likely, rules: Matching, lessons: Lessons, attach: float) -> float:
    """The sum of the parts, with what people decided about such pairs: that alone attaches nothing, and hides nothing either."""
    parts = likely.parts
    score = round(min(max(sum(parts.values()), 0.0), 1.0), 3)
    learned = lessons.get(pair(report.category.code if report.category else None, likely.candidate.category), 0.0)
    if not learned or likely.kind == 0:
        return score
    parts["learned"] = learned
    taught = round(min(max(score + learned, 0.0), 1.0), 3)
    if score >= attach:
        return max(taught, rules.suggest)
    return min(taught, round(attach - 0.001, 3))


def _reasons(parts: dict[str, float], distance: float | None) -> tuple[str, ...]:
    return (
        *(f"{name} {value:+.2f}" for name, value in parts.items()),
        *([f"{distance:.0f} m"] if distance is not None else []),
    )


def _score(kind: float, distance: float | None, radius_m: float, same_person: bool) -> dict[str, float]:
    """Named parts that add up to the score. With a place it weighs as much as the kind; without, the words will, or they alone."""
    if distance is None and not same_person:
        return {}
    parts = {"kind": (0.3 if distance is None else 0.55) * kind}
    if distance is not None:
        parts["place"] = 0.45 * max(0.0, 1 - 0.5 * distance / radius_m)
    if same_person:
        # The same caller at the same place says little while nobody knows what kind of thing it is.
        parts["person"] = 0.15 * kind if distance is not None else 0.25
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
