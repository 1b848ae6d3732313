"""The citizen is asked: tries at other hours, results, what is put right, and what happens the second time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest

from dispatch.casework.closing import followed_up
from dispatch.domain.cases import Case
from tests.harness.town import Town, principal, report
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BAD, BODY, EXPLAINED, GOOD
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import CITIZEN, FOLLOWUP, HANDLER, REVIEWER, SUPERVISOR, WHO, staffed
from tests.integration.casework.walks import brought, elsewhere

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(hour: float, day: int = 18) -> datetime:
    """An instant of a day of November 2026, by the city's clock."""
    return datetime(2026, 11, day, int(hour), round(hour % 1 * 60), tzinfo=SHANGHAI)


async def handled(town: Town, number: str) -> None:
    """Through the unit and the reviewer once more."""
    for action in ("sign", "reply", "approve"):
        status, answer = await town.act(number, action, WHO[action], **BODY[action])
        assert status == 200, answer


async def the_case(town: Town, number: str) -> dict[str, Any]:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    found: dict[str, Any] = case
    return found


async def another(town: Town) -> str:
    """A second case, of somebody else about something else."""
    there = {"location": elsewhere(), "caller": {"name": "李四", "phone": "13900000009"}, "assigned_unit": "drainage"}
    return await brought(town, "followup", **there)


async def examined(town: Town) -> None:
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def test_who_is_not_reached_is_tried_at_other_hours_and_then_left_out_of_every_rate(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    tries = [(10.0, True), (11.5, False), (14.0, True)]
    for hour, counted in tries:
        a_town.clock.at = at(hour)
        status, answer = await a_town.act(number, "attempt", FOLLOWUP, medium="phone", reached=False)
        assert (status, answer["state"]) == (200, "followup")
        assert (await the_case(a_town, number))["followups"][-1]["counted"] is counted
    seen = (await the_case(a_town, number))["followups"]
    assert [datetime.fromisoformat(each["next_at"]) for each in seen] == [at(12), at(12), at(18)]
    a_town.clock.at = at(19)
    assert (await a_town.act(number, "attempt", FOLLOWUP, medium="phone", reached=False))[1]["state"] == "closed"
    case = await the_case(a_town, number)
    assert case["solved"] is None
    assert [each["type"] for each in await _lines(a_town, number)][-3:] == [
        "followup_attempted",
        "followed_up",
        "closed",
    ]
    (asked,) = [each for each in await _lines(a_town, number) if each["type"] == "followed_up"]
    assert (asked["data"]["valid"], asked["data"]["reason"]) == (False, "unreachable")
    assert [d["status"] for d in await clocks_of(a_town, number, "followup")] == ["met"]
    await examined(a_town)


async def _lines(town: Town, number: str) -> list[dict[str, Any]]:
    _, page = await town.get(f"/cases/{number}/events?limit=200", SUPERVISOR)
    return list(page["items"])


@pytest.mark.parametrize("hour", [21.0, 23.5, 2.0, 8.25])
async def test_nobody_is_disturbed_in_quiet_hours(a_town: Town, hour: float) -> None:
    number = await brought(a_town, "followup")
    a_town.clock.at = at(hour, 19)
    for medium, status in (("phone", 409), ("message", 409), ("incoming", 200)):
        answered, problem = await a_town.act(number, "attempt", FOLLOWUP, medium=medium, reached=medium == "incoming")
        assert answered == status, (medium, problem)
        assert status == 200 or (problem["field"] == "medium" and "08:30" in problem["detail"])
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD | {"medium": "phone"}))[0] == 409
    a_town.clock.at = at(20.9, 20)
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD | {"medium": "phone"}))[0] == 200


