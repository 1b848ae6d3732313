"""Whose it is: the duty book, what a superior names, who is excluded, and what a person decides instead."""

from collections.abc import Iterable
from typing import Any

from tests.harness.town import PLACE, Town, principal, report
from tests.integration.intake.conftest import Switch

DISPATCHER = principal("dispatcher", "dispatch")
OUTSIDE = {"lon": 121.47, "lat": 31.23}


async def _sent(town: Town, **fields: Any) -> dict[str, Any]:
    status, answer = await town.send(report(**fields))
    assert status == 201, answer
    return answer


def _units(answer: dict[str, Any]) -> set[str]:
    return {answer["lead_unit"], *answer.get("assist_units", [])}


async def test_the_duty_book_names_lead_and_assists_and_says_what_it_tried(a_town: Town) -> None:
    answer = await _sent(a_town)
    assert (answer["lead_unit"], answer["route"]["rule"]) == ("drainage", "R035")
    assert answer["route"]["reasons"][-1] == "R035 chosen"
    assert "traffic-police" in answer["assist_units"]


async def test_a_unit_complained_about_and_its_subtree_never_handle_it(a_town: Town) -> None:
    tree = a_town.services.cities.current.units
    for about in ("drainage", "water-affairs", "traffic-police", "city"):
        answer = await _sent(a_town, about={"unit": about}, kind="tipoff")
        involved = {unit for unit in _units(answer) if unit}
        if about == "city":  # nobody is left: the desk of last resort, and it says so
            assert answer["route"]["rule"] == "nobody_else"
        else:
            assert involved.isdisjoint(tree.subtree(about))
            assert any("excluded" in reason for reason in answer["route"]["reasons"]) or about == "traffic-police"


async def test_a_unit_named_by_a_superior_is_honoured_and_explained(a_town: Town) -> None:
    answer = await _sent(a_town, assigned_unit="emergency")
    assert (answer["lead_unit"], answer["route"]["rule"]) == ("emergency", "given")


async def test_a_unit_that_cannot_be_it_is_set_aside_and_the_book_decides(a_town: Town) -> None:
    for given, about in (("nobody", None), ("drainage", {"unit": "water-affairs"})):
        answer = await _sent(a_town, assigned_unit=given, about=about, kind="tipoff")
        assert [w["field"] for w in answer["warnings"]] == ["assigned_unit"]
        assert answer["lead_unit"] not in (None, given)


async def test_a_place_outside_the_city_goes_to_the_desk_for_it(a_town: Town) -> None:
    answer = await _sent(a_town, location=OUTSIDE)
    assert (answer["lead_unit"], answer["route"]["rule"], answer.get("area")) == ("hotline", "outside", None)


async def test_outside_the_city_and_about_that_desk_is_left_to_dispatch(a_town: Town) -> None:
    answer = await _sent(a_town, location=OUTSIDE, about={"unit": "hotline"})
    assert (answer["outcome"], answer.get("lead_unit")) == ("triage", None)


async def test_what_is_routed_by_place_and_has_none_waits_for_a_person(a_town: Town) -> None:
    answer = await _sent(a_town, location=None)
    assert (answer["outcome"], answer["route"]["rule"]) == ("triage", "no_place")


async def test_an_area_code_is_place_enough(a_town: Town) -> None:
    answer = await _sent(a_town, location={"area_code": "990101003"})
    assert (answer["outcome"], answer["lead_unit"], answer["area"]) == ("opened", "drainage", "990101003")


async def test_what_the_whole_city_has_one_unit_for_needs_no_place(a_town: Town) -> None:
    here, nowhere = await _sent(a_town, category="S020501"), await _sent(a_town, category="S020501", location=None)
    assert here["lead_unit"] == nowhere["lead_unit"] == "housing-fund"


async def _main_job_by_hand(town: Town, answers: Iterable[dict[str, Any]]) -> None:
    for answer in answers:
        assert (answer["outcome"], answer["state"]) == ("triage", "triage")
        number = answer["case_no"]
        status, after = await town.act(number, "dispatch", DISPATCHER, unit="drainage", category="E0506")
        assert (status, after["state"]) == (200, "to_sign")
        assert (await town.act(number, "sign", principal("handler", "drainage")))[0] == 200


async def test_with_routing_off_a_dispatcher_decides(a_town: Town, switch: Switch) -> None:
    switch(route=False)
    answer = await _sent(a_town)
    assert answer["route"]["rule"] == "by_hand"
    await _main_job_by_hand(a_town, [answer])


async def test_with_locating_off_a_dispatcher_decides(a_town: Town, switch: Switch) -> None:
    switch(locate=False)
    answer = await _sent(a_town)
    assert answer.get("cell") is None
    assert await a_town.value("SELECT lon FROM cases") == PLACE["lon"]
    await _main_job_by_hand(a_town, [answer])


async def test_with_classifying_off_a_dispatcher_names_the_category(a_town: Town, switch: Switch) -> None:
    switch(classify=False)
    answers = [await _sent(a_town), await _sent(a_town, category=None, location={"area_code": "990101003"})]
    assert [w["code"] for answer in answers for w in answer.get("warnings", [])] == ["by_hand"]
    await _main_job_by_hand(a_town, answers)
    assert {row["category"] for row in await a_town.rows("SELECT category FROM cases")} == {"E0506"}
