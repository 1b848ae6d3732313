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
from datetime import datetime
from math import inf
from operator import attrgetter
from typing import Final

from dispatch.city.model import City, Matching
from dispatch.intake.alike import Likeness, alike, shared, unsaid
from dispatch.intake.by_place import believed
from dispatch.intake.candidates import Candidate, Candidates, Prepared
from dispatch.intake.lessons import MOST, NO_LESSONS, Lessons, pair
from dispatch.intake.likely import TEXT_ALONE, TEXT_MOST, Likely, in_time, likely
from dispatch.intake.located import Placed

# Share of rare words in common from which one text was copied for another place.
COPIED: Final = 0.6
# What words make of the score beside a place at the least.
TEXT_LEAST: Final = -0.08
# What two texts about different things have in common.
UNLIKE: Final = 0.12
# One text about several places or people is told from words that have nothing in common by so much belief.
TOPIC: Final = 0.1
OTHERS: Final = 2  # of the next best are kept for who asks why


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
    # What was learned may lift a score beyond what words alone could make of it.
    margin = MOST if lessons else 0.0
    best: Match | None = None
    looked_at: list[Match] = []
    for compared, one in enumerate(_likeliest(report, near, rules, person, at)):
        # Words are compared last: those of the few that who asks why is told of, and where they could still make a better match.
        better = best is None or (one.may_attach, one.most + margin) >= (best.attaches, best.score)
        if not better and compared > OTHERS:
            break
        found = _verdict(report, one, rules, lessons)
        if found is not None:
            looked_at.append(found)
            best = found if best is None or _rank(found) > _rank(best) else best
    others = sorted((each for each in looked_at if each is not best), key=_rank, reverse=True)[:OTHERS]
    if report.placed is not None:
        best = _by_place(report.placed, near, best, person, asked)
    return replace(best, others=tuple(others)) if best else NOTHING


def _likeliest(
    report: Prepared, near: list[Candidate], rules: Matching, person: bytes | None, at: datetime
) -> list[Likely]:
    """Those that words can still make a match, what the report could join first."""
    found = []
    for candidate in near:
        same_person = person in candidate.persons
        if in_time(candidate, at, rules, same_person):
            one = likely(report, candidate, rules, same_person)
            if one is not None and one.most >= rules.suggest:
                found.append(one)
    return sorted(found, key=attrgetter("may_attach", "most"), reverse=True)


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


def _rank(found: Match) -> tuple[bool, float, datetime, int]:
    """What joins goes before what is only like it, however alike."""
    assert found.candidate is not None
    return found.attaches, found.score, found.candidate.opened_at, abs(found.candidate.id)


def _verdict(report: Prepared, one: Likely, rules: Matching, lessons: Lessons) -> Match | None:
    """The verdict on a candidate by its words too, or None."""
    candidate, distance, parts = one.candidate, one.distance, one.parts
    weighed = candidate.weighed(report.texts.rarity)
    if one.far and (weighed is None or shared(report.weighed, weighed) < COPIED):
        return None
    words = alike(report.weighed, weighed, report.texts) if weighed is not None else None
    if one.far:  # one text about several places
        if words is None:
            return None
        score = round(min(words.shared, rules.attach - 0.01), 3)
        return Match("topic", score, False, candidate, _reasons(parts, distance), words.label)
    if words is not None:
        parts["text"] = _said(words, one)
    score = _taught(report, one, lessons, rules.suggest)
    verdict, suggested = _told(words, one, score, rules)
    if verdict is None:
        return None
    return Match(verdict, score, suggested, candidate, _reasons(parts, distance), words.label if words else None)


def _told(words: Likeness | None, one: Likely, score: float, rules: Matching) -> tuple[str | None, bool]:
    """The verdict, and whether it is only suggested."""
    label = words.label if words else None
    if one.kind == 0:
        return "facet", False
    if one.candidate.ended:
        return ("new", True) if score >= rules.suggest else (None, False)
    if one.by_words and label in ("topic", "diff"):
        return ("topic", False) if label == "topic" and score >= TOPIC else (None, False)
    if one.distance is None and label == "facet" and one.kind < 1 and score >= rules.suggest:
        return "facet", False
    if score >= one.attach:
        return ("repeat" if one.same_person else "joined"), False
    return ("new", True) if score >= rules.suggest else (None, False)


def _said(words: Likeness, one: Likely) -> float:
    """What the words add to the score."""
    if one.distance is not None:
        # Beside a place all words count alike: what is rare in them is the place.
        return max(TEXT_LEAST, min(TEXT_MOST, 0.5 * (words.overlap - UNLIKE)))
    return TEXT_ALONE * words.belief if one.same_person else words.belief


def _taught(report: Prepared, one: Likely, lessons: Lessons, suggest: float) -> float:
    """The sum of the parts, with what people decided about such pairs: that alone attaches nothing, and hides nothing either."""
    parts = one.parts
    score = round(min(max(sum(parts.values()), 0.0), 1.0), 3)
    learned = lessons.get(pair(report.category.code if report.category else None, one.candidate.category), 0.0)
    if not learned or one.kind == 0:
        return score
    parts["learned"] = learned
    taught = round(min(max(score + learned, 0.0), 1.0), 3)
    if score >= one.attach:
        return max(taught, suggest)
    return min(taught, round(one.attach - 0.001, 3))


def _reasons(parts: dict[str, float], distance: float | None) -> tuple[str, ...]:
    return (
        *(f"{name} {value:+.2f}" for name, value in parts.items()),
        *([f"{distance:.0f} m"] if distance is not None else []),
    )