async def test_the_queue_says_from_when_on_somebody_may_be_called(a_town: Town) -> None:
    first, second = await brought(a_town, "followup"), await another(a_town)
    a_town.clock.at = at(10)
    assert (await a_town.act(first, "attempt", FOLLOWUP, medium="phone", reached=False))[0] == 200

    async def queue(query: str = "") -> dict[str, dict[str, Any]]:
        status, page = await a_town.get(f"/followups{query}", FOLLOWUP)
        assert status == 200
        return {each["case_no"]: each for each in page["items"]}

    waiting = await queue()
    assert (waiting[first]["tries"], waiting[second]["tries"]) == (1, 0)
    assert datetime.fromisoformat(waiting[first]["callable_from"]) == at(12)
    assert datetime.fromisoformat(waiting[second]["callable_from"]) == at(10)
    assert set(await queue("?now=true")) == {second}
    a_town.clock.at = at(22)
    assert {datetime.fromisoformat(each["callable_from"]) for each in (await queue()).values()} == {at(8.5, 19)}
    assert (await a_town.get("/followups", HANDLER))[0] == 403
    _, page = await a_town.get("/followups?limit=1", FOLLOWUP)
    _, rest = await a_town.get(f"/followups?limit=1&cursor={page['next']}", FOLLOWUP)
    assert {page["items"][0]["case_no"], rest["items"][0]["case_no"]} == {first, second}


async def test_a_result_is_whole_or_not_valid(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    faulty: tuple[tuple[dict[str, Any], str], ...] = (
        ({"solved": True, "contacted": True, "satisfied": 5}, "medium"),
        ({"medium": "phone", "contacted": True, "satisfied": 5}, "solved"),
        ({"medium": "phone", "solved": True, "satisfied": 5}, "contacted"),
        ({"medium": "phone", "solved": True, "contacted": True}, "satisfied"),
        ({"medium": "phone", "valid": False}, "note"),
        ({"medium": "phone", "valid": False, "note": "x", "solved": True}, "valid"),
        ({"medium": "phone", "contacted": True, "solved": True, "satisfied": 6}, "satisfied"),
    )
    for body, field in faulty:
        status, problem = await a_town.act(number, "close", FOLLOWUP, **body)
        assert (status, problem["field"]) == (400, field), body
    assert (await a_town.act(number, "close", FOLLOWUP, medium="phone", valid=False, note="号码非本人"))[0] == 200
    case = await the_case(a_town, number)
    assert (case["state"], case["solved"], case["followups"][0]["valid"]) == ("closed", None, False)
    (asked,) = [each for each in await _lines(a_town, number) if each["type"] == "followed_up"]
    assert (asked["data"]["reason"], asked["data"]["solved"]) == ("invalid", None)


async def test_closed_is_not_solved(a_town: Town) -> None:
    solved, unsolved = await brought(a_town, "followup"), await another(a_town)
    assert (await a_town.act(solved, "close", FOLLOWUP, **GOOD))[0] == 200
    without = {k: v for k, v in EXPLAINED.items() if k != "accepted"}
    assert (await a_town.act(unsolved, "close", FOLLOWUP, **without))[1]["field"] == "accepted"
    a_town.clock.travel(timedelta(hours=2))
    _, before = await a_town.get("/stats/overview", SUPERVISOR)
    assert (await a_town.act(unsolved, "close", FOLLOWUP, **EXPLAINED))[0] == 200
    _, after = await a_town.get("/stats/overview", SUPERVISOR)
    assert (after["open"], after["solved"]["value"]) == (before["open"] - 1, 0.5)
    assert before["solved"]["value"] == 1


async def test_a_bad_review_is_put_right_in_a_new_round_with_its_own_limit(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD | {"satisfied": 2}))[1]["field"] == "satisfied"
    assert (await a_town.act(number, "rectify", FOLLOWUP, **GOOD, note="x"))[1]["field"] == "satisfied"
    assert (await a_town.act(number, "rectify", FOLLOWUP, **BAD))[1]["field"] == "note"
    status, answer = await a_town.act(number, "rectify", FOLLOWUP, **BODY["rectify"])
    assert (status, answer["state"]) == (200, "to_sign")
    (clock,), (first,) = await clocks_of(a_town, number, "rectify"), await clocks_of(a_town, number, "close")
    assert (clock["round"], clock["unit"], clock["limit_text"]) == (2, "drainage", "3wd")
    assert first["stopped_at"] is not None
    reply = (await clocks_of(a_town, number, "reply"))[-1]
    assert reply["due_at"] == clock["due_at"]
    _, inbox = await a_town.get("/notices", HANDLER)
    assert "rectify" in [n["topic"] for n in inbox["items"]]
    await handled(a_town, number)
    assert [c["status"] for c in await clocks_of(a_town, number, "rectify")] == ["met"]
    assert (await a_town.act(number, "close", FOLLOWUP, **GOOD))[1]["state"] == "closed"
    await examined(a_town)


