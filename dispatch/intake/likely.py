"""What of a case may be said again by a report, before their words are compared: by place, kind, time and person.

Each candidate gets the parts of its score so far, the most that words can add, and from which score on the report would join it: so only
those words are compared that can still decide.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dispatch.city.categories import Category
from dispatch.city.model import Matching
from dispatch.intake.candidates import Candidate, Prepared
from dispatch.intake.locate import Place, metres
from dispatch.intake.texts import VERSION as SHIPPED

# What words can make of the score: beside a place up to this, and of one person's reports without a place.
TEXT_MOST, TEXT_ALONE = 0.15, 0.6
# What comes with the service was learned elsewhere, and knows little of what is rare here: by words alone it suggests.
NEVER: Final = 1.01
# Who says that they said it before is believed so much more to speak of their own earlier case.
AGAIN: Final = 0.2
UNSOLVED_WINDOW: Final = timedelta(days=30)


@dataclass(slots=True)
class Likely:
    """A candidate before its words are compared: the parts of the score so far, and the most that words can make of it."""

    candidate: Candidate
    same_person: bool
    kind: float
    distance: float | None
    far: bool
    parts: dict[str, float]
    most: float
    # From which score on it is one matter.
    attach: float

    @property
    def may_attach(self) -> bool:
        """Whether words can make it a case that the report joins."""
        return not self.far and self.kind > 0 and not self.candidate.ended and self.most >= self.attach

    @property
    def by_words(self) -> bool:
        """Whether words alone decide: another person's case, and no two places to compare."""
        return self.distance is None and not self.same_person


def in_time(candidate: Candidate, at: datetime, rules: Matching, same_person: bool) -> bool:
    """Whether a case is one of these days: open, or closed lately without being solved. Its own people's reports meet it however old it is."""
    if candidate.is_open:
        age = at - candidate.opened_at
        return timedelta(days=-1) <= age and (same_person or age <= timedelta(days=rules.days))
    return (
        candidate.closed_at is not None and candidate.solved is not True and at - candidate.closed_at <= UNSOLVED_WINDOW
    )


def likely(report: Prepared, candidate: Candidate, rules: Matching, same_person: bool) -> Likely | None:
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
    attach = _attach(report, rules, by_words=distance is None and not same_person)
    return Likely(candidate, same_person, kind, distance, far, parts, most, attach)


def _attach(report: Prepared, rules: Matching, *, by_words: bool) -> float:
    """From which score on it is one matter. Words alone say so only by what was learned here, as sure as those were that had been judged."""
    if not by_words:
        return rules.attach
    return max(report.texts.pairs.sure, rules.suggest) if report.texts.version != SHIPPED else NEVER


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
