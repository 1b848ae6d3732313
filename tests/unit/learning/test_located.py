"""Cases with a place and no words: which earlier one is said again, learned from the pairs that people named."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import expm1

import pytest

from dispatch.intake.allowance import Share
from dispatch.intake.located import Located, LocatedModel, Reach, signs
from dispatch.intake.streets import NOWHERE, address
from dispatch.learning.located import Judged, Named, gatherings, judge, met
from dispatch.learning.located_fit import NothingNamed, train

START = datetime(2026, 3, 1, tzinfo=UTC)
LON, LAT = 114.3, 30.5
METRE = 1 / 111_320
ALL = Share(most=1.0, usual=1.0)


def case(key: str, hours: float, north: float = 0.0, kind: str = "lamp", **more: object) -> Located:
    """A case so many hours after the start, so many metres north of the middle."""
    made = Located(key, kind, "", START + timedelta(hours=hours), None, LON, LAT + north * METRE)
    return replace(made, **more)  # type: ignore[arg-type]


def history(seed: int = 1) -> tuple[list[Located], list[Named]]:
    """Lamps are named up to 100 m away, holes only on the spot, and benches never; a pole down is named after a lamp."""
    ways, cases, named = random.Random(seed), list[Located](), list[Named]()
    for n in range(300):
        at, place, kind = n * 5.0, n * 700.0, ("lamp", "hole", "bench")[n % 3]
        cases.append(case(f"{n}a", at, place, kind))
        away = ways.choice((0.0, 30.0, 60.0, 90.0))
        again = "pole" if kind == "lamp" and n % 4 == 0 else kind
        cases.append(case(f"{n}b", at + 2, place + away, again))
        if kind == "lamp" or (kind == "hole" and away == 0):
            named.append(Named(f"{n}b", f"{n}a"))
    return cases, named


@pytest.fixture(scope="module")
def model() -> LocatedModel:
    return train(*history())


def belief(model: LocatedModel, *cases: Located) -> float:
    return list(judge(cases, model, ALL))[-1].belief


def said(model: LocatedModel, *cases: Located) -> str | None:
    last = list(judge(cases, model, ALL))[-1]
    return last.earlier.key if last.earlier else None


def test_how_far_one_matter_reaches_is_learned_for_each_kind(model: LocatedModel) -> None:
    lamp = belief(model, case("a", 0), case("b", 2, 90))
    assert lamp > 0.5 > belief(model, case("a", 0, kind="hole"), case("b", 2, 90, "hole"))
    assert belief(model, case("a", 0, kind="hole"), case("b", 2, 0, "hole")) > 0.5


def test_a_kind_that_nobody_names_is_not_believed(model: LocatedModel) -> None:
    assert belief(model, case("a", 0, kind="bench"), case("b", 2, 0, "bench")) < 0.1


def test_kinds_that_were_named_together_are_akin_and_others_are_not(model: LocatedModel) -> None:
    assert belief(model, case("a", 0), case("b", 2, 30, "pole")) > 0.5
    assert said(model, case("a", 0), case("b", 2, 0, "hole")) is None


def test_of_a_kin_without_names_one_kind_may_follow_another() -> None:
    cases, named = history()
    blind = train(cases, named, by_kind=False)
    assert (blind.kinds, blind.kins, blind.after) == ({}, {}, {})
    assert said(blind, case("a", 0, kin="light"), case("b", 2, kind="mast", kin="light")) == "a"
    assert said(blind, case("a", 0), case("b", 2, kind="mast")) is None


def test_nothing_is_known_of_a_case_but_what_was_known_when_the_next_was_opened(model: LocatedModel) -> None:
    open_, after = case("a", 0), case("b", 2, 30)
    later = replace(open_, closed_at=START + timedelta(hours=3))
    closed = replace(open_, closed_at=START + timedelta(hours=1))
    assert belief(model, replace(later), after) == belief(model, replace(open_), after)
    (found,) = [found for each, found in met([closed, after], model) if each.key == "b"]
    assert found[0].case.closed_by(after.opened_at)
    whole, _ = history(2)
    cut = [replace(each) for each in whole[:40]]
    assert [each.belief for each in judge(whole, model, ALL)][:40] == [each.belief for each in judge(cut, model, ALL)]


@pytest.mark.parametrize(
    ("earlier", "found"),
    [
        (case("a", 0, 240), True),
        (case("a", 0, 260), False),
        (case("a", -24 * 44), True),
        (case("a", -24 * 46), False),
        (case("a", -24 * 30, closed_at=START - timedelta(days=13)), True),
        (case("a", -24 * 30, closed_at=START - timedelta(days=15)), False),
    ],
)
def test_what_is_out_of_reach_is_not_looked_at(model: LocatedModel, earlier: Located, found: bool) -> None:
    assert model.reach == Reach(metres=250, days=45, closed_days=14)
    assert (said(model, replace(earlier), case("b", 0)) == "a") == found


def test_a_case_without_a_point_is_compared_by_its_street(model: LocatedModel) -> None:
    here, there = address("12 Oak St  Northside  XX 01234"), address("12 Oak St  Southside  XX 01234")
    one = case("a", 0, address=here)
    assert said(model, replace(one), case("b", 2, lon=None, lat=None, address=here)) == "a"
    assert said(model, replace(one), case("b", 2, lon=None, lat=None, address=there)) is None
    assert said(model, replace(one), case("b", 2, lon=None, lat=None, address=NOWHERE)) is None
    assert said(model, replace(one), case("b", 2, 5_000, address=here)) is None


def test_of_several_on_one_spot_the_first_of_the_chain_is_named() -> None:
    """Where people name the case that stood alone when it came, nearer in time or not."""
    cases, named = list[Located](), list[Named]()
    for n in range(200):
        cases += [case(f"{n}{name}", n * 9 + hour, n * 700.0) for name, hour in (("a", 0), ("b", 1), ("c", 2))]
        named += [Named(f"{n}b", f"{n}a"), Named(f"{n}c", f"{n}a")]
    model = train(cases, named)
    assert said(model, case("a", 0), case("b", 1), case("c", 2)) == "a"


def test_a_case_is_known_by_how_many_open_ones_of_its_kind_were_close_when_it_came(model: LocatedModel) -> None:
    cases = [
        case("other", 0, kind="pole"), case("gone", 0, closed_at=START + timedelta(hours=1)), case("far", 0, 200),
        case("one", 2), case("two", 3, 50), case("again", 4),
    ]  # fmt: skip
    *_, (again, found) = met(cases, model)
    assert again.key == "again"
    by_key = dict(zip((each.case.key for each in found), signs(again, found), strict=True))
    assert {key: round(expm1(by_key[key].crowd)) for key in ("one", "two")} == {"one": 0, "two": 1}
    assert {key: round(expm1(by_key[key].around)) for key in ("one", "two")} == {"one": 1, "two": 2}


def test_where_nothing_is_named_nothing_is_learned() -> None:
    with pytest.raises(NothingNamed):
        train(history()[0], [Named("1b", "200a")])


def test_a_matter_that_gathers_many_within_a_day_is_seen_through_its_chain() -> None:
    first, chain = case("a", 0), [case(f"{n}", n * 5.0) for n in range(1, 8)]
    judged = [Judged(first, None, 0.0, False)]
    for before, each in zip([first, *chain], chain, strict=False):
        judged.append(Judged(each, before, 0.9, True))
    judged.append(Judged(case("z", 50), first, 0.1, False))
    assert gatherings(judged, 24) == [("a", 7, 5)]