async def test_nothing_is_put_right_for_longer_than_fifteen_working_days(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    assert (await a_town.act(number, "rectify", FOLLOWUP, **BODY["rectify"], limit="40wd"))[0] == 200
    (clock,) = await clocks_of(a_town, number, "rectify")
    assert clock["due_at"] == datetime(2026, 12, 9, 18, 0, tzinfo=SHANGHAI)
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "extend", SUPERVISOR, note="配件在途"))[1]["field"] == "limit"
    other = await brought(a_town, "review", location=elsewhere())
    assert (await a_town.act(other, "rework", REVIEWER, note="照片看不出已恢复", limit="40wd"))[0] == 200
    (clock,) = await clocks_of(a_town, other, "rectify")
    assert clock["due_at"] == datetime(2026, 12, 9, 18, 0, tzinfo=SHANGHAI)


async def test_the_angry_second_rating_is_supervised_and_may_be_ended_only_then(a_town: Town) -> None:
    await staffed(a_town)
    number = await brought(a_town, "followup")
    told: dict[str, Any] = {"note": "已依法处理", "told": "您反映的问题已依法处理"}
    assert (await a_town.act(number, "rectify", FOLLOWUP, **BODY["rectify"]))[0] == 200
    assert "dissatisfied_again" not in await events_of(a_town, number)
    await handled(a_town, number)
    assert (await a_town.act(number, "conclude", SUPERVISOR, **told))[1]["field"] == "satisfied"
    assert (await a_town.act(number, "rectify", FOLLOWUP, **BODY["rectify"]))[0] == 200
    (line,) = [each for each in await _lines(a_town, number) if each["type"] == "dissatisfied_again"]
    assert (line["data"]["times"], line["data"]["unit"]) == (2, "drainage")
    rows = await a_town.rows("SELECT recipient FROM notices WHERE topic = 'dissatisfied_again' AND medium = 'inbox'")
    assert {row["recipient"] for row in rows} >= {"account:h1", "account:sup", "account:com"}
    await handled(a_town, number)
    assert (await a_town.act(number, "conclude", SUPERVISOR, note="x"))[1]["field"] == "told"
    status, answer = await a_town.act(number, "conclude", SUPERVISOR, **told)
    assert (status, answer["state"]) == (200, "closed")
    assert (await the_case(a_town, number))["solved"] is False
    await examined(a_town)


