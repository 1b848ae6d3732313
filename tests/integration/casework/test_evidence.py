"""What a category needs to be shown before a reply is accepted, and the visit before a case is closed."""

from datetime import timedelta

from tests.harness.pictures import PDF, add, picture
from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.bodies import EXPLAINED
from tests.integration.casework.careful import AWAY, FREE, HERE, SHOWN, case_of, sound
from tests.integration.casework.people import CITIZEN, DISPATCHER, FOLLOWUP, HANDLER, OPERATOR, REVIEWER, SUPERVISOR
from tests.integration.casework.walks import elsewhere, opened


async def missing(town: Town, number: str) -> list[str]:
    status, problem = await town.act(number, "reply", HANDLER, **REPLY)
    assert (status, problem["field"]) == (409, "evidence"), problem
    named: list[str] = problem["missing"]
    return named


async def test_a_reply_needs_the_pictures_of_its_category_taken_at_the_place(careful: Town) -> None:
    number = await case_of(careful, "handling")
    assert await missing(careful, number) == ["photo_before", "photo_after"]
    assert (await add(careful, number, HANDLER, picture(HERE, shade=10), "before"))[0] == 201
    assert await missing(careful, number) == ["photo_after"]
    assert (await add(careful, number, HANDLER, picture(shade=20), "after"))[0] == 201
    assert await missing(careful, number) == ["position"]
    assert (await add(careful, number, HANDLER, picture(AWAY, shade=40), "after"))[0] == 201
    _, problem = await careful.act(number, "reply", HANDLER, **REPLY)
    assert (problem["missing"], problem["within_m"]) == (["position"], 200)
    assert "3030 m" in problem["detail"]
    assert await careful.value("SELECT state FROM cases WHERE case_no = $1", number) == "handling"
    assert (await add(careful, number, HANDLER, picture(HERE, shade=60), "after"))[0] == 201
    assert (await careful.act(number, "reply", HANDLER, **REPLY))[0] == 200
    await sound(careful)


async def test_a_paper_a_picture_of_another_kind_or_an_old_round_shows_nothing(careful: Town) -> None:
    number = await case_of(careful, "handling")
    assert (await add(careful, number, HANDLER, PDF, "document"))[0] == 201
    assert (await add(careful, number, HANDLER, picture(HERE), "document"))[0] == 201
    assert await missing(careful, number) == ["photo_before", "photo_after"]
    for kind, shade in (("before", 20), ("after", 60)):
        assert (await add(careful, number, HANDLER, picture(HERE, shade=shade), kind))[0] == 201
    for action, who, body in (
        ("reply", HANDLER, REPLY), ("approve", REVIEWER, {}), ("close", FOLLOWUP, EXPLAINED),
        ("reopen", SUPERVISOR, {"note": "又积水"}), ("sign", HANDLER, {}),
    ):  # fmt: skip
        assert (await careful.act(number, action, who, **body))[0] == 200, action
    assert await missing(careful, number) == ["photo_before", "photo_after"]
    # The pictures of the first round are the same bytes: to send them again does not help.
    assert (await add(careful, number, HANDLER, picture(HERE, shade=60), "after"))[0] == 200
    assert await missing(careful, number) == ["photo_before", "photo_after"]
    await sound(careful)


async def test_who_had_the_case_before_does_not_show_the_work_of_who_has_it_now(careful: Town) -> None:
    number = await case_of(careful, "handling")
    for kind, shade in (("before", 20), ("after", 60)):
        assert (await add(careful, number, HANDLER, picture(HERE, shade=shade), kind))[0] == 201
    careful.clock.travel(timedelta(minutes=5))
    assert (await careful.act(number, "redispatch", DISPATCHER, unit="water-affairs", note="管网属水务局"))[0] == 200
    water = principal("handler", "water-affairs")
    assert (await careful.act(number, "sign", water))[0] == 200
    status, problem = await careful.act(number, "reply", water, **REPLY)
    assert (status, problem["missing"]) == (409, ["photo_after"])
    assert (await add(careful, number, water, picture(HERE, shade=90), "after"))[0] == 201
    assert (await careful.act(number, "reply", water, **REPLY))[0] == 200


async def test_what_no_row_names_and_who_only_helps_show_nothing(careful: Town) -> None:
    for category in (FREE, "E0110"):
        number = await case_of(careful, "handling", category, location=elsewhere())
        assert (await careful.act(number, "reply", HANDLER, **REPLY))[0] == 200, category
    number = await case_of(careful, "handling", location=elsewhere())
    assert (await careful.act(number, "assist", DISPATCHER, unit="gas", note="现场有燃气管线"))[0] == 200
    gas = principal("handler", "gas")
    assert (await careful.act(number, "sign", gas))[0] == 200
    assert (await careful.act(number, "reply", gas, note="已配合处置"))[0] == 200


async def test_a_case_without_a_place_is_shown_without_measuring(careful: Town) -> None:
    number = await opened(careful, category=SHOWN, location=None, assigned_unit="drainage", caller=CITIZEN)
    assert (await careful.act(number, "sign", HANDLER))[0] == 200
    assert (await add(careful, number, HANDLER, picture(HERE, shade=20), "before"))[0] == 201
    assert (await add(careful, number, OPERATOR, picture(AWAY, shade=60), "after"))[0] == 201
    assert (await careful.act(number, "reply", HANDLER, **REPLY))[0] == 200
