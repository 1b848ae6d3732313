"""A unit appeals about a closed case: two people decide, what happened stays as it was, and both figures are told."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.harness.town import Town, principal, report
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BODY, EXPLAINED
from tests.integration.casework.looking import clocks_of, events, events_of, levels
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, HEAD, SUPERVISOR, WHO, staffed
from tests.integration.casework.walks import appealed, body_of, brought, elsewhere

LATE: dict[str, Any] = {"appeal": "lateness", "note": "停水由供水公司造成"}
YES: dict[str, Any] = {"approve": True, "note": "情况属实"}
NO: dict[str, Any] = {"approve": False, "note": "理由不足"}
SECOND_ONE = principal("supervisor", "supervision", name="supervisor-2")
RAW = "SELECT clock, round, due_at, status, stopped_at FROM deadlines WHERE clock <> 'appeal' ORDER BY id"


async def late(town: Town, **fields: Any) -> str:
    """A case that was closed after its limit had run out."""
    number = await brought(town, "handling", **fields)
    (clock,) = await clocks_of(town, number, "close")
    town.clock.at = clock["due_at"] + timedelta(hours=3)
    await town.fire()
    for action in ("reply", "approve", "close"):
        assert (await town.act(number, action, WHO[action], **BODY[action]))[0] == 200
    return number


async def told_of(town: Town, number: str) -> list[dict[str, Any]]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    found: list[dict[str, Any]] = case["appeals"]
    return found


async def examined(town: Town) -> None:
    async with town._owner() as connection:
        await examine(connection, {})


async def test_who_was_late_through_another_is_exempt_and_stays_late(a_town: Town) -> None:
    number = await late(a_town)
    raw = await a_town.rows(RAW)
    status, answer = await a_town.act(number, "appeal", HEAD, **LATE)
    assert (status, answer["state"]) == (200, "closed")
    (seen,) = await told_of(a_town, number)
    assert (seen["status"], seen["late"], seen["exempt"], seen["round"]) == ("first", True, False, 1)
    assert (await a_town.act(number, "judge", DISPATCHER, **YES))[0] == 200
    (seen,) = await told_of(a_town, number)
    assert (seen["status"], seen["late"], seen["exempt"]) == ("second", True, False)
    assert (await a_town.act(number, "judge", SUPERVISOR, **YES))[0] == 200
    (seen,) = await told_of(a_town, number)
    assert (seen["status"], seen["late"], seen["exempt"]) == ("approved", True, True)
    assert [(each["step"], each["by"]) for each in seen["decisions"]] == [(1, DISPATCHER.name), (2, SUPERVISOR.name)]
    # Nothing of what happened was changed: what was late is late.
    assert await a_town.rows(RAW) == raw
    assert ("close", "missed") in {(row["clock"], row["status"]) for row in raw}
    (asked,) = await events(a_town, number, "appealed")
    assert {k: asked[k] for k in ("kind", "unit", "round")} == {"kind": "lateness", "unit": "drainage", "round": 1}
    decided = await events(a_town, number, "appeal_decided")
    assert [(e["step"], e["approved"], e["final"]) for e in decided] == [(1, True, False), (2, True, True)]
    assert LATE["note"] not in str(await a_town.rows("SELECT convert_from(body, 'UTF8') FROM case_events"))
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert LATE["note"] in [text["text"] for text in case["texts"]]
    await examined(a_town)


async def test_nobody_decides_both_steps_nor_what_they_asked(a_town: Town) -> None:
    number = await late(a_town)
    assert (await a_town.act(number, "appeal", HEAD, **LATE))[0] == 200
    # Each step has its own people.
    status, problem = await a_town.act(number, "judge", SUPERVISOR, **YES)
    assert (status, problem["permission"]) == (403, "case.dispatch")
    assert (await a_town.act(number, "judge", principal("dispatcher", "dispatch", name=HEAD.name), **YES))[0] == 409
    assert (await a_town.act(number, "judge", DISPATCHER, **YES))[0] == 200
    both = principal("supervisor", "supervision", name=DISPATCHER.name)
    status, problem = await a_town.act(number, "judge", both, **YES)
    assert (status, problem["field"]) == (409, "appeal")
    other = principal("dispatcher", "dispatch", name="dispatcher-2")
    status, problem = await a_town.act(number, "judge", other, **YES)
    assert (status, problem["permission"]) == (403, "case.rule")
    for who, constraint in ((DISPATCHER.name, "two_steps_two_people"), (HEAD.name, "who_appeals_does_not_decide")):
        with pytest.raises(asyncpg.CheckViolationError, match=constraint):
            await a_town.rows("UPDATE appeals SET second_approved = true, second_by = $1, second_at = now()", who)
    with pytest.raises(asyncpg.CheckViolationError, match="second_step_follows_an_approval"):
        await a_town.rows("UPDATE appeals SET first_approved = false")
    assert (await told_of(a_town, number))[0]["status"] == "second"


@pytest.mark.parametrize("step", [1, 2])
async def test_a_refusal_at_either_step_is_the_end_of_it(a_town: Town, step: int) -> None:
    number = await late(a_town)
    assert (await a_town.act(number, "appeal", HEAD, **LATE))[0] == 200
    for nth, who in enumerate((DISPATCHER, SUPERVISOR)[:step], 1):
        assert (await a_town.act(number, "judge", who, **(NO if nth == step else YES)))[0] == 200
    (seen,) = await told_of(a_town, number)
    assert (seen["status"], seen["late"], seen["exempt"], seen["due_at"]) == ("refused", True, False, None)
    assert (await events(a_town, number, "appeal_decided"))[-1]["final"] is True
    assert {clock["status"] for clock in await clocks_of(a_town, number, "appeal")} == {"met"}
    assert (await a_town.act(number, "judge", SECOND_ONE, **YES))[0] == 404
    status, problem = await a_town.act(number, "appeal", HEAD, **LATE)
    assert (status, problem["field"]) == (409, "appeal")  # once of a kind
    assert (await a_town.act(number, "appeal", HEAD, **LATE | {"appeal": "exclusion"}))[0] == 200
    _, inbox = await a_town.get("/notices", HANDLER)
    told = [n["body"]["approved"] for n in inbox["items"] if n["topic"] == "appeal_decided"]
    assert (len(told), False in told) == (step, True)
    await examined(a_town)


async def test_an_appeal_is_refused_where_there_is_nothing_to_appeal_about(a_town: Town) -> None:
    number = await brought(a_town, "closed")
    faulty: tuple[tuple[dict[str, Any], int, str], ...] = (
        ({"note": "x"}, 400, "appeal"),
        ({"appeal": "exclusion"}, 400, "note"),
        (LATE, 409, "appeal"),  # it was in time
    )
    for body, status, field in faulty:
        answered, problem = await a_town.act(number, "appeal", HEAD, **body)
        assert (answered, problem["field"]) == (status, field), body
    assert (await a_town.act(number, "appeal", HANDLER, **BODY["appeal"]))[0] == 403  # the unit's head alone
    other = principal("unit_head", "gas")
    assert (await a_town.act(number, "appeal", other, version=1, **BODY["appeal"]))[0] == 404
    assert (await a_town.act(number, "judge", DISPATCHER, **YES))[0] == 404
    assert (await a_town.act(number, "appeal", HEAD, appeal="rating", note="市民已撤回评价"))[0] == 200
    assert (await a_town.act(number, "appeal", HEAD, **BODY["appeal"]))[0] == 200
    status, problem = await a_town.act(number, "judge", DISPATCHER, **YES)
    assert (status, problem["field"]) == (400, "appeal")  # which of the two
    assert (await a_town.act(number, "judge", DISPATCHER, appeal="rating", **NO))[0] == 200
    unasked = await brought(a_town, "review", caller=None, location=elsewhere())
    assert (await a_town.act(unasked, "approve", WHO["approve"]))[1]["state"] == "closed"
    assert (await a_town.act(unasked, "appeal", HEAD, appeal="rating", note="x"))[1]["field"] == "appeal"


async def test_only_who_led_it_appeals(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "assist", DISPATCHER, **BODY["assist"]))[0] == 200
    for action in ("reply", "approve", "close"):
        assert (await a_town.act(number, action, WHO[action], **BODY[action]))[0] == 200
    status, problem = await a_town.act(number, "appeal", principal("unit_head", "gas"), **BODY["appeal"])
    assert (status, problem["field"]) == (409, "assignment")


async def test_the_window_after_the_closing_is_ten_working_days(a_town: Town) -> None:
    first, second = [await brought(a_town, "closed", location=elsewhere()) for _ in range(2)]
    # Closed on Wednesday the 18th: the tenth working day after it is Wednesday the 2nd of December.
    a_town.clock.at = a_town.clock.at.replace(month=12, day=2, hour=10)  # six in the evening in Shanghai
    assert (await a_town.act(first, "appeal", HEAD, **BODY["appeal"]))[0] == 200
    a_town.clock.travel(timedelta(seconds=1))
    status, problem = await a_town.act(second, "appeal", HEAD, **BODY["appeal"])
    assert (status, problem["field"]) == (409, "appeal")


async def test_a_step_that_nobody_decides_climbs_though_the_case_is_closed(a_town: Town) -> None:
    await staffed(a_town)
    number = await late(a_town)
    assert (await a_town.act(number, "appeal", HEAD, **LATE))[0] == 200
    (first,) = await clocks_of(a_town, number, "appeal")
    assert first["unit"] == "dispatch"
    a_town.clock.at = first["due_at"] + timedelta(days=20)
    await a_town.fire()
    assert [each["level"] for each in await levels(a_town, number, "appeal", "dispatch")] == [0, 1, 2, 3]
    # A closed case is reviewed by nobody; its appeal stays on the list until somebody decides.
    ordered = ("order", "unread")  # of levels that fired while the work was late
    live = [c["clock"] for c in await a_town.rows("SELECT clock FROM deadlines WHERE stopped_at IS NULL")]
    assert [clock for clock in live if clock not in ordered] == ["appeal"]
    assert [row["case_no"] for row in (await a_town.get("/appeals?status=first", DISPATCHER))[1]["items"]] == [number]
    assert (await a_town.act(number, "judge", DISPATCHER, **YES))[0] == 200
    (first, second) = await clocks_of(a_town, number, "appeal")
    assert (first["status"], second["unit"], second["status"]) == ("missed", "supervision", "running")
    a_town.clock.at = second["due_at"] + timedelta(hours=1)
    await a_town.fire()
    assert {each["level"] for each in await levels(a_town, number, "appeal", "supervision")} >= {0, 1}
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert (case["state"], case["light"]) == ("closed", None)  # an appeal says nothing about the matter
    _, page = await a_town.get("/cases?overdue=true", SUPERVISOR)
    assert number not in [row["case_no"] for row in page["items"]]
    await examined(a_town)


async def test_an_appeal_goes_on_when_the_case_is_opened_anew_and_closed_again(a_town: Town) -> None:
    number = await appealed(a_town, "followup")
    assert (await a_town.act(number, "close", WHO["close"], **BODY["close"]))[0] == 200
    assert [clock["status"] for clock in await clocks_of(a_town, number, "appeal")] == ["running"]
    assert (await a_town.act(number, "judge", DISPATCHER, **YES))[0] == 200
    assert (await a_town.act(number, "judge", SUPERVISOR, **YES))[0] == 200
    (seen,) = await told_of(a_town, number)
    assert (seen["status"], seen["round"]) == ("approved", 1)
    await examined(a_town)


async def test_an_appeal_alone_is_nothing_that_acts_on_an_open_case(a_town: Town) -> None:
    number = await appealed(a_town, "review")
    a_town.clock.travel(timedelta(days=40))
    await a_town.fire()  # everything has climbed as far as it goes
    assert (await events_of(a_town, number)).count("review_set") > 0
    await examined(a_town)


async def test_a_unit_appeals_about_the_round_in_which_it_led(a_town: Town) -> None:
    number = await late(a_town)
    (first,) = await a_town.rows("SELECT id, version FROM assignments WHERE role = 'lead'")
    assert (await a_town.act(number, "reopen", SUPERVISOR, **BODY["reopen"]))[0] == 200
    assert (await a_town.act(number, "redispatch", DISPATCHER, **BODY["redispatch"]))[0] == 200
    water = principal("handler", "water-affairs")
    for action, who in (("sign", water), ("reply", water), ("approve", WHO["approve"]), ("close", WHO["close"])):
        assert (await a_town.act(number, action, who, **BODY[action]))[0] == 200
    # Its last task, of the second round, was not late; that of the first was.
    assert (await a_town.act(number, "appeal", HEAD, **LATE))[1]["field"] == "appeal"
    named = LATE | {"assignment": first["id"]}
    assert (await a_town.act(number, "appeal", HEAD, version=first["version"], **named))[0] == 200
    (seen,) = await told_of(a_town, number)
    assert (seen["unit"], seen["round"], seen["late"]) == ("drainage", 1, True)


async def test_time_after_the_end_is_nobodys(a_town: Town) -> None:
    number = await brought(a_town, "closed")
    _, before = await a_town.get(f"/cases/{number}/stages", SUPERVISOR)
    a_town.clock.travel(timedelta(days=3))
    assert (await a_town.act(number, "appeal", HEAD, **BODY["appeal"]))[0] == 200
    _, after = await a_town.get(f"/cases/{number}/stages", SUPERVISOR)
    assert after == before


async def test_appeals_are_listed_for_those_who_may_see_the_case(a_town: Town) -> None:
    numbers = [await brought(a_town, "closed", location=elsewhere()) for _ in range(3)]
    for number in numbers:
        assert (await a_town.act(number, "appeal", HEAD, **BODY["appeal"]))[0] == 200
    assert (await a_town.act(numbers[0], "judge", DISPATCHER, **NO))[0] == 200
    status, page = await a_town.get("/appeals?limit=2", DISPATCHER)
    assert (status, [row["case_no"] for row in page["items"]]) == (200, numbers[:0:-1])
    assert CITIZEN["name"] not in str(page)
    _, rest = await a_town.get(f"/appeals?limit=2&cursor={page['next']}", DISPATCHER)
    assert [row["case_no"] for row in rest["items"]] == numbers[:1]
    for query, found in (
        ("status=waiting", numbers[:0:-1]), ("status=refused", numbers[:1]), ("status=approved", []), ("kind=rating", []),
        ("unit=drainage&kind=exclusion", numbers[::-1]), ("unit=gas", []),
    ):  # fmt: skip
        assert [row["case_no"] for row in (await a_town.get(f"/appeals?{query}", HANDLER))[1]["items"]] == found, query
    assert (await a_town.get("/appeals", principal("handler", "gas")))[1]["items"] == []
    assert (await a_town.get(f"/appeals?cursor={page['next']}x", DISPATCHER))[0] == 400
    await a_town.rows("UPDATE cases SET restricted = true WHERE case_no = $1", numbers[2])
    assert numbers[2] not in [row["case_no"] for row in (await a_town.get("/appeals", DISPATCHER))[1]["items"]]


async def test_a_repeat_on_a_closed_case_leaves_its_appeal_alone(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    assert (await a_town.act(number, "close", WHO["close"], **EXPLAINED))[0] == 200
    assert (await a_town.act(number, "appeal", HEAD, **BODY["appeal"]))[0] == 200
    _, answer = await a_town.send(report(caller=CITIZEN))
    assert (answer["outcome"], answer["case_no"]) == ("reopened", number)
    assert (await told_of(a_town, number))[0]["status"] == "first"
    assert (await a_town.act(number, "retract", WHO["retract"], **await body_of(a_town, number, "retract")))[0] == 200
    await examined(a_town)


async def test_an_appeal_about_a_rating_is_about_the_round_that_was_rated(a_town: Town) -> None:
    number = await brought(a_town, "review")
    assert (await a_town.act(number, "rework", WHO["rework"], **BODY["rework"]))[0] == 200
    for action in ("reply", "approve", "close"):
        assert (await a_town.act(number, action, WHO[action], **BODY[action]))[0] == 200
    assert (await a_town.act(number, "appeal", HEAD, **BODY["appeal"] | {"appeal": "rating"}))[0] == 200
    assert await a_town.value("SELECT round FROM appeals") == 2
    unheard = await brought(a_town, "followup", location=elsewhere(), caller={"name": "李四", "phone": "13900000009"})
    unit = principal(
        "unit_head", await a_town.value("SELECT unit FROM assignments WHERE role = 'lead' ORDER BY id DESC LIMIT 1")
    )
    result: dict[str, Any] = {"medium": "incoming", "valid": False, "note": "号码非本人"}
    assert (await a_town.act(unheard, "close", WHO["close"], **result))[0] == 200
    status, problem = await a_town.act(unheard, "appeal", unit, **BODY["appeal"] | {"appeal": "rating"})
    assert (status, problem["field"]) == (409, "appeal")