async def test_who_is_content_but_has_it_unsolved_is_not_asked_to_put_up_with_it_twice(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    unsolved = BODY["rectify"] | {"satisfied": 4}
    for _ in range(2):
        assert (await a_town.act(number, "rectify", FOLLOWUP, **unsolved))[0] == 200
        await handled(a_town, number)
    assert "dissatisfied_again" in await events_of(a_town, number)
    status, answer = await a_town.act(number, "conclude", SUPERVISOR, note="已依法处理", told="您反映的问题已依法处理")
    assert (status, answer["state"]) == (200, "closed")


async def test_what_was_not_done_well_goes_back_to_the_same_person_and_the_first_clock_runs_on(a_town: Town) -> None:
    number = await brought(a_town, "review")
    (before,) = await clocks_of(a_town, number, "close")
    assert (await a_town.act(number, "rework", REVIEWER))[1]["field"] == "note"
    status, answer = await a_town.act(number, "rework", REVIEWER, note="照片看不出已恢复")
    assert (status, answer["state"]) == (200, "handling")
    (after,), (own,) = await clocks_of(a_town, number, "close"), await clocks_of(a_town, number, "rectify")
    assert (after["due_at"], after["stopped_at"], after["unit"]) == (before["due_at"], None, "drainage")
    assert (own["round"], own["unit"], own["started_at"]) == (2, "drainage", a_town.clock.at)
    case = await the_case(a_town, number)
    (task,) = [each for each in case["assignments"] if each["role"] == "lead"]
    assert (task["state"], task["handler"], case["owner_unit"]) == ("handling", HANDLER.name, "drainage")
    assert (await a_town.act(number, "reply", HANDLER, **BODY["reply"]))[0] == 200
    assert (await a_town.act(number, "approve", REVIEWER))[1]["state"] == "followup"
    assert {c["status"] for name in ("close", "rectify") for c in await clocks_of(a_town, number, name)} == {"met"}
    await examined(a_town)


async def test_of_ordinary_matters_a_share_is_asked_and_of_urgent_ones_all(a_town: Town) -> None:
    current = a_town.services.cities.current

    def asked(share: float, urgency: str) -> float:
        city = replace(current, casework=msgspec.structs.replace(current.casework, followup_share=share))
        day = a_town.clock.at
        cases = (Case(n, f"20261118{n:08}", day, day.date(), "review", "help", urgency, 1, day) for n in range(1000))
        return sum(followed_up(case, city) for case in cases) / 1000

    assert (asked(0.0, "ordinary"), asked(1.0, "ordinary"), asked(0.0, "urgent")) == (0, 1, 1)
    assert 0.25 < asked(0.3, "ordinary") < 0.35
    number = await brought(a_town, "review", urgency="ordinary")
    a_town.services.cities.current = replace(
        current, casework=msgspec.structs.replace(current.casework, followup_share=0.0)
    )
    assert (await a_town.act(number, "approve", REVIEWER))[1]["state"] == "closed"


FROM_ABOVE: dict[str, Any] = {
    "source_ref": {"system": "province", "number": "P-77"},
    "due_at": "2026-12-20T18:00:00+08:00",
    "caller": CITIZEN,
}


async def test_who_is_not_reached_does_not_end_what_the_superior_waits_for(a_town: Town) -> None:
    _, receipt = await a_town.send(report(**FROM_ABOVE))
    await handled(a_town, receipt["case_no"])
    for hour, status in ((10.0, 200), (14.0, 200), (19.0, 409)):
        a_town.clock.at = at(hour)
        answered, problem = await a_town.act(receipt["case_no"], "attempt", FOLLOWUP, medium="phone", reached=False)
        assert answered == status, problem
    assert problem["field"] == "report_back"
    assert (await the_case(a_town, receipt["case_no"]))["state"] == "followup"
    assert len((await the_case(a_town, receipt["case_no"]))["followups"]) == 2


async def test_the_schema_refuses_half_a_result(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    insert = (
        "INSERT INTO followups (case_id, nth, round, medium, by, at, reached, counted, valid, contacted, solved, satisfied)"
        " SELECT id, 9, 1, 'phone', 'x', now(), {} FROM cases WHERE case_no = $1"
    )
    for values in ("true, false, true, true, true, NULL", "true, false, false, NULL, true, NULL", "false, false, true, true, true, 5",
                   "true, true, NULL, NULL, NULL, NULL", "true, false, true, true, true, 6"):  # fmt: skip
        with pytest.raises(asyncpg.CheckViolationError):
            await a_town.rows(insert.format(values), number)


async def test_who_may_follow_up(a_town: Town) -> None:
    number = await brought(a_town, "followup")
    for role, unit in (("handler", "drainage"), ("operator", "hotline"), ("reviewer", "dispatch")):
        assert (await a_town.act(number, "attempt", principal(role, unit), version=1, **BODY["attempt"]))[0] == 403
