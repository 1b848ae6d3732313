"""The visit before a case is closed: who looks, what it holds up, and who may do without it."""

from datetime import timedelta
from typing import Any

from dispatch.people.permissions import PERMISSIONS
from dispatch.people.principal import Principal
from tests.harness.pictures import add, got, picture
from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.bodies import EXPLAINED
from tests.integration.casework.careful import FREE, HERE, VISITED, case_of, sound
from tests.integration.casework.looking import clocks_of, events, events_of
from tests.integration.casework.people import DISPATCHER, FOLLOWUP, HANDLER, REVIEWER, SUPERVISOR, account
from tests.integration.casework.test_site_checks import FAR, NEAR, collectors, posted
from tests.integration.casework.walks import brought


async def visit_of(town: Town, who: Principal = NEAR) -> dict[str, Any]:
    (visit,) = (await town.get("/checks", who))[1]["items"]
    found: dict[str, Any] = visit
    return found


async def test_a_reply_sends_somebody_to_look_and_nothing_is_closed_before(careful: Town) -> None:
    await collectors(careful)
    number = await case_of(careful, "review", VISITED)
    assert (await events_of(careful, number))[-2:] == ["replied", "site_check_asked"]
    visit = await visit_of(careful)
    assert (visit["kind"], visit["cases"], visit["account"]) == ("verify_done", [number], "near")
    (clock,) = await clocks_of(careful, number, "verify")
    assert (clock["status"], clock["unit"], clock["due_at"]) == ("running", "dispatch", visit_due(visit, clock))
    status, problem = await careful.act(number, "approve", REVIEWER)
    assert (status, problem["field"]) == (409, "check")
    assert (await careful.act(number, "inspect", REVIEWER, note="请看"))[1]["field"] == "check"
    assert (await posted(careful, f"/checks/{visit['id']}/result", NEAR, result="found"))[1]["field"] == "result"
    assert (await posted(careful, f"/checks/{visit['id']}/result", FAR, result="done"))[0] == 404
    status, shown = await add(careful, number, NEAR, picture(HERE), "after")
    assert status == 201
    told = {"result": "done", "note": "已疏通，路面干净", "evidence": [shown["file_id"]]}
    assert (await posted(careful, f"/checks/{visit['id']}/result", NEAR, **told))[0] == 200
    assert await careful.value("SELECT state FROM cases WHERE case_no = $1", number) == "review"
    assert [c["status"] for c in await clocks_of(careful, number, "verify")] == ["met"]
    assert (await careful.get("/checks", NEAR))[1]["items"] == []
    assert (await got(careful, number, shown["file_id"], REVIEWER))[0] == 200
    _, inbox = await careful.get("/notices", REVIEWER)
    assert "site_checked" in [each["topic"] for each in inbox["items"]]
    status, after = await careful.act(number, "approve", REVIEWER)
    assert (status, after["state"]) == (200, "followup")
    await sound(careful)


def visit_due(visit: dict[str, Any], clock: dict[str, Any]) -> Any:
    """The clock's due instant, where the visit names the same."""
    return clock["due_at"] if visit["due_at"] == clock["due_at"].isoformat().replace("+00:00", "Z") else None


async def test_work_that_was_not_done_is_not_approved_until_another_visit_says_so(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "review", assigned_unit="drainage")
    assert (await a_town.act(number, "inspect", REVIEWER, note="照片看不清，请现场看一下"))[0] == 200
    visit = await visit_of(a_town)
    assert (await posted(a_town, f"/checks/{visit['id']}/result", NEAR, result="not_done"))[0] == 200
    status, problem = await a_town.act(number, "approve", REVIEWER)
    assert (status, problem["field"]) == (409, "check")
    assert (await a_town.act(number, "inspect", DISPATCHER, note="单位称已重新处理"))[0] == 200
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 409
    again = await visit_of(a_town)
    assert (await posted(a_town, f"/checks/{again['id']}/result", NEAR, result="done"))[0] == 200
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    assert [c["status"] for c in await clocks_of(a_town, number, "verify")] == ["met", "met"]
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert [(c["kind"], c["round"], c["result"]) for c in case["checks"]] == [
        ("verify_done", 1, "not_done"),
        ("verify_done", 1, "done"),
    ]
    await sound(a_town)


async def test_a_supervisor_does_without_the_visit_by_a_code_and_does_not_approve(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "review", assigned_unit="drainage")
    waiver: dict[str, Any] = {"reason_code": "seen_otherwise", "note": "已由视频确认"}
    assert (await a_town.act(number, "waive", SUPERVISOR, **waiver))[1]["field"] == "check"
    assert (await a_town.act(number, "inspect", DISPATCHER, note="请看"))[0] == 200
    assert (await a_town.act(number, "waive", SUPERVISOR, reason_code="lazy", note="x"))[1]["field"] == "reason_code"
    assert (await a_town.act(number, "waive", SUPERVISOR, reason_code="seen_otherwise"))[1]["field"] == "note"
    assert (await a_town.act(number, "waive", REVIEWER, **waiver))[0] == 403
    assert (await a_town.act(number, "waive", SUPERVISOR, **waiver))[0] == 200
    (event,) = await events(a_town, number, "check_waived")
    assert (event["reason"], event["round"], event["actor"]) == ("seen_otherwise", 1, SUPERVISOR.name)
    assert [c["status"] for c in await clocks_of(a_town, number, "verify")] == ["cancelled"]
    assert (await a_town.get("/checks", NEAR))[1]["items"] == []
    assert (await a_town.act(number, "waive", SUPERVISOR, **waiver))[0] == 409
    assert (await a_town.act(number, "inspect", DISPATCHER, note="请看"))[0] == 409
    both = Principal(
        SUPERVISOR.name, "account", "dispatch", frozenset({"reviewer", "supervisor"}),
        PERMISSIONS["reviewer"] | PERMISSIONS["supervisor"],
    )  # fmt: skip
    assert (await a_town.act(number, "approve", both))[0] == 409
    assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
    await sound(a_town)


