"""Which earlier case a report without words is compared with, and how much is asked."""

from datetime import timedelta
from math import inf

import msgspec
import pytest

from dispatch.city.model import City
from dispatch.domain.reports import Report
from dispatch.intake.by_place import Pace, believed, placed
from dispatch.intake.candidates import Candidate, Prepared
from dispatch.intake.located import LocatedModel, Placed, Signs
from dispatch.intake.models import Models
from dispatch.intake.prepare import prepare
from tests.harness.town import CONNECTOR, KEYRING, PLACE, START
from tests.harness.town import report as sent

ZEROS = (0.0,) * len(Signs._fields)
# Believes half of everything it compares.
MODEL = LocatedModel(ZEROS, (1.0,) * len(ZEROS), ZEROS, 0.0, (0.1,) * 20)


def prepared(city: City, **fields: object) -> Prepared:
    report = msgspec.convert(sent(text=None, **fields), Report)
    item = prepare(report, city=city, keyring=KEYRING, by=CONNECTOR, wall=START, models=Models(located=MODEL))
    assert isinstance(item, Prepared)
    return item


def earlier(
    id: int = 1, days: float = 1.0, closed: float | None = None, north: float = 0.0, kind: str = "E0506"
) -> Candidate:
    closed_at = None if closed is None else START - timedelta(days=closed)
    return Candidate(
        id, str(id), closed is None, kind, "drainage", PLACE["lon"], PLACE["lat"] + north / 111_320, "990101", START - timedelta(days=days),
        closed_at, None, None,
    )  # fmt: skip


def found(city: City, *candidates: Candidate) -> int | None:
    item = prepared(city)
    assert item.placed is not None
    candidate, _ = believed(item.placed, candidates, 0.4)
    assert item.placed.flagged == (candidate is not None)
    return candidate.id if candidate else None


@pytest.mark.parametrize(
    ("candidate", "compared"),
    [
        (earlier(), True),
        (earlier(north=249), True),
        (earlier(north=252), False),
        (earlier(days=44), True),
        (earlier(days=46), False),
        (earlier(days=30, closed=13), True),
        (earlier(days=30, closed=15), False),
        (earlier(kind="E0503"), True),
        (earlier(days=-0.1), False),
    ],
)
def test_what_is_compared_lies_within_reach(city: City, candidate: Candidate, compared: bool) -> None:
    assert found(city, candidate) == (1 if compared else None)


def test_of_equally_believed_ones_the_newest_is_named(city: City) -> None:
    assert found(city, earlier(1, 2.0), earlier(2, 1.0), earlier(3, 3.0)) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "路口积水很深"},
        {"title": "积水"},
        {"location": {"area_code": "990101"}},
        {"category": None, "text": "积水"},
    ],
)
def test_words_or_the_lack_of_a_point_or_kind_leave_it_to_the_rule(city: City, fields: dict[str, object]) -> None:
    report = msgspec.convert({**sent(text=None), **fields}, Report)
    item = prepare(report, city=city, keyring=KEYRING, by=CONNECTOR, wall=START, models=Models(located=MODEL))
    assert isinstance(item, Prepared)
    assert item.placed is None


def test_without_a_learned_model_nothing_is_compared_so(city: City) -> None:
    item = prepared(city)
    report = item.reading.report
    assert placed(report, item.place, item.category, START, None, KEYRING) is None


def test_pace_begins_anew_with_another_model_and_asks_for_everything_without_one(city: City) -> None:
    pace, item = Pace(), prepared(city)
    assert pace.asked(None) == inf
    assert pace.asked(MODEL) == inf  # nothing is saved yet
    item.placed = Placed(MODEL, item.placed.case, 0.2) if item.placed else None
    for _ in range(9):
        pace.note([item])
    assert pace.asked(MODEL) < 1
    other = LocatedModel(ZEROS, (1.0,) * len(ZEROS), ZEROS, 0.0, (0.2,) * 20)
    assert pace.asked(other) == inf
