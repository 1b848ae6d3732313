"""What is no matter for a unit is suggested with its reason, and only a person ends it (S02, b7.5)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.town import REPLAYER, Town, report
from tests.integration.casework.people import CITIZEN, DISPATCHER, OPERATOR, SUPERVISOR
from tests.integration.casework.walks import desk_call
from tests.integration.desk.desk import ask

# Both from the issue; of a kind that the duty book gives to a unit at once.
NEIGHBOURS = {"text": "要求政府干预邻里纠纷", "category": "S110204"}
TRIFLE = {"text": "投诉超市价格高0.1元", "category": "S0304"}
MONTH = "/stats/desk?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z"


async def sent(town: Town, **fields: Any) -> dict[str, Any]:
    status, answer = await town.send(report(**fields))
    assert status == 201, answer
    return answer


async def told_of(town: Town, number: str, what: str) -> dict[str, Any]:
    status, answer = await town.get(f"/cases/{number}/{what}", DISPATCHER if what == "proposal" else SUPERVISOR)
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


@pytest.mark.parametrize(
    ("fields", "code", "action", "where", "after"),
    [(NEIGHBOURS, "mediation", "refer", [6, 10], "referred"), (TRIFLE, "trivial", "reject", [6, 11], "rejected")],
    ids=["neighbours", "trifle"],
)
async def test_it_waits_at_the_dispatch_desk_with_its_reason_until_a_person_ends_it(
    a_town: Town, fields: dict[str, Any], code: str, action: str, where: list[int], after: str
) -> None:
    answer = await sent(a_town, **fields)
    number, ending = answer["case_no"], a_town.services.cities.current.endings[code]
    assert (answer["outcome"], answer["state"], answer["route"]["rule"]) == ("triage", "triage", "unsuited")
    (shown,) = answer["unsuited"]
    assert (shown["code"], shown["action"], shown["said"]) == (code, action, [where])
    assert [d["status"] for d in answer["deadlines"] if d["deadline"] == "dispatch"] == ["running"]
    (waiting,) = (await a_town.get("/desk/triage", DISPATCHER))[1]["items"]
    assert (waiting["case_no"], waiting["unsuited"]) == (number, [code])
    proposal = await told_of(a_town, number, "proposal")
    (proposed,) = proposal["unsuited"]
    assert (proposed["code"], proposed["name"], proposed["basis"], proposed["told"]) == (
        code, ending.name, ending.basis, ending.told,
    )  # fmt: skip
    assert proposal["lead"]  # whoever dispatches it all the same need not look it up
    status, done = await a_town.act(number, action, OPERATOR, reason_code=code)
    assert (status, done["state"]) == (200, after)
    explained = await told_of(a_town, number, "explain")
    (kept,) = explained["reports"][0]["unsuited"]
    assert (kept["code"], kept["said"]) == (code, [where])
    assert fields["text"] not in str(explained)
    assert [(d["by"], d["what"], d["ending"], d["agreed"]) for d in explained["unsuited"]] == [
        (OPERATOR.name, after, code, True)
    ]


async def test_a_person_who_sees_a_matter_in_it_dispatches_it_and_that_is_told(a_town: Town) -> None:
    number = (await sent(a_town, **NEIGHBOURS))["case_no"]
    lead = (await told_of(a_town, number, "proposal"))["lead"]
    status, done = await a_town.act(number, "dispatch", DISPATCHER, unit=lead)
    assert (status, done["state"]) == (200, "to_sign")
    (decided,) = (await told_of(a_town, number, "explain"))["unsuited"]
    assert (decided["by"], decided["what"], decided["agreed"]) == (DISPATCHER.name, "dispatched", False)


async def test_nobody_decides_it_but_a_person_and_its_clock_rings(a_town: Town) -> None:
    number = (await sent(a_town, **TRIFLE))["case_no"]
    a_town.clock.travel(timedelta(days=3))
    while await a_town.fire():
        pass
    row = (await a_town.rows("SELECT state, ending FROM cases WHERE case_no = $1", number))[0]
    assert tuple(row) == ("triage", None)
    assert await a_town.value("SELECT count(*) FROM escalations") > 0
    assert (await told_of(a_town, number, "explain"))["unsuited"] == []


@pytest.mark.parametrize(
    "fields",
    [
        NEIGHBOURS | {"text": "要求政府干预邻里纠纷，对方家里着火了"},
        NEIGHBOURS | {"text": "邻里纠纷，楼上高空抛物"},
        NEIGHBOURS | {"text": "邻居占用消防通道引起邻里纠纷"},
        TRIFLE | {"text": "投诉超市结账比标价高0.1元"},
        NEIGHBOURS | {"urgency": "urgent"},
        NEIGHBOURS | {"assigned_unit": "police"},
    ],
    ids=["danger", "thrown", "fire lane", "marked price", "urgent", "given"],
)
async def test_what_is_a_matter_all_the_same_is_dispatched_at_once(a_town: Town, fields: dict[str, Any]) -> None:
    answer = await sent(a_town, **fields)
    assert (answer["state"], answer.get("unsuited", [])) == ("to_sign", [])
    assert answer["lead_unit"]
    explained = await told_of(a_town, answer["case_no"], "explain")
    assert (explained["reports"][0]["unsuited"], explained["unsuited"]) == ([], [])


async def test_recorded_history_is_never_suggested(a_town: Town) -> None:
    past = report(channel="history", received_at="2025-11-18T10:00:00+08:00", **NEIGHBOURS)
    _, answer = await a_town.send(past, REPLAYER)
    assert (answer["state"], answer.get("unsuited", [])) == ("to_sign", [])


async def test_one_that_joins_a_case_is_attached_and_suggests_nothing(a_town: Town) -> None:
    first = await sent(a_town, caller=CITIZEN, **NEIGHBOURS)
    again = await sent(a_town, caller=CITIZEN, **NEIGHBOURS)
    assert (again["outcome"], again["case_no"], again.get("unsuited", [])) == ("attached", first["case_no"], [])


async def test_the_operator_is_shown_it_while_typing_and_ends_the_call_in_one_request(a_town: Town) -> None:
    status, shown = await ask(a_town, "POST", "/preview", OPERATOR, report(**TRIFLE))
    assert (status, shown["lead_unit"], shown["route"]["rule"]) == (200, None, "unsuited")
    assert [(each["code"], each["said"]) for each in shown["unsuited"]] == [("trivial", [[6, 11]])]
    call: dict[str, Any] = {"report": report(**TRIFLE), "action": "reject", "body": {"reason_code": "trivial"}}
    status, answer = await desk_call(a_town, **call)
    assert (status, answer["result"]["state"]) == (201, "rejected")
    assert [each["code"] for each in answer["report"]["unsuited"]] == ["trivial"]


async def test_a_refused_matter_said_again_without_new_facts_waits_and_with_them_goes_to_its_unit(a_town: Town) -> None:
    said = {"text": "要求把楼下早餐店的招牌换成红色的，红色看着喜庆", "category": "S0304", "caller": CITIZEN}
    status, call = await desk_call(a_town, report=report(**said), action="reject", body={"reason_code": "not_duty"})
    assert status == 201
    first = call["report"]["case_no"]
    again = await sent(a_town, **said)
    assert again["case_no"] != first
    assert [(each["code"], each["case_no"]) for each in again["unsuited"]] == [("no_new_facts", first)]
    assert again["state"] == "triage"
    status, done = await a_town.act(again["case_no"], "reject", OPERATOR, reason_code="no_new_facts")
    assert (status, done["state"]) == (200, "rejected")
    fresh = said | {"text": f"{said['text']}。昨天这块招牌松动以后掉了一颗螺丝下来打坏了电动自行车"}
    new = await sent(a_town, **fresh)
    assert (new.get("unsuited", []), new["state"]) == ([], "to_sign")


async def test_it_is_counted_how_often_it_was_suggested_overruled_and_taken_back(a_town: Town) -> None:
    spot = iter(range(1, 9))

    async def one(**fields: Any) -> str:
        place = {"lon": 116.19 + next(spot) / 100, "lat": 33.13}
        number: str = (await sent(a_town, location=place, **fields))["case_no"]
        return number

    agreed, back, overruled, _waits = [await one(**TRIFLE) for _ in range(4)]
    await one(text="路口积水很深")
    for number in (agreed, back):
        assert (await a_town.act(number, "reject", OPERATOR, reason_code="trivial"))[0] == 200
    assert (await a_town.act(back, "restore", SUPERVISOR, note="涉及明码标价，应当受理"))[0] == 200
    assert (await a_town.act(overruled, "dispatch", DISPATCHER, unit="market"))[0] == 200
    _, figures = await a_town.get(MONTH, SUPERVISOR)
    counted = {name: (each["numerator"], each["denominator"], each["excluded"]) for name, each in figures.items()}
    assert counted["unsuited_rate"] == (4, 5, 0)
    assert counted["unsuited_override_rate"] == (1, 3, 1)
    assert counted["unsuited_reversal_rate"] == (1, 2, 0)


async def test_events_and_logs_hold_no_words_of_it(a_town: Town) -> None:
    await sent(a_town, **TRIFLE)
    rows = await a_town.rows("SELECT convert_from(body, 'UTF8') AS body FROM case_events WHERE type = 'received'")
    (body,) = [row["body"] for row in rows]
    assert '"unsuited":["trivial"]' in body
    assert "0.1" not in body