async def test_nobody_who_worked_on_it_looks_whether_it_was_done(careful: Town) -> None:
    own = principal("collector", "drainage", name="own")
    await account(careful, "own", "collector", "drainage")
    assert (await posted(careful, "/checks/position", own, lon=HERE[0], lat=HERE[1]))[0] == 204
    number = await case_of(careful, "review", VISITED)
    assert await careful.value("SELECT account FROM site_checks") is None
    assert (await careful.get("/checks", own))[1]["items"] == []
    check = await careful.value("SELECT id FROM site_checks")
    assert (await posted(careful, f"/checks/{check}/result", own, result="done"))[0] == 404
    assert (await add(careful, number, own, picture(HERE), "after"))[0] == 404
    await account(careful, "near", "collector", "dispatch")
    assert (await visit_of(careful))["id"] == check
    assert (await posted(careful, f"/checks/{check}/result", NEAR, result="done"))[0] == 200


async def test_a_visit_that_nobody_makes_climbs_and_one_of_a_round_that_is_over_changes_nothing(careful: Town) -> None:
    await collectors(careful)
    number = await case_of(careful, "review", VISITED)
    visit = await visit_of(careful)
    (clock,) = await clocks_of(careful, number, "verify")
    careful.clock.travel(clock["due_at"] - careful.clock.at + timedelta(hours=1))
    await careful.fire()
    assert [c["status"] for c in await clocks_of(careful, number, "verify")] == ["missed"]
    waiver: dict[str, Any] = {"reason_code": "not_reachable", "note": "封路"}
    for action, who, body in (
        ("waive", SUPERVISOR, waiver), ("approve", REVIEWER, {}), ("close", FOLLOWUP, EXPLAINED),
        ("reopen", SUPERVISOR, {"note": "又积水"}), ("sign", HANDLER, {}), ("reply", HANDLER, REPLY),
    ):  # fmt: skip
        assert (await careful.act(number, action, who, **body))[0] == 200, action
    fresh = await visit_of(careful)
    assert fresh["id"] != visit["id"]
    assert (await posted(careful, f"/checks/{visit['id']}/result", NEAR, result="done"))[0] == 200
    assert (await careful.act(number, "approve", REVIEWER))[0] == 409
    assert [c["status"] for c in await clocks_of(careful, number, "verify")] == ["missed", "running"]
    await sound(careful)


async def test_a_result_before_dispatch_is_no_result_after_the_work(a_town: Town) -> None:
    await collectors(a_town)
    number = await brought(a_town, "review", assigned_unit="drainage")
    assert (await a_town.act(number, "inspect", DISPATCHER, note="请看"))[0] == 200
    done = await visit_of(a_town)
    assert (await posted(a_town, f"/checks/{done['id']}/result", NEAR, result="done"))[0] == 200
    # A new matter of the same kind at this place is looked at all the same: nobody has said whether it is so.
    await a_town.rows("UPDATE site_checks SET kin = '', category = NULL")
    fresh = await brought(a_town, "verifying")
    assert (await visit_of(a_town))["cases"] == [fresh]


async def test_nobody_is_sent_to_a_secret_or_placeless_case_and_that_stops_nothing(careful: Town) -> None:
    secret = await case_of(careful, "handling", VISITED)
    await careful.rows("UPDATE cases SET restricted = true WHERE case_no = $1", secret)
    named = Principal(
        "named", "account", "city", frozenset({"handler", "restricted_reader"}),
        PERMISSIONS["handler"] | PERMISSIONS["restricted_reader"],
    )  # fmt: skip
    version = await careful.value("SELECT max(version) FROM assignments")
    assert (await careful.act(secret, "reply", named, version=version, **REPLY))[0] == 200
    assert await careful.value("SELECT count(*) FROM site_checks") == 0
    reader = Principal(
        "reader", "account", "dispatch", frozenset({"reviewer", "restricted_reader"}),
        PERMISSIONS["reviewer"] | PERMISSIONS["restricted_reader"],
    )  # fmt: skip
    assert (await careful.act(secret, "inspect", reader, note="请看"))[1]["field"] == "location"
    assert (await careful.act(secret, "approve", reader))[0] == 200


async def test_who_reclassifies_in_review_does_not_get_round_the_visit(careful: Town) -> None:
    await collectors(careful)
    number = await case_of(careful, "review", FREE)
    assert (await careful.act(number, "reclassify", DISPATCHER, category=VISITED, note="分类有误"))[0] == 200
    status, problem = await careful.act(number, "approve", REVIEWER)
    assert (status, problem["field"]) == (409, "check")
    assert (await careful.act(number, "inspect", DISPATCHER, note="请看"))[0] == 200
    visit = await visit_of(careful)
    assert (await posted(careful, f"/checks/{visit['id']}/result", NEAR, result="done"))[0] == 200
    assert (await careful.act(number, "approve", REVIEWER))[0] == 200
