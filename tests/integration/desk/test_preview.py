"""What stands beside a call while it is typed: articles, incidents, and whether the number is known."""

from datetime import timedelta
from typing import Any

import msgspec

from dispatch.intake.addresses import shipped
from dispatch.intake.models import Models
from tests.harness.town import PLACE, Town, principal, report
from tests.integration.casework.people import CITIZEN
from tests.integration.casework.walks import opened
from tests.integration.desk.desk import OPERATOR, announced, ask, written

STRANGE = {"category": None, "location": None}


async def previewed(town: Town, who: Any = OPERATOR, **fields: Any) -> dict[str, Any]:
    status, shown = await ask(town, "POST", "/preview", who, report(**fields))
    assert status == 200, shown
    found: dict[str, Any] = shown
    return found


def ids(items: list[dict[str, Any]]) -> list[int]:
    return [each["id"] for each in items]


async def test_the_three_best_valid_articles_stand_beside_what_is_typed(a_town: Town) -> None:
    plain = await written(a_town)
    of_kind = await written(a_town, title="路面积水抽排", text="路口积水由排水中心抽排", category="E0506")
    await written(a_town, title="社保卡怎么办理", text="带身份证到街道办理社保卡")
    await written(a_town, title="路口积水很深", text="路口积水很深怎么办", area="990104")
    await written(a_town, title="路口积水很深", text="路口积水很深怎么办", valid_until="2026-11-18T12:00:00+08:00")
    a_town.clock.travel(timedelta(hours=3))
    shown = await previewed(a_town, text="我家门口的路面积水怎么报修啊")
    assert set(ids(shown["knowledge"])) == {plain, of_kind}
    for n in range(5):
        await written(a_town, title=f"路面积水怎么报修{n}")
    assert len((await previewed(a_town, **(STRANGE | {"text": "路面积水怎么报修"})))["knowledge"]) == 3


async def test_the_article_of_the_kind_goes_before_one_for_every_kind(a_town: Town) -> None:
    await written(a_town)
    of_kind = await written(a_town, category="E05")
    await written(a_town)
    assert ids((await previewed(a_town, text="路面积水怎么报修"))["knowledge"])[0] == of_kind


async def test_incidents_of_the_place_are_shown_and_without_a_place_those_of_the_kind(a_town: Town) -> None:
    case_no = await opened(a_town)
    area = str(await a_town.value("SELECT area FROM cases"))
    far = "990104" if not area.startswith("990104") else "990101"
    here = await announced(a_town, case_no, areas=[area])
    await announced(a_town, case_no, areas=[far])
    of_kind = await announced(a_town, case_no, areas=[far], categories=["E05"])
    assert ids((await previewed(a_town))["incidents"]) == [here]
    assert ids((await previewed(a_town, location=None))["incidents"]) == [of_kind]
    shown = (await previewed(a_town))["incidents"][0]
    assert (shown["case_no"], "抢修" in shown["spoken"]) == (case_no, True)


async def test_only_who_may_look_callers_up_learns_whether_the_number_is_known(a_town: Town) -> None:
    await opened(a_town, caller=CITIZEN)
    asked = {"text": "另外一件事", "caller": {"name": "李四", "phone": CITIZEN["phone"]}}
    assert (await previewed(a_town, **asked))["caller_known"] is True
    assert (await previewed(a_town, **(asked | {"caller": {"phone": "13900000000"}})))["caller_known"] is False
    assert (await previewed(a_town, **(asked | {"caller": None})))["caller_known"] is False
    collector = principal("collector", "drainage")
    shown = await previewed(a_town, collector, **asked)
    assert (shown["caller_known"], shown["knowledge"], shown["incidents"]) == (None, [], [])
    rows = await a_town.rows("SELECT actor, action, subject FROM access_log")
    assert [(r["actor"], r["action"]) for r in rows] == [(OPERATOR.name, "caller.known")] * 2
    assert CITIZEN["phone"] not in str(rows)


async def test_nothing_of_a_restricted_case_stands_beside_a_call(a_town: Town) -> None:
    case_no = await opened(a_town, category="S110401", text="邻居天天被打", caller=CITIZEN)
    shown = await previewed(a_town, text="邻居天天被打", category="S110401", caller=CITIZEN)
    assert case_no not in msgspec.json.encode(shown).decode()
    assert shown["caller_known"] is False


async def test_a_preview_stores_nothing_of_the_call(a_town: Town) -> None:
    await written(a_town)
    await previewed(a_town, caller=CITIZEN)
    assert await a_town.value("SELECT count(*) FROM reports") == 0
    assert await a_town.value("SELECT count(*) FROM callers") == 0


async def test_the_address_is_compared_with_that_of_the_case_it_is_taken_for(a_town: Town) -> None:
    here = {**PLACE, "address": "澄江区湖滨路12号荷花池公园东门"}
    number = await opened(a_town, location=here)
    same = await previewed(a_town, location=here)
    assert same["match"]["case_no"] == number
    assert (same["address"]["verdict"], same["address"]["version"]) == ("same", "shipped")
    other = await previewed(a_town, location={**PLACE, "address": "云北区人民路300号第三中学"})
    assert other["match"]["case_no"] == number
    assert other["address"]["verdict"] == "different"
    assert other["address"]["score"] < same["address"]["score"]
    assert (await previewed(a_town))["address"] is None
    learned = {"addresses": "learned"}
    a_town.services.models.current = Models(addresses=shipped(), versions=learned)
    assert (await previewed(a_town, location=here))["address"]["version"] == "learned"


async def test_without_a_case_or_once_its_words_are_gone_no_address_is_compared(a_town: Town) -> None:
    here = {**PLACE, "address": "澄江区湖滨路12号荷花池公园东门"}
    assert (await previewed(a_town, location=here))["address"] is None
    await opened(a_town, location=here)
    await a_town.rows("ALTER TABLE case_keys DISABLE TRIGGER case_keys_kept")
    await a_town.rows("DELETE FROM case_keys")
    shown = await previewed(a_town, location=here)
    assert shown["match"]["case_no"]
    assert shown["address"] is None
