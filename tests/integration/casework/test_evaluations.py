"""What the citizen sees of a case and says of it: the public steps, the evaluation, and what follows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.harness.town import Town, report
from tests.integration.casework.bodies import BODY, GOOD
from tests.integration.casework.looking import clocks_of
from tests.integration.casework.people import CITIZEN, FOLLOWUP, HANDLER, REVIEWER, SUPERVISOR
from tests.integration.casework.test_followups import FROM_ABOVE, examined, handled, the_case


async def track(town: Town, receipt: dict[str, Any], what: str = "", **body: Any) -> tuple[int, Any]:
    """The citizen's page, or something they send there."""
    url, headers = f"{town.url}/api/v1/track/{receipt['receipt_no']}{what}", {"X-Track-Code": receipt["track_code"]}
    if not body:
        async with town.http.get(url, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)
    async with town.http.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


RATED: dict[str, Any] = {"contacted": True, "solved": True, "satisfied": 5}


async def test_the_citizen_sees_the_public_steps_and_nothing_else(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN, text="路口积水，我电话13900001111"))
    number = receipt["case_no"]
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "contact", HANDLER, reached=False))[0] == 200
    until = (a_town.clock.at + timedelta(days=9)).isoformat()
    assert (await a_town.act(number, "suspend", SUPERVISOR, **BODY["suspend"] | {"until": until}))[0] == 200
    assert (await a_town.act(number, "resume", SUPERVISOR, **BODY["resume"]))[0] == 200
    assert (await a_town.act(number, "reply", HANDLER, **BODY["reply"]))[0] == 200
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    assert (await track(a_town, receipt, "/supplements", text="又下雨了，联系13900002222"))[0] == 201
    _, seen = await track(a_town, receipt)
    assert [each["step"] for each in seen["steps"]] == [
        "registered", "dispatched", "taken_up", "suspended", "resumed", "replied", "answered",
    ]  # fmt: skip
    name = a_town.services.cities.current.units.units["drainage"].name
    assert [each["unit"] for each in seen["steps"] if "unit" in each] == [name, name]
    assert (
        datetime.fromisoformat(next(e for e in seen["steps"] if e["step"] == "suspended")["until"]).isoformat()[:10]
        in until
    )
    assert [each["kind"] for each in seen["told"]] == ["progress", "answer", "supplement"]
    assert [each["text"] for each in seen["told"]][:2] == [BODY["suspend"]["told"], BODY["reply"]["answer"]]
    words = str(seen)
    for hidden in (
        "13900001111",
        HANDLER.name,
        REVIEWER.name,
        BODY["reply"]["note"],
        BODY["suspend"]["note"],
        f"'{number}'",
        "drainage",
    ):
        assert hidden not in words, hidden
    assert (seen["evaluation"]["possible"], seen["evaluation"]["given"]) == (True, None)


async def test_of_a_restricted_case_no_unit_is_named(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN, kind="tipoff", text="举报某处违法排污"))
    _, seen = await track(a_town, receipt)
    assert [each.get("unit") for each in seen["steps"]] == [None] * len(seen["steps"])
    assert len(seen["steps"]) > 0


async def test_a_good_evaluation_of_the_only_caller_closes_the_case_and_is_taken_once(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN))
    number = receipt["case_no"]
    status, problem = await track(a_town, receipt, "/evaluation", **RATED)
    assert (status, problem["field"]) == (409, "state")
    await handled(a_town, number)
    assert await track(a_town, receipt, "/evaluation", **RATED, text="谢谢") == (
        201,
        {"receipt_no": receipt["receipt_no"], "put_right": False},
    )
    case = await the_case(a_town, number)
    assert (case["state"], case["solved"]) == ("closed", True)
    assert (await track(a_town, receipt, "/evaluation", **RATED))[0] == 201
    assert (await track(a_town, receipt, "/evaluation", **RATED | {"satisfied": 1}))[0] == 409
    assert len((await the_case(a_town, number))["followups"]) == 1
    assert (await track(a_town, receipt))[1]["evaluation"]["given"]["satisfied"] == 5
    wrong = receipt | {"track_code": "0000000000"}
    assert (await track(a_town, wrong, "/evaluation", **RATED))[0] == 404
    await examined(a_town)


async def test_an_evaluation_that_says_unsolved_is_put_right_however_kind_it_is(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN))
    await handled(a_town, receipt["case_no"])
    status, answer = await track(a_town, receipt, "/evaluation", **RATED | {"solved": False})
    assert (status, answer["put_right"]) == (201, True)
    assert (await the_case(a_town, receipt["case_no"]))["state"] == "to_sign"


async def test_a_good_evaluation_of_one_of_several_callers_waits_for_who_asks(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN))
    _, other = await a_town.send(report(caller={"name": "李四", "phone": "13900000001"}))
    assert other["case_no"] == receipt["case_no"]
    await handled(a_town, receipt["case_no"])
    assert (await track(a_town, receipt, "/evaluation", **RATED))[0] == 201
    assert (await the_case(a_town, receipt["case_no"]))["state"] == "followup"
    assert (await track(a_town, other))[1]["evaluation"]["given"] is None


async def test_a_bad_evaluation_after_the_end_opens_the_case_again_while_there_is_time(a_town: Town) -> None:
    _, receipt = await a_town.send(report(caller=CITIZEN))
    number = receipt["case_no"]
    await handled(a_town, number)
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD))[0] == 200
    status, answer = await track(a_town, receipt, "/evaluation", contacted=False, solved=False, satisfied=1)
    assert (status, answer["put_right"]) == (201, True)
    assert await track(a_town, receipt, "/evaluation", contacted=False, solved=False, satisfied=1) == (201, answer)
    case = await the_case(a_town, number)
    assert (case["state"], case["solved"]) == ("to_sign", None)
    assert [c["round"] for c in await clocks_of(a_town, number, "rectify")] == [2]
    await handled(a_town, number)
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD))[0] == 200
    a_town.clock.travel(timedelta(days=31))
    await a_town.fire()
    assert (await track(a_town, receipt))[1]["evaluation"]["possible"] is False
    status, problem = await track(a_town, receipt, "/evaluation", contacted=True, solved=True, satisfied=2)
    assert (status, problem["field"]) == (409, "state")
    await examined(a_town)


@pytest.mark.parametrize("told", [False, True])
async def test_what_came_from_above_ends_by_no_word_of_the_citizen_before_the_superior_was_told(
    a_town: Town, told: bool
) -> None:
    _, receipt = await a_town.send(report(**FROM_ABOVE))
    number = receipt["case_no"]
    await handled(a_town, number)
    if told:
        assert (await a_town.act(number, "report_back", FOLLOWUP, **BODY["report_back"]))[0] == 200
    assert (await track(a_town, receipt, "/evaluation", **RATED))[0] == 201
    assert (await the_case(a_town, number))["state"] == ("closed" if told else "followup")
