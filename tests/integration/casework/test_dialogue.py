"""Talk about a case: progress and questions for its citizens, notes that stay inside."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from dispatch.people.principal import Principal
from tests.harness.town import REPLY, Town, principal, report
from tests.integration.casework.always import examine
from tests.integration.casework.looking import receipt_of
from tests.integration.casework.people import (
    CITIZEN,
    DISPATCHER,
    FOLLOWUP,
    HANDLER,
    HEAD,
    OPERATOR,
    REVIEWER,
    STRANGER,
    SUPERVISOR,
    account,
    shift,
)
from tests.integration.casework.walks import brought, opened
from tests.integration.desk.desk import ask

ASKED: dict[str, Any] = {"kind": "question", "told": "请问积水没过台阶了吗"}
PROGRESS: dict[str, Any] = {"kind": "progress", "told": "抽排车已经到场，联系13812345678"}
W2 = principal("handler", "drainage", name="w2")
SECRET = "该户多次扬言上访，注意方式"


async def thread(town: Town, number: str, who: Principal = HANDLER, query: str = "") -> list[dict[str, Any]]:
    status, page = await town.get(f"/cases/{number}/dialogue{query}", who)
    assert status == 200, page
    items: list[dict[str, Any]] = page["items"]
    return items


async def adds(town: Town, receipt: str, text: str = "已经没过了") -> None:
    """The citizen of a receipt adds something, by their code."""
    code = town.services.keyring.track_code(receipt)
    url = f"{town.url}/api/v1/track/{receipt}/supplements"
    async with town.http.post(url, json={"text": text}, headers={"X-Track-Code": code}) as answer:
        assert answer.status == 201, await answer.text()


async def last_event(town: Town, number: str) -> dict[str, Any]:
    body = await town.value(
        "SELECT e.body FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 ORDER BY e.seq DESC LIMIT 1",
        number,
    )
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


async def heard(town: Town, who: Principal) -> list[str]:
    _, inbox = await town.get("/notices", who)
    return [notice["topic"] for notice in inbox["items"] if notice["topic"] in ("supplement", "question_answered")]


async def clocks(town: Town) -> list[tuple[Any, ...]]:
    return [
        tuple(r) for r in await town.rows("SELECT id, due_at, status, stopped_at, next_at FROM deadlines ORDER BY id")
    ]


async def test_a_question_is_open_until_the_citizen_adds_something(a_town: Town) -> None:
    for name in (HANDLER.name, "w2"):
        await account(a_town, name, "handler", "drainage")
    await shift(a_town, "drainage", "handler", "w2", a_town.clock.at, a_town.clock.at + timedelta(days=1))
    number = await brought(a_town, "handling")
    receipt = await receipt_of(a_town, number)
    before = await clocks(a_town)
    await adds(a_town, receipt, "还在下雨")
    assert await heard(a_town, W2) == ["supplement"]
    assert await heard(a_town, HANDLER) == []
    for told in (PROGRESS, ASKED):
        assert (await a_town.act(number, "tell", HANDLER, **told))[0] == 200
    assert (await last_event(a_town, number))["kind"] == "question"
    said = await thread(a_town, number)
    assert [(each["kind"], each.get("answered_at", "-")) for each in said] == [
        ("report", "-"), ("supplement", "-"), ("progress", "-"), ("question", None),
    ]  # fmt: skip
    await adds(a_town, receipt)
    assert (await last_event(a_town, number))["answers"] == [said[3]["id"]]
    # Who has the task hears of it although another one is on duty, and so does that one.
    told_to = await a_town.rows("SELECT recipient FROM notices WHERE topic = 'question_answered' ORDER BY recipient")
    assert [row["recipient"] for row in told_to] == [f"account:{HANDLER.name}", "account:w2"]
    said = await thread(a_town, number)
    assert [each["kind"] for each in said] == ["report", "supplement", "progress", "question", "supplement"]
    assert said[3]["answered_at"] == said[4]["written_at"]
    # What comes later answers nothing any more.
    await adds(a_town, receipt, "水退了")
    assert "answers" not in await last_event(a_town, number)
    assert await clocks(a_town) == before
    connection = await asyncpg.connect(a_town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


async def test_a_question_to_one_caller_is_answered_by_that_caller(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    mine = await receipt_of(a_town, number)
    _, other = await a_town.send(_same_place())
    assert other["case_no"] == number
    assert (await a_town.act(number, "tell", HANDLER, receipt_no=mine, **ASKED))[0] == 200
    await adds(a_town, other["receipt_no"])
    assert "answers" not in await last_event(a_town, number)
    await adds(a_town, mine)
    assert len((await last_event(a_town, number))["answers"]) == 1
    (asked,) = [each for each in await thread(a_town, number) if each["kind"] == "question"]
    assert asked["receipt_no"] == mine
    status, problem = await a_town.act(number, "tell", HANDLER, receipt_no="nobody", **ASKED)
    assert (status, problem["field"]) == (400, "receipt_no")


def _same_place() -> dict[str, Any]:
    return report(caller={"name": "李四", "phone": "13912345678"})


async def test_the_citizen_hears_the_lead_or_the_desk_and_nobody_else(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="现场有燃气管线"))[0] == 200
    assert (await a_town.act(number, "tell", STRANGER, **PROGRESS))[0] == 404
    for who in (HANDLER, HEAD, OPERATOR, DISPATCHER, principal("handler", "water-affairs")):
        assert (await a_town.act(number, "tell", who, **PROGRESS))[0] == 200, who
    for who in (REVIEWER, SUPERVISOR, FOLLOWUP):
        assert (await a_town.act(number, "tell", who, **PROGRESS))[0] == 403, who
    faulty: list[tuple[dict[str, Any], str]] = [
        ({"told": "x"}, "kind"),
        ({"kind": "progress"}, "told"),
        ({"kind": "rumour"}, "kind"),
    ]
    for body, field in faulty:
        status, problem = await a_town.act(number, "tell", HANDLER, **body)
        assert (status, problem["field"]) == (400, field)


async def test_a_note_is_read_by_those_who_work_on_the_case_and_never_by_the_citizen(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    receipt = await receipt_of(a_town, number)
    for who in (HANDLER, OPERATOR, SUPERVISOR, REVIEWER):
        assert (await a_town.act(number, "note", who, note=SECRET))[0] == 200, who
    assert (await a_town.act(number, "note", HANDLER))[1]["field"] == "note"
    assert (await a_town.act(number, "note", STRANGER, version=1, note=SECRET))[0] == 404
    assert (await a_town.act(number, "reply", HANDLER, **REPLY))[0] == 200
    kinds = [each["kind"] for each in await thread(a_town, number)]
    assert kinds == ["report", "answer"]
    inside = await thread(a_town, number, query="?internal=true")
    assert [(each["kind"], each["internal"]) for each in inside] == [
        ("report", False), *[("note", True)] * 4, ("reply", True), ("answer", False),
    ]  # fmt: skip
    assert {each["text"] for each in inside if each["kind"] == "note"} == {SECRET}
    headers = {"X-Track-Code": a_town.services.keyring.track_code(receipt)}
    async with a_town.http.get(f"{a_town.url}/api/v1/track/{receipt}", headers=headers) as answer:
        assert SECRET not in await answer.text()
    held = [r["x"] for r in await a_town.rows("SELECT convert_from(body, 'UTF8') AS x FROM case_events")]
    held += [r["x"] for r in await a_town.rows("SELECT convert_from(message, 'UTF8') AS x FROM outbox")]
    held += [r["x"] for r in await a_town.rows("SELECT body::text AS x FROM notices")]
    assert not any(SECRET in each for each in held)


async def test_the_thread_is_masked_in_pages_and_seen_by_nobody_who_does_not_see_the_case(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    for _ in range(5):
        assert (await a_town.act(number, "tell", HANDLER, **PROGRESS))[0] == 200
    whole = await thread(a_town, number)
    assert whole[1]["text"] == "抽排车已经到场，联系138****5678"
    read, more = [], "?limit=2"
    while more:
        _, page = await a_town.get(f"/cases/{number}/dialogue{more}", HANDLER)
        read += page["items"]
        more = f"?limit=2&cursor={page['next']}" if page.get("next") else ""
    assert read == whole
    assert len(read) == 6
    _, page = await a_town.get(f"/cases/{number}/dialogue?limit=2", HANDLER)
    for path in (f"/cases/{number}/dialogue?internal=true&cursor={page['next']}", "/cases?cursor=" + page["next"]):
        assert (await a_town.get(path, HANDLER))[0] == 400
    assert (await a_town.get(f"/cases/{number}/dialogue", STRANGER))[0] == 404
    await a_town.rows("DELETE FROM case_keys")
    assert await thread(a_town, number, query="?internal=true") == []


async def test_a_question_goes_with_the_report_that_it_is_about(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, other = await a_town.send(_same_place())
    assert (await a_town.act(number, "tell", HANDLER, receipt_no=other["receipt_no"], **ASKED))[0] == 200
    assert (await a_town.act(number, "detach", DISPATCHER, receipt_no=other["receipt_no"], note="另一处"))[0] == 200
    assert [each["kind"] for each in await thread(a_town, number)] == ["report"]
    apart = await a_town.value("SELECT case_no FROM cases WHERE case_no <> $1", number)
    assert [each["kind"] for each in await thread(a_town, apart, DISPATCHER)] == ["report", "question"]


@pytest.mark.parametrize("how", ["phone", "visit", "message"])
async def test_an_attempt_says_how_the_citizen_was_contacted(a_town: Town, how: str) -> None:
    number = await opened(a_town, caller=CITIZEN)
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "contact", HANDLER, reached=True, how="pigeon"))[0] == 400
    assert (await a_town.act(number, "contact", HANDLER, reached=True, how=how))[0] == 200
    assert (await last_event(a_town, number))["how"] == how
    _, said = await ask(a_town, "GET", f"/cases/{number}/events", HANDLER)
    assert said["items"][-1]["data"]["how"] == how
