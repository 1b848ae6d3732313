"""Reports without words: place and kind decide, as the city's people would name them and as the backtest says."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from dispatch.intake.allowance import Share
from dispatch.intake.located import Located, LocatedModel
from dispatch.intake.models import Models
from dispatch.intake.streets import NOWHERE, address
from dispatch.learning.located import Named, judge
from dispatch.learning.located_fit import train
from tests.harness.town import START, Town, principal, report
from tests.integration.desk.desk import ask

OPERATOR = principal("operator", "hotline")
METRE = 1 / 111_320
WATER, PIPE, DUMP = "E0506", "E0503", "E0104"
KIN = {WATER: "drainage", PIPE: "drainage", DUMP: "sanitation"}
STREET = "湖滨路12号"


def located(key: str, hours: float, place: tuple[float, float], kind: str, said: str = "") -> Located:
    where = address(said) if said else NOWHERE
    return Located(key, kind, KIN[kind], START + timedelta(hours=hours), None, *place, where)


def pairs_of_cases(
    seed: int, spots: Iterator[tuple[float, float]], apart_h: float
) -> Iterator[tuple[Located, Located]]:
    """Two cases of a kind at each spot, the later one up to 90 metres further north."""
    ways = random.Random(seed)
    for n, (lon, lat) in enumerate(spots):
        kind, said = (WATER, PIPE, DUMP)[n % 3], STREET if n % 4 == 0 else ""
        away = ways.choice((0.0, 30.0, 60.0, 90.0))
        yield (
            located(f"{n}a", n * apart_h, (lon, lat), kind, said),
            located(f"{n}b", n * apart_h + 1, (lon, lat + away * METRE), kind, said),
        )


def spots() -> Iterator[tuple[float, float]]:
    """Places of the demo city, further from each other than any matter reaches."""
    return ((116.17 + n % 9 * 0.006, 33.12 + n // 9 * 0.006) for n in range(72))


@pytest.fixture(scope="module")
def model() -> LocatedModel:
    """Water is named up to 90 metres away, a pipe only on the spot, and what is dumped never."""
    far = ((100.0 + n * 0.02, 30.0) for n in range(300))
    cases, named = list[Located](), list[Named]()
    for one, other in pairs_of_cases(1, far, 5.0):
        cases += (one, other)
        if one.kind == WATER or (one.kind == PIPE and one.lat == other.lat):
            named.append(Named(other.key, one.key))
    return train(cases, named)


def sent(case: Located, **more: Any) -> dict[str, Any]:
    """A case as its source reports it: without a word."""
    said = {"address": STREET} if case.address != NOWHERE else {}
    return report(text=None, category=case.kind, location={"lon": case.lon, "lat": case.lat, **said}, **more)


def learned(town: Town, model: LocatedModel) -> None:
    town.services.models.current = Models(located=model, versions={"located": "learned"})


async def test_a_stream_is_judged_as_the_backtest_judges_it(a_town: Town, model: LocatedModel) -> None:
    learned(a_town, model)
    stream = [case for pair in pairs_of_cases(2, spots(), 3.0) for case in pair]
    number_of: dict[str, str] = {}
    joined = 0
    for told in judge(stream, model, Share()):
        a_town.clock.travel(told.case.opened_at - a_town.clock.wall())
        status, answer = await a_town.send(sent(told.case))
        assert status == 201, answer
        number_of[told.case.key] = answer["case_no"]
        same = told.earlier is not None and number_of[told.earlier.key] == answer["case_no"]
        assert same == told.flagged, (told, answer)
        joined += same
    # Most are people's, and no more than what may be flagged of all.
    assert 0.05 * len(stream) < joined <= 0.12 * len(stream) + 1


async def test_why_is_explained_and_nothing_readable_is_kept(a_town: Town, model: LocatedModel) -> None:
    learned(a_town, model)
    one, other = (located(key, 0, (116.19, 33.13), WATER, STREET) for key in "ab")
    for n, (lon, lat) in enumerate(spots()):
        if n > 8:  # savings for one that joins
            await a_town.send(sent(located(str(n), 0, (lon, lat), DUMP)))
    _, first = await a_town.send(sent(one))
    a_town.clock.travel(timedelta(hours=1))
    _, seen = await ask(a_town, "POST", "/preview", OPERATOR, sent(other))
    _, second = await a_town.send(sent(other))
    assert (second["outcome"], second["case_no"]) == ("attached", first["case_no"])
    assert (seen["match"]["verdict"], seen["match"]["case_no"]) == ("joined", first["case_no"])
    _, told = await a_town.get(f"/cases/{first['case_no']}/explain", principal("supervisor", "supervision"))
    match = next(r for r in told["reports"] if r["receipt_no"] == second["receipt_no"])["match"]
    assert [reason.split()[0] for reason in match["reasons"][:2]] == ["belief", "asked"]
    assert match["score"] > float(match["reasons"][1].split()[1])
    kept = await a_town.rows("SELECT address, streets FROM case_signatures WHERE address <> ''")
    assert len(kept) == 1
    assert not any("湖" in text or text == "12" for row in kept for text in (row["address"], *row["streets"]))


async def test_until_savings_allow_it_the_rule_suggests(a_town: Town, model: LocatedModel) -> None:
    case = located("a", 0, (116.19, 33.13), WATER)
    _, first = await a_town.send(sent(case))
    _, ruled = await a_town.send(sent(case))
    assert (ruled["outcome"], ruled["case_no"]) == ("attached", first["case_no"])
    learned(a_town, model)
    _, answer = await a_town.send(sent(case))
    assert answer["outcome"] == "opened"
    assert (answer["match"]["suggested"], answer["match"]["case_no"]) == (True, first["case_no"])


async def test_who_reports_again_is_told_of_their_own_case_whatever_people_name(
    a_town: Town, model: LocatedModel
) -> None:
    learned(a_town, model)
    me = {"name": "市民", "phone": "13900000001"}
    case = located("a", 0, (116.19, 33.13), DUMP)
    _, first = await a_town.send(sent(case, caller=me))
    _, again = await a_town.send(sent(case, caller=me))
    assert (again["outcome"], again["match"]["verdict"], again["case_no"]) == ("attached", "repeat", first["case_no"])
    _, another = await a_town.send(sent(case, caller={"name": "市民", "phone": "13900000002"}))
    assert another["case_no"] != first["case_no"]


async def test_what_was_closed_of_late_is_suggested_and_stays_closed(a_town: Town, model: LocatedModel) -> None:
    learned(a_town, model)
    for n, (lon, lat) in enumerate(spots()):
        if n > 8:
            await a_town.send(sent(located(str(n), 0, (lon, lat), DUMP)))
    case = located("a", 0, (116.19, 33.13), WATER)
    _, first = await a_town.send(sent(case))
    await _close(a_town, first["case_no"])
    a_town.clock.travel(timedelta(hours=1))
    _, answer = await a_town.send(sent(case))
    assert answer["case_no"] != first["case_no"]
    assert (answer["match"]["verdict"], answer["match"]["case_no"]) == ("new", first["case_no"])
    a_town.clock.travel(timedelta(days=20))
    _, much_later = await a_town.send(sent(located("c", 0, (116.19, 33.13), WATER)))
    assert much_later["match"]["case_no"] != first["case_no"]


async def test_words_are_compared_as_ever(a_town: Town, model: LocatedModel) -> None:
    learned(a_town, model)
    case = located("a", 0, (116.19, 33.13), WATER)
    _, first = await a_town.send(report(location={"lon": case.lon, "lat": case.lat}))
    _, second = await a_town.send(report(location={"lon": case.lon, "lat": case.lat}))
    assert second["case_no"] == first["case_no"]


async def _close(town: Town, number: str) -> None:
    """As if it had been solved: what it takes by hand is told elsewhere."""
    at = town.clock.wall()
    await town.rows(
        """
        WITH ended AS (UPDATE deadlines d SET stopped_at = $2, status = 'met', next_at = NULL FROM cases c
            WHERE c.id = d.case_id AND c.case_no = $1 AND d.stopped_at IS NULL),
        done AS (UPDATE assignments a SET state = 'done', ended_at = $2 FROM cases c
            WHERE c.id = a.case_id AND c.case_no = $1 AND a.ended_at IS NULL)
        UPDATE cases SET state = 'closed', closed_at = $2, solved = true, next_due_at = NULL WHERE case_no = $1
        """,
        number,
        at,
    )


async def test_how_many_stood_near_is_kept_of_a_case_that_was_opened(a_town: Town, model: LocatedModel) -> None:
    learned(a_town, model)
    for key, north in (("a", 0), ("b", 40), ("c", 90)):
        _, answer = await a_town.send(sent(located(key, 0, (116.19, 33.13 + north * METRE), DUMP)))
        assert answer["outcome"] != "attached"
    kept = await a_town.rows("SELECT crowd, around FROM case_signatures ORDER BY case_id")
    assert [tuple(row) for row in kept] == [(0, 0), (1, 1), (1, 2)]
