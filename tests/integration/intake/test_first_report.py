"""The main job in one line: a report becomes a case at its unit, its clocks run, a deadline acts, a message goes out."""

from datetime import timedelta

from tests.harness.town import REPLY, Town, principal, report
from tests.integration.casework.bodies import GOOD

HEAD = principal("unit_head", "drainage")


async def test_a_report_becomes_a_case_at_its_unit_with_running_clocks(a_town: Town) -> None:
    status, answer = await a_town.send(report())
    assert status == 201
    assert (answer["outcome"], answer["state"], answer["lead_unit"]) == ("opened", "to_sign", "drainage")
    assert {d["deadline"] for d in answer["deadlines"]} >= {"close", "sign", "reply"}


async def test_an_unsigned_task_is_escalated_to_the_head_of_its_unit(a_town: Town) -> None:
    _, answer = await a_town.send(report())
    a_town.clock.travel(timedelta(minutes=31))
    assert await a_town.fire() > 0
    status, page = await a_town.get("/escalations?level=1", principal("supervisor", "supervision"))
    assert status == 200
    assert (answer["case_no"], "sign") in {(e["case_no"], e["clock"]) for e in page["items"]}


async def test_a_task_is_signed_answered_approved_and_the_citizen_asked(a_town: Town) -> None:
    _, answer = await a_town.send(report(caller={"name": "市民", "phone": "19900000001"}))
    number = answer["case_no"]
    handler, reviewer, followup = (
        principal("handler", "drainage"),
        principal("reviewer", "dispatch"),
        principal("followup", "hotline"),
    )
    assert (await a_town.act(number, "sign", handler))[0] == 200
    status, after = await a_town.act(number, "reply", handler, **REPLY)
    assert (status, after["state"]) == (200, "review")
    status, after = await a_town.act(number, "approve", reviewer)
    assert (status, after["state"]) == (200, "followup")
    status, after = await a_town.act(number, "close", followup, **GOOD)
    assert (status, after["state"]) == (200, "closed")
