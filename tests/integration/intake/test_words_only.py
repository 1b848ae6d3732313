"""A report that says in words where it is, over HTTP."""

from tests.harness.town import PLACE, Town, principal, report
from tests.integration.desk.desk import OPERATOR, ask

SUPERVISOR = principal("supervisor", "supervision")


async def test_an_address_alone_gives_the_case_its_cell_and_the_unit_of_that_place(a_town: Town) -> None:
    status, answer = await a_town.send(report(location={"address": "盐仓路60号"}))
    assert (status, answer["area"], answer["state"]) == (201, "990103001003", "to_sign")
    assert answer["cell"].startswith("990103001003")
    _, shown = await a_town.get(f"/cases/{answer['case_no']}/explain", SUPERVISOR)
    place = shown["reports"][0]["place"]
    assert place["source"] == "address"
    assert (place["candidates"][0]["name"], place["candidates"][0]["why"]) == ("盐仓小学", "address")


async def test_what_an_address_may_mean_is_kept_with_the_report_and_decides_nothing(a_town: Town) -> None:
    _, answer = await a_town.send(report(location={"address": "云帆大道"}))
    assert answer.get("cell") is None
    _, shown = await a_town.get(f"/cases/{answer['case_no']}/explain", SUPERVISOR)
    place = shown["reports"][0]["place"]
    assert place["source"] == "none"
    assert {each["name"] for each in place["candidates"]} == {"翠堤湾花园", "云帆公园"}


async def test_of_a_restricted_report_no_candidates_are_kept(a_town: Town) -> None:
    _, answer = await a_town.send(report(kind="tipoff", location={"address": "盐仓路60号"}))
    rows = await a_town.rows("SELECT explanation->'place' FROM reports WHERE receipt_no = $1", answer["receipt_no"])
    assert "candidates" in rows[0][0]
    assert "盐仓" not in rows[0][0]


async def test_the_desk_sees_what_the_words_may_mean_and_that_point_and_address_disagree(a_town: Town) -> None:
    status, shown = await ask(a_town, "POST", "/preview", OPERATOR, report(location={"address": "云帆大道"}))
    assert (status, {each["name"] for each in shown["places"]}) == (200, {"翠堤湾花园", "云帆公园"})
    apart = report(location={**PLACE, "address": "盐仓路60号"})
    _, shown = await ask(a_town, "POST", "/preview", OPERATOR, apart)
    assert [(each["field"], each["code"]) for each in shown["warnings"]] == [("location.address", "disagrees")]
