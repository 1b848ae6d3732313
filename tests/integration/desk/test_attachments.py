"""One key while a call lasts: the call joins the case that a person names, and everybody on it is counted once."""

import asyncio
from typing import Any

import pytest

from tests.harness.town import Town, report
from tests.integration.casework.people import CITIZEN
from tests.integration.casework.walks import brought, opened
from tests.integration.desk.desk import DISPATCHER, HANDLER, OPERATOR, announced, announcing, ask

ELSEWHERE = {"lon": 116.2113, "lat": 33.1313}


def call(n: int, **fields: Any) -> dict[str, Any]:
    """What caller number `n` says, from anywhere, about something that nobody would match."""
    made = {"category": None, "location": None, "text": "家里没水", "external_id": f"c-{n}"}
    return report(**(made | {"caller": {"name": f"市民{n}", "phone": f"139{n:08}"}} | fields))


async def attached(town: Town, made: dict[str, Any], **to: Any) -> tuple[int, Any]:
    return await ask(town, "POST", "/attachments", OPERATOR, {"report": made, **to})


async def people(town: Town, case_no: str) -> int:
    return int(await town.value("SELECT people FROM cases WHERE case_no = $1", case_no))


async def test_a_call_joins_the_case_that_is_named_whatever_matching_would_say(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    status, made = await attached(a_town, call(1, category="E0110", location=ELSEWHERE), case_no=case_no)
    assert (status, made["case_no"], made["outcome"], made["spoken"]) == (201, case_no, "attached", None)
    _, standing = await a_town.get(f"/reports/{made['receipt_no']}", OPERATOR)
    found = standing["first_answer"]["match"]
    assert (found["verdict"], found["score"], found["reasons"]) == ("joined", 1.0, ["attached by hand"])
    assert await people(a_town, case_no) == 2
    _, explained = await a_town.get(f"/cases/{case_no}/explain", OPERATOR)
    assert explained["reports"][1]["match"]["reasons"] == ["attached by hand"]


async def test_the_same_person_again_is_a_reminder_and_not_one_more_of_the_people(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    await attached(a_town, call(1), case_no=case_no)
    await attached(a_town, call(2, caller={"name": "市民1", "phone": "13900000001"}), case_no=case_no)
    assert await people(a_town, case_no) == 2
    verdicts = [r["verdict"] for r in await a_town.rows("SELECT verdict FROM reports ORDER BY id")]
    assert verdicts[1:] == ["joined", "repeat"]


async def test_the_same_call_again_gets_its_first_answer_also_when_all_is_over(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    number = await announced(a_town, case_no)
    status, first = await attached(a_town, call(1), incident=number)
    assert (status, first["spoken"]) == (201, announcing("")["spoken"])
    assert await attached(a_town, call(1), incident=number) == (200, first)
    assert (await ask(a_town, "POST", f"/incidents/{number}/close", DISPATCHER, {"told": "已恢复"}))[0] == 200
    assert await attached(a_town, call(1), incident=number) == (200, first)
    assert await people(a_town, case_no) == 2


async def test_either_a_case_or_an_incident_is_named(a_town: Town) -> None:
    case_no = await opened(a_town)
    for to in ({}, {"case_no": case_no, "incident": 1}):
        status, problem = await attached(a_town, call(1), **to)
        assert (status, problem["field"]) == (400, "case_no")
    assert (await attached(a_town, call(1), incident=999))[1]["field"] == "incident"
    assert (await attached(a_town, call(1), case_no="20261118000000"))[1]["field"] == "case_no"
    refused = await ask(a_town, "POST", "/attachments", HANDLER, {"report": call(1), "case_no": case_no})
    assert refused[0] == 403


async def test_no_call_joins_a_case_that_is_over(a_town: Town) -> None:
    case_no = await brought(a_town, "closed")
    status, problem = await attached(a_town, call(1), case_no=case_no)
    assert (status, problem["field"]) == (409, "case_no")
    assert await a_town.value("SELECT count(*) FROM reports") == 1


async def test_no_call_joins_an_incident_that_is_over(a_town: Town) -> None:
    number = await announced(a_town, await opened(a_town))
    await ask(a_town, "POST", f"/incidents/{number}/close", DISPATCHER, {"told": "已恢复"})
    status, problem = await attached(a_town, call(1), incident=number)
    assert (status, problem["field"]) == (409, "incident")


async def test_nothing_joins_a_restricted_case_and_nothing_restricted_joins_a_case(a_town: Town) -> None:
    restricted = await opened(a_town, category="S110401", text="邻居天天被打")
    named = type(OPERATOR)(
        "named",
        "account",
        "hotline",
        OPERATOR.roles | {"restricted_reader"},
        OPERATOR.permissions | {"restricted.read"},
    )
    for who in (OPERATOR, named):
        status, problem = await ask(a_town, "POST", "/attachments", who, {"report": call(1), "case_no": restricted})
        assert (status, problem["field"]) == (400, "case_no")
    ordinary = await opened(a_town, caller=CITIZEN)
    status, problem = await attached(a_town, call(2, kind="tipoff", text="举报有人偷排"), case_no=ordinary)
    assert (status, problem["field"]) == (409, "report")
    assert await a_town.value("SELECT count(*) FROM reports") == 2


async def test_a_complaint_about_a_unit_never_lands_in_a_case_that_may_be_in_its_hands(a_town: Town) -> None:
    case_no = await opened(a_town, caller=CITIZEN)
    status, problem = await attached(a_town, call(1, about={"unit": "drainage"}), case_no=case_no)
    assert (status, problem["field"]) == (409, "report.about.unit")
    assert await people(a_town, case_no) == 1


async def storm(town: Town, calls: int) -> None:
    """So many calls at once onto one case: each caller twice, and strangers who open their own case beside them."""
    case_no = await opened(town, caller=CITIZEN)
    number = await announced(town, case_no)
    room = asyncio.Semaphore(200)

    async def one(n: int) -> int:
        person = {"name": "市民", "phone": f"138{n // 2:08}"}
        async with room:
            return (await attached(town, call(n, caller=person), incident=number))[0]

    async def other(n: int) -> int:
        async with room:
            place = {"lon": 116.15 + n % 40 / 500, "lat": 33.12}
            return (await town.send(report(location=place, caller={"name": "别人", "phone": f"137{n:08}"})))[0]

    fates = await asyncio.gather(*(one(n) for n in range(calls)), *(other(n) for n in range(calls // 10)))
    assert set(fates) == {201}
    assert await people(town, case_no) == 1 + calls // 2
    counted = await town.value(
        "SELECT count(*) FROM reports r JOIN cases c ON c.id = r.case_id WHERE c.case_no = $1", case_no
    )
    assert counted == 1 + calls
    status, ended = await ask(town, "POST", f"/incidents/{number}/close", DISPATCHER, {"told": "已恢复供水"})
    assert (status, ended["receipts"]) == (200, 1 + calls)


async def test_three_hundred_calls_at_once_onto_one_case_are_all_counted_right(a_town: Town) -> None:
    await storm(a_town, 300)


@pytest.mark.long
async def test_two_thousand_calls_about_one_burst_main(a_town: Town) -> None:
    await storm(a_town, 2000)
