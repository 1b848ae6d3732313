"""What `explain` tells of a case: what every report was judged by, and who changed what afterwards."""

from typing import Any

from tests.harness.town import Town, principal, report
from tests.integration.intake.conftest import SendBatch, send_batch  # noqa: F401
from tests.integration.learning.models import classifier, model, put

DISPATCHER, SUPERVISOR = principal("dispatcher", "dispatch"), principal("supervisor", "supervision")
CALLER = {"name": "丁某", "phone": "13900001111"}


async def explained(town: Town, number: str) -> dict[str, Any]:
    status, answer = await town.get(f"/cases/{number}/explain", SUPERVISOR)
    assert status == 200
    found: dict[str, Any] = answer
    return found


async def test_every_judgement_of_a_report_stands_with_inputs_thresholds_and_versions(a_town: Town) -> None:
    version = await put(a_town.database_url, model("subjects", classifier().packed()))
    await a_town.services.models.refresh(a_town.services.pool)
    _, first = await a_town.send(report(caller=CALLER))
    _, second = await a_town.send(report(title="积水", caller={"name": "戊某", "phone": "13900002222"}))
    assert second["case_no"] == first["case_no"]
    answer = await explained(a_town, first["case_no"])
    one, other = answer["reports"]
    assert one["inputs"] == {
        "category": True, "category_table": None, "title_characters": 0, "text_characters": 6, "place": "point", "address": False,
        "person": "number", "object": False, "about_unit": None, "urgency": None, "assigned_unit": None, "danger": [],
    }  # fmt: skip
    assert (one["route"]["rule"], one["route"]["reasons"][-1]) == ("R035", "R035 chosen")
    assert (one["city_version"], one["models"]) == (1, {"subjects": version})
    assert (other["match"]["verdict"], other["match"]["case_no"]) == ("joined", first["case_no"])
    assert (other["match"]["attach"], other["match"]["suggest"]) == (0.8, 0.55)
    assert other["match"]["score"] >= 0.8
    assert other["inputs"]["title_characters"] == 2
    assert answer["changed"] == []
    for word in ("丁某", "13900001111", "路口积水"):
        assert word not in str(answer)


async def test_cases_that_came_next_in_matching_are_told_also_those_of_the_same_batch(
    a_town: Town,
    send_batch: SendBatch,  # noqa: F811
) -> None:
    near, far = {"lon": 116.1903, "lat": 33.13}, {"lon": 116.1916, "lat": 33.13}
    lines = [
        report(caller=CALLER, category="E0506"),
        report(caller=CALLER, category="E0110", location=near),
        report(caller=CALLER, category="E0506", location=far | {"lon": 116.1912}, text="又来反映这里积水的问题"),
    ]
    fates = [body for _, body in await send_batch(lines)]
    last = fates[2]
    told = (await explained(a_town, last["case_no"]))["reports"][-1]["match"]
    assert told["case_no"] == fates[0]["case_no"] == last["case_no"]
    assert [each["case_no"] for each in told["others"]] == [fates[1]["case_no"]]
    assert told["others"][0]["score"] < told["score"]


async def test_what_persons_changed_is_told_with_who_when_from_and_to(a_town: Town) -> None:
    _, sent = await a_town.send(report())
    number = sent["case_no"]
    moment = a_town.clock.at.isoformat().replace("+00:00", "Z")
    changed: dict[str, Any] = {"category": "E0126", "note": "分类有误"}
    assert (await a_town.act(number, "reclassify", DISPATCHER, **changed))[0] == 200
    assert (await a_town.act(number, "redispatch", DISPATCHER, unit="ecology", note="按职责改派"))[0] == 200
    found = (await explained(a_town, number))["changed"]
    assert [(each["what"], each["from"], each["to"], each["by"]) for each in found] == [
        ("category", "E0506", "E0126", DISPATCHER.name),
        ("lead", "drainage", "ecology", DISPATCHER.name),
    ]
    assert {each["at"] for each in found} == {moment}


async def test_a_merge_and_its_undoing_are_changes_of_both_cases(a_town: Town) -> None:
    _, one = await a_town.send(report())
    _, two = await a_town.send(report(location={"lon": 116.2, "lat": 33.15}))
    late, early = two["case_no"], one["case_no"]
    assert (await a_town.act(late, "merge", DISPATCHER, other=early, note="同一处"))[0] == 200
    assert (await a_town.act(late, "unmerge", SUPERVISOR, note="不是同一处"))[0] == 200
    mine = [(each["what"], each["from"], each["to"]) for each in (await explained(a_town, late))["changed"]]
    theirs = [(each["what"], each["from"], each["to"]) for each in (await explained(a_town, early))["changed"]]
    assert mine == [("merged", late, early), ("unmerged", early, late)]
    assert theirs == [("merged_in", late, early), ("merge_undone", early, late)]


async def test_a_report_taken_out_of_its_case_is_a_change_of_that_match(a_town: Town) -> None:
    _, one = await a_town.send(report())
    _, two = await a_town.send(report(caller=CALLER))
    assert two["case_no"] == one["case_no"]
    given: dict[str, Any] = {"receipt_no": two["receipt_no"], "note": "另一处地点"}
    assert (await a_town.act(one["case_no"], "detach", DISPATCHER, **given))[0] == 200
    found = (await explained(a_town, one["case_no"]))["changed"]
    assert [(each["what"], each["receipt_no"]) for each in found] == [("detached", two["receipt_no"])]
