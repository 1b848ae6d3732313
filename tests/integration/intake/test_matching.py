"""What becomes of a report that was said before: each verdict with what follows from it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.harness.town import CONNECTOR, PLACE, REPLY, Town, principal, report
from tests.integration.casework.bodies import EXPLAINED, GOOD
from tests.integration.intake.conftest import SendBatch, Switch

LONG = "幸福小区三号楼门前的污水井已经连续三天往外冒水臭味很大请尽快派人处理"


def _who(n: int = 0, name: str | None = None) -> dict[str, str]:
    return {"name": name or f"市民{n}", "phone": f"138{n:08d}"}


def _metres_north(metres: float) -> dict[str, float]:
    return {"lon": PLACE["lon"], "lat": PLACE["lat"] + metres / 111_320}


async def _close(town: Town, case_no: str, *, solved: bool) -> None:
    unit = await town.value(
        "SELECT a.unit FROM cases c JOIN assignments a ON a.id = c.lead_assignment_id WHERE case_no = $1", case_no
    )
    for action, who, body in (
        ("sign", principal("handler", unit), {}), ("reply", principal("handler", unit), REPLY),
        ("approve", principal("reviewer", "dispatch"), {}), ("close", principal("followup", "hotline"), GOOD if solved else EXPLAINED),
    ):  # fmt: skip
        status, answer = await town.act(case_no, action, who, **body)
        assert status == 200, answer


async def _notices(town: Town) -> list[tuple[str, str]]:
    return [tuple(row) for row in await town.rows("SELECT recipient, topic FROM notices ORDER BY topic, recipient")]


async def test_the_same_person_again_is_a_repeat_that_the_unit_sees_at_once(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who()))
    _, again = await a_town.send(report(caller=_who(), text="还在积水"))
    assert (again["outcome"], again["match"]["verdict"], again["case_no"]) == ("attached", "repeat", first["case_no"])
    assert again["receipt_no"] != first["receipt_no"]
    assert await _notices(a_town) == [("unit:drainage", "reminder")]
    assert await a_town.value("SELECT people FROM cases") == 1


async def test_a_repeat_past_the_limit_starts_supervision_of_the_unit(a_town: Town) -> None:
    await a_town.send(report(caller=_who()))
    a_town.clock.travel(timedelta(days=2))
    rank = await a_town.value("SELECT rank FROM cases")
    _, again = await a_town.send(report(caller=_who()))
    assert again["match"]["verdict"] == "repeat"
    assert await _notices(a_town) == [("unit:*", "supervision"), ("unit:drainage", "supervision")]
    assert await a_town.value("SELECT rank FROM cases") == rank


async def test_a_repeat_is_found_however_long_the_case_has_been_open(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who()))
    a_town.clock.travel(timedelta(days=50))
    _, again = await a_town.send(report(caller=_who()))
    _, other = await a_town.send(report(caller=_who(1)))
    assert (again["match"]["verdict"], again["case_no"]) == ("repeat", first["case_no"])
    assert other["outcome"] == "opened"


async def test_a_repeat_on_a_case_that_waits_for_the_desk_reminds_the_desk(a_town: Town) -> None:
    _, first = await a_town.send(report(category=None, caller=_who(), text=LONG))
    _, again = await a_town.send(report(category=None, caller=_who(), text=LONG))
    assert (first["state"], again["match"]["verdict"]) == ("triage", "repeat")
    assert await _notices(a_town) == [("unit:dispatch", "reminder")]


async def test_another_person_joins_and_more_people_count(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who(1)))
    _, joined = await a_town.send(report(caller=_who(2)))
    assert (joined["outcome"], joined["match"]["verdict"], joined["case_no"]) == (
        "attached",
        "joined",
        first["case_no"],
    )
    assert (joined["priority"]["people"], await a_town.value("SELECT people FROM cases")) == ("2-4", 2)
    assert await _notices(a_town) == []


async def test_forty_seven_calls_by_one_person_are_one_case_of_the_same_rank(
    a_town: Town, send_batch: SendBatch
) -> None:
    await a_town.send(report(caller=_who()))
    before = await a_town.value("SELECT rank FROM cases")
    fates = await send_batch([report(caller=_who(), text=f"第{n}次打来") for n in range(46)])
    assert {body["match"]["verdict"] for _, body in fates} == {"repeat"}
    assert tuple((await a_town.rows("SELECT count(*), max(people), max(rank) FROM cases"))[0]) == (1, 1, before)
    assert await a_town.value("SELECT reports FROM case_people") == 47


@pytest.mark.parametrize("caller", [None, {"name": "匿名"}, {"name": "张三"}, {"name": "张三", "phone": "12"}])
async def test_who_cannot_be_told_apart_is_never_a_repeat_and_never_counts_as_more_people(
    a_town: Town, send_batch: SendBatch, caller: dict[str, str] | None
) -> None:
    fates = await send_batch([report(caller=caller) for _ in range(25)])
    assert [body["match"]["verdict"] for _, body in fates] == ["new"] + ["joined"] * 24
    assert await a_town.value("SELECT people FROM cases") == 1


async def test_twenty_people_raise_the_band(a_town: Town, send_batch: SendBatch) -> None:
    fates = await send_batch([report(caller=_who(n)) for n in range(20)])
    assert await a_town.value("SELECT people FROM cases") == 20
    ranks = await a_town.value("SELECT rank FROM cases")
    assert ranks - 8 == 3  # urgent, and the fourth band
    assert {body["case_no"] for _, body in fates} == {fates[0][1]["case_no"]}


async def test_one_number_with_other_names_is_a_family_and_no_repeat(a_town: Town) -> None:
    await a_town.send(report(caller=_who(1, "张甲")))
    _, other = await a_town.send(report(caller=_who(1, "张乙")))
    assert other["match"]["verdict"] == "joined"
    assert await _notices(a_town) == []


async def test_another_problem_at_the_same_place_by_the_same_person_is_linked(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who()))
    _, facet = await a_town.send(report(caller=_who(), category="E0110", text="垃圾没人清"))
    assert (facet["outcome"], facet["match"]["verdict"], facet["links"]) == ("linked", "facet", [first["case_no"]])
    assert facet["case_no"] != first["case_no"]
    assert [tuple(r) for r in await a_town.rows("SELECT verdict FROM case_links")] == [("facet",)]


async def test_another_problem_at_the_same_place_by_others_is_just_another_case(a_town: Town) -> None:
    await a_town.send(report(caller=_who(1)))
    _, other = await a_town.send(report(caller=_who(2), category="E0110", text="垃圾没人清"))
    assert (other["outcome"], other["match"]["verdict"], other.get("links", [])) == (
        "opened",
        "new",
        [],
    )


async def test_one_text_about_two_places_is_one_topic_of_two_cases(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who(), text=LONG))
    _, second = await a_town.send(report(caller=_who(), text=LONG, location=_metres_north(3000)))
    assert (second["outcome"], second["match"]["verdict"]) == ("opened", "topic")
    assert second["links"] == [first["case_no"]]


async def test_between_the_thresholds_a_person_decides(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who(1), text=None))
    _, second = await a_town.send(report(caller=_who(2), text=None, location=_metres_north(148)))
    assert (second["outcome"], second["match"]["suggested"]) == ("opened", True)
    assert second["match"]["case_no"] == first["case_no"] != second["case_no"]
    assert await a_town.value("SELECT verdict FROM case_links") == "suggested"


async def test_a_claim_of_ones_own_is_attached_to_ones_own_case_only(a_town: Town) -> None:
    made: dict[str, Any] = {"category": "S010101", "text": LONG}
    _, mine = await a_town.send(report(**made, caller=_who(1)))
    _, theirs = await a_town.send(report(**made, caller=_who(2)))
    _, again = await a_town.send(report(**made, caller=_who(1)))
    assert theirs["outcome"] == "opened"
    assert (again["match"]["verdict"], again["case_no"]) == ("repeat", mine["case_no"])


@pytest.mark.parametrize("restricted", [{"kind": "tipoff"}, {"category": "S040302"}], ids=["tipoff", "category"])
async def test_what_is_restricted_takes_no_part(a_town: Town, restricted: dict[str, str]) -> None:
    fields = {"category": "E0506", **restricted}
    reports = [
        report(caller=_who(1), **fields),
        report(caller=_who(1), **fields),
        report(caller=_who(1), category=fields["category"], kind="help"),
    ]
    answers = [(await a_town.send(made))[1] for made in reports]
    assert len({answer["case_no"] for answer in answers}) == 3
    assert {(answer["match"]["verdict"], answer["match"]["score"]) for answer in answers} == {("new", 0.0)}


async def test_a_complaint_about_a_unit_never_lands_on_that_units_desk(a_town: Town) -> None:
    _, water = await a_town.send(report(caller=_who(1)))
    _, about = await a_town.send(report(caller=_who(2), about={"unit": "drainage"}))
    _, again = await a_town.send(report(caller=_who(3), about={"unit": "drainage"}))
    assert water["lead_unit"] == "drainage"
    assert (about["outcome"], about["lead_unit"] != "drainage") == ("opened", True)
    assert (again["outcome"], again["case_no"]) == ("attached", about["case_no"])


async def test_a_closed_and_solved_matter_that_comes_back_is_a_new_case(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who()))
    await _close(a_town, first["case_no"], solved=True)
    _, again = await a_town.send(report(caller=_who()))
    assert (again["outcome"], again["case_no"] != first["case_no"]) == ("opened", True)


async def test_a_closed_matter_that_was_not_solved_is_reopened_by_its_caller(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who(1)))
    a_town.clock.travel(timedelta(hours=1))
    await _close(a_town, first["case_no"], solved=False)
    a_town.clock.travel(timedelta(days=3))
    _, other = await a_town.send(report(caller=_who(2), location=_metres_north(400)))
    _, again = await a_town.send(report(caller=_who(1)))
    assert other["outcome"] == "opened"
    assert (again["outcome"], again["case_no"], again["lead_unit"]) == ("reopened", first["case_no"], "drainage")
    opened_at, round_ = (await a_town.rows("SELECT opened_at, round FROM cases WHERE case_no = $1", first["case_no"]))[
        0
    ]
    assert (opened_at, round_) == (a_town.clock.at - timedelta(days=3, hours=1), 2)
    closes = await a_town.rows(
        "SELECT round, started_at, status FROM deadlines WHERE clock = 'close' AND case_id = (SELECT id FROM cases WHERE case_no = $1) ORDER BY 1",
        first["case_no"],
    )
    assert [tuple(row) for row in closes] == [(1, opened_at, "met"), (2, a_town.clock.at, "running")]


async def test_a_closed_unsolved_matter_stays_closed_for_others(a_town: Town) -> None:
    _, first = await a_town.send(report(caller=_who(1)))
    await _close(a_town, first["case_no"], solved=False)
    _, other = await a_town.send(report(caller=_who(2)))
    assert (other["outcome"], other["case_no"] != first["case_no"]) == ("opened", True)


async def test_an_earlier_line_of_a_batch_is_a_candidate_for_a_later_one(a_town: Town, send_batch: SendBatch) -> None:
    lines = [
        report(caller=_who(1)),
        report(caller=_who(2)),
        report(caller=_who(1), category="E0110", text="垃圾"),
        report(caller=_who(1)),
    ]
    bodies = [body for _, body in await send_batch(lines)]
    assert [body["match"]["verdict"] for body in bodies] == ["new", "joined", "facet", "repeat"]
    assert bodies[2]["links"] == [bodies[0]["case_no"]] == [bodies[1]["case_no"]]
    assert bodies[3]["case_no"] == bodies[0]["case_no"]


async def test_without_automatic_matching_each_report_is_a_case(a_town: Town, switch: Switch) -> None:
    switch(match=False)
    answers = await asyncio.gather(*(a_town.send(report(caller=_who()), CONNECTOR) for _ in range(3)))
    assert len({body["case_no"] for _, body in answers}) == 3
    assert datetime.fromisoformat(answers[0][1]["deadlines"][0]["due_at"])
