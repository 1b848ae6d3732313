"""The real matters behind generated reports, and what is known to be true of each report."""

from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.generator.families import Family
from connectors.generator.people import Person
from connectors.generator.places import Place

Verdict = Literal["repeat", "joined", "facet", "topic", "new", "none"]


@dataclass(slots=True)
class Matter:
    """One real matter. `thing` and `party` are how it is named, `spot` is the building, `lon`, `lat` its own point
    (WGS-84), `calls` how often each person reported it, in the order of their first calls."""

    id: str
    family: Family
    category: str | None
    place: Place
    thing: str
    party: str
    spot: str
    lon: float
    lat: float
    calls: dict[Person, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a report.

    `verdict`: repeat (same caller, same matter), joined (same matter, other or unknown caller), facet (same caller and
    place, other problem), topic (same kind of trouble elsewhere), new, none (a question, quarrel or price that is not
    our business, or a report without anything to act on). `of` is the matter that repeat, joined, facet and topic
    refer to. `unit` and `cell` are not known to the generator.
    """

    matter: str
    verdict: Verdict
    category: str | None
    of: str | None = None
    unit: str | None = None
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """A report in the wire form with its truth. `spoiled` names the bad field made on purpose (see `rubbish`);
    `numbers` are the telephone numbers (digits) that stand in the text and have to be masked."""

    report: dict[str, Any]
    truth: Truth
    spoiled: str | None = None
    numbers: tuple[str, ...] = ()
