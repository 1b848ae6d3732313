"""The table of matching, row by row, and what must never meet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dispatch.city.model import City
from dispatch.domain.reports import Report
from dispatch.intake.candidates import Candidate, Candidates, Prepared
from dispatch.intake.commit import Held
from dispatch.intake.match import Match, match
from dispatch.intake.prepare import prepare
from dispatch.intake.texts import VERSION as SHIPPED
from dispatch.intake.words import packed
from tests.harness.town import CONNECTOR, KEYRING, PLACE, START, report

ME, SHE = {"name": "甲", "phone": "13800000001"}, {"name": "乙", "phone": "13800000002"}
LONG = "幸福小区三号楼门前的污水井已经连续三天往外冒水臭味很大请尽快派人处理"
OTHER = "学校门口每天早上七点钟有人摆摊卖早餐占了整条人行道孩子们只好走在车行道上"


def _north(metres: float) -> dict[str, float]:
    return {"lon": PLACE["lon"], "lat": PLACE["lat"] + metres / 111_320}


def _prepared(city: City, **fields: Any) -> Prepared:
    made = msgspec.convert(report(**fields), Report)
    item = prepare(made, city=city, keyring=KEYRING, by=CONNECTOR, wall=START)
    assert not isinstance(item, Held)
    return item


def _case(item: Prepared, **changes: Any) -> Candidate:
    place, identity = item.place, item.reading.identity
    persons = {identity.person} if identity else set()
    code = item.category.code if item.category else None
    made = Candidate(
        7,
        "2026",
        True,
        code,
        item.kin,
        place.lon,
        place.lat,
        place.area,
        START,
        None,
        None,
        packed(item.reading.words),
        persons,
        item.about,
    )
    return replace(made, **changes)


def _found(
    city: City, earlier: dict[str, Any], later: dict[str, Any], at: timedelta = timedelta(), **case: Any
) -> Match:
    item = _prepared(city, **later)
    return match(item, Candidates([_case(_prepared(city, **earlier), **case)], [item]), city, START + at)


UNSOLVED = {"is_open": False, "closed_at": START, "solved": False}
SOLVED = UNSOLVED | {"solved": True}

# the earlier report · what happened to its case · the later report · verdict · suggested
ROWS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str, bool]] = {
    "same kind, near, same person": ({"caller": ME}, {}, {"caller": ME}, "repeat", False),
    "akin, near, same person": ({"caller": ME}, {}, {"caller": ME, "category": "E0503"}, "repeat", False),
    "same kind, no place, same person, same words": (
        {"caller": ME, "location": None, "text": LONG}, {}, {"caller": ME, "location": None, "text": LONG}, "repeat", False),
    "same kind, no place, same person, other words": (
        {"caller": ME, "location": None, "text": LONG}, {}, {"caller": ME, "location": None, "text": OTHER}, "new", True),
    "closed and not solved, same person": ({"caller": ME}, UNSOLVED, {"caller": ME}, "repeat", False),
    "closed and not solved, other person": ({"caller": ME}, UNSOLVED, {"caller": SHE}, "new", False),
    "closed and solved, same person": ({"caller": ME}, SOLVED, {"caller": ME}, "new", False),
    "same kind, near, other person": ({"caller": ME}, {}, {"caller": SHE}, "joined", False),
    "same kind, near, nobody": ({}, {}, {}, "joined", False),
    "same number, other name": ({"caller": ME}, {}, {"caller": ME | {"name": "丙"}}, "joined", False),
    "same kind, at the rim": ({"text": None}, {}, {"text": None, "location": _north(148)}, "new", True),
    "same kind, beyond the rim": ({}, {}, {"location": _north(160)}, "new", False),
    "other kind, near, same person": ({"caller": ME}, {}, {"caller": ME, "category": "E0110"}, "facet", False),
    "other kind, near, other person": ({"caller": ME}, {}, {"caller": SHE, "category": "E0110"}, "new", False),
    "same kind, far, copied": ({"caller": ME, "text": LONG}, {}, {"caller": ME, "text": LONG, "location": _north(3000)}, "topic", False),
    "same kind, far, own words": ({"caller": ME, "text": LONG}, {}, {"caller": ME, "text": OTHER, "location": _north(3000)}, "new", False),
    "one's own claim, other person": ({"caller": ME, "category": "S010101"}, {}, {"caller": SHE, "category": "S010101"}, "new", False),
    "one's own claim, same person": ({"caller": ME, "category": "S010101"}, {}, {"caller": ME, "category": "S010101"}, "repeat", False),
    "a tip-off, same person": ({"caller": ME}, {}, {"caller": ME, "kind": "tipoff"}, "new", False),
    "about a unit, of an ordinary case": ({"caller": ME}, {}, {"caller": ME, "about": {"unit": "drainage"}}, "new", False),
    "about the same unit": ({"about": {"unit": "gas"}}, {}, {"about": {"unit": "gas"}}, "joined", False),
    "ordinary, of a case about a unit": ({"about": {"unit": "gas"}}, {}, {}, "joined", False),
}  # fmt: skip


@pytest.mark.parametrize(("earlier", "case", "later", "verdict", "suggested"), ROWS.values(), ids=ROWS)
def test_a_row_of_the_table(
    city: City, earlier: dict[str, Any], case: dict[str, Any], later: dict[str, Any], verdict: str, suggested: bool
) -> None:
    found = _found(city, earlier, later, **case)
    assert (found.verdict, found.suggested) == (verdict, suggested)
    assert bool(found.reasons) == (found.candidate is not None)


@pytest.mark.parametrize(
    ("days", "caller", "verdict"), [(29, SHE, "joined"), (31, SHE, "new"), (31, ME, "repeat"), (-2, ME, "new")]
)
def test_how_long_an_open_case_is_compared(city: City, days: int, caller: dict[str, str], verdict: str) -> None:
    assert _found(city, {"caller": ME}, {"caller": caller}, timedelta(days=days)).verdict == verdict


@pytest.mark.parametrize(("days", "verdict"), [(29, "repeat"), (31, "new")])
def test_how_long_an_unsolved_closed_case_can_come_back(city: City, days: int, verdict: str) -> None:
    assert _found(city, {"caller": ME}, {"caller": ME}, timedelta(days=days), **UNSOLVED).verdict == verdict


@pytest.mark.parametrize("version", [SHIPPED, "learned here"])
def test_what_joins_goes_before_what_is_only_more_alike(city: City, version: str) -> None:
    """A case without a place that has the very same words may only be suggested: the one at the spot takes the report."""
    item = _prepared(city, caller=SHE, text=LONG)
    item.texts = item.texts._replace(version=version, pairs=msgspec.structs.replace(item.texts.pairs, sure=0.9999))
    at_the_spot = _case(_prepared(city, caller=ME, text=OTHER), id=1)
    placeless = _prepared(city, text=LONG, location=None)
    by_words = _case(placeless, id=2, ways=placeless.weighed.ways)
    alone = match(item, Candidates([by_words], [item]), city, START)
    assert alone.suggested
    together = match(item, Candidates([at_the_spot, by_words], [item]), city, START)
    assert together.score < alone.score
    assert (together.verdict, together.candidate) == ("joined", at_the_spot)


def test_the_score_is_the_sum_of_its_reasons(city: City) -> None:
    found = _found(
        city, {"caller": ME, "text": LONG}, {"caller": ME, "category": "E0503", "text": OTHER, "location": _north(60)}
    )
    parts = [float(reason.split()[1]) for reason in found.reasons if not reason.endswith(" m")]
    assert found.score == pytest.approx(sum(parts), abs=0.02)
    assert found.reasons[-1] == "60 m"


def test_the_best_of_several_is_taken_and_of_equals_the_newest(city: City) -> None:
    item = _prepared(city)
    near, nearer = _case(_prepared(city, location=_north(50)), id=1), _case(item, id=2)
    assert match(item, Candidates([near, nearer], [item]), city, START).candidate == nearer
    older, newer = _case(item, id=1, opened_at=START - timedelta(days=1)), _case(item, id=2)
    assert match(item, Candidates([newer, older], [item]), city, START).candidate == newer


def test_what_was_decided_about_such_pairs_moves_a_suggestion_and_attaches_nothing(city: City) -> None:
    earlier, later = {"caller": ME, "text": LONG}, {"caller": SHE, "text": OTHER, "category": None}
    candidate = _case(_prepared(city, **earlier))
    item = _prepared(city, **later)
    plain = match(item, Candidates([candidate], [item]), city, START)
    assert plain.suggested
    kinds = ("E0506", "none")
    same = match(item, Candidates([candidate], [item]), city, START, {kinds: 0.1})
    assert same.suggested
    assert plain.score < same.score < city.matching.attach
    assert "learned +0.10" in same.reasons
    assert match(item, Candidates([candidate], [item]), city, START, {kinds: -0.1}).verdict == "new"


def test_what_one_person_says_of_one_named_thing_is_said_of_one_place(city: City) -> None:
    about = {"object": "顺达租车公司"}
    earlier = {"caller": ME, "about": about, "location": None, "text": LONG}
    found = _found(city, earlier, {"caller": ME, "about": about, "location": None, "text": OTHER}, object=None)
    assert found.verdict == "new"
    item = _prepared(city, **earlier)
    later = _prepared(city, caller=ME, about=about, location=None, text=OTHER)
    found = match(later, Candidates([_case(item, object=item.object)], [later]), city, START)
    assert (found.verdict, any(reason.startswith("object") for reason in found.reasons)) == ("repeat", True)
