"""What a category needs to be shown before a reply is accepted, and the visit before a case is closed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from shutil import copytree
from typing import Any

import asyncpg
import pytest

from dispatch.people.permissions import PERMISSIONS
from dispatch.people.principal import Principal
from tests.harness.pictures import PDF, add, got, picture
from tests.harness.town import DEMO, REPLY, Town, archive, load_city, principal, town
from tests.integration.casework.always import examine
from tests.integration.casework.people import (
    CITIZEN,
    DISPATCHER,
    EXPLAINED,
    FOLLOWUP,
    HANDLER,
    OPERATOR,
    REVIEWER,
    SUPERVISOR,
    account,
    brought,
    clocks_of,
    elsewhere,
    events,
    events_of,
    opened,
)
from tests.integration.casework.test_site_checks import FAR, NEAR, collectors, posted

HERE = (116.19, 33.13)
AWAY = (116.2225, 33.13)  # three kilometres to the east
# Pictures within 200 m; a visit too; nothing at all, an exception from the class above.
SHOWN, VISITED, FREE = "E0506", "E0503", "E0507"
EVIDENCE = f"""category,needs,within_m
E05,photo_before photo_after,200
{VISITED},site_check,
{FREE},none,
"""


@pytest.fixture(scope="session")
def careful_city(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = copytree(DEMO, tmp_path_factory.mktemp("careful") / "city")
    (folder / "evidence.csv").write_text(EVIDENCE, encoding="utf-8")
    return archive(folder)


@pytest.fixture
async def careful(database_url: str, redis_url: str, careful_city: bytes) -> AsyncIterator[Town]:
    """The demo city with evidence asked for."""
    await load_city(database_url, careful_city)
    async with town(database_url, redis_url, loaded=True) as made:
        yield made


async def case_of(town: Town, state: str, category: str = SHOWN, **fields: Any) -> str:
    """A case of drainage; its own place unless one is given."""
    return await brought(town, state, **({"category": category, "assigned_unit": "drainage"} | fields))


async def missing(town: Town, number: str) -> list[str]:
    status, problem = await town.act(number, "reply", HANDLER, **REPLY)
    assert (status, problem["field"]) == (409, "evidence"), problem
    named: list[str] = problem["missing"]
    return named


async def sound(town: Town) -> None:
    connection = await asyncpg.connect(town.database_url, server_settings={"timezone": "UTC"})
    try:
        await examine(connection, {})
    finally:
        await connection.close()


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
    # A new matter at this place is looked at all the same: nobody has said whether it is so.
    kin = await a_town.value("SELECT kin FROM cases WHERE case_no = $1", number)
    await a_town.rows("UPDATE site_checks SET kin = ''")
    fresh = await brought(a_town, "verifying")
    assert (kin, (await visit_of(a_town))["cases"]) == (kin, [fresh])


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


async def test_a_case_without_a_place_is_shown_without_measuring(careful: Town) -> None:
    number = await opened(careful, category=SHOWN, location=None, assigned_unit="drainage", caller=CITIZEN)
    assert (await careful.act(number, "sign", HANDLER))[0] == 200
    assert (await add(careful, number, HANDLER, picture(HERE, shade=20), "before"))[0] == 201
    assert (await add(careful, number, OPERATOR, picture(AWAY, shade=60), "after"))[0] == 201
    assert (await careful.act(number, "reply", HANDLER, **REPLY))[0] == 200
