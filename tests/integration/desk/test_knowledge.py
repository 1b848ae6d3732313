"""Articles: found by words, kind and place; kept by their owners; never changed, only written anew."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.harness.town import Town, principal
from tests.integration.desk.desk import DISPATCHER, HANDLER, HEAD, OPERATOR, SUPERIOR, ask, writing, written


async def ids(town: Town, query: str = "") -> list[int]:
    status, page = await ask(town, "GET", f"/knowledge{query}", OPERATOR)
    assert status == 200, page
    return [each["id"] for each in page["items"]]


async def test_an_article_is_found_by_words_by_kind_and_place_and_what_lies_above_them(a_town: Town) -> None:
    everywhere = await written(a_town)
    of_parent = await written(a_town, title="道路塌陷", text="先围挡再修复", category="E05")
    of_kind = await written(a_town, title="井盖", text="缺失的井盖两小时内补装", category="E0506")
    of_place = await written(a_town, title="东关街道办事", text="街道办事大厅周六开放", area="990103")
    assert await ids(a_town, "?q=路面积水") == [everywhere]
    assert await ids(a_town, "?q=没有这样的话") == []
    assert await ids(a_town, "?category=E0506") == [of_place, of_kind, of_parent, everywhere]
    assert await ids(a_town, "?category=E05") == [of_place, of_parent, everywhere]
    assert of_place in await ids(a_town, "?area=990103001")
    assert of_place not in await ids(a_town, "?area=990101001")
    assert await ids(a_town, "?unit=gas") == []
    assert len(await ids(a_town, "?unit=water-affairs")) == 4


async def test_words_far_behind_in_a_long_article_are_found_too(a_town: Town) -> None:
    number = await written(a_town, text="排水须知。" * 300 + "河道垂钓另有规定")
    assert await ids(a_town, "?q=河道垂钓") == [number]


async def test_pages_go_on_where_the_last_one_ended(a_town: Town) -> None:
    made = [await written(a_town) for _ in range(3)]
    _, first = await ask(a_town, "GET", "/knowledge?limit=2", OPERATOR)
    _, second = await ask(a_town, "GET", f"/knowledge?limit=2&cursor={first['next']}", OPERATOR)
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "E9999"),
        ("area", "99019999"),
        ("unit", "nobody"),
        ("title", "找13812345678办理"),
        ("text", "请联系张三，身份证11010519491231002X"),
        ("valid_until", "2026-11-18T09:59:00+08:00"),
        ("valid_until", "0001-01-01T00:00:00+08:00"),
    ],
)
async def test_what_cannot_be_right_is_refused_by_name(a_town: Town, field: str, value: str) -> None:
    status, problem = await ask(a_town, "POST", "/knowledge", DISPATCHER, writing(**{field: value}))
    assert (status, problem["field"]) == (400, field)
    assert value not in str(problem)
    assert await a_town.value("SELECT count(*) FROM articles") == 0


@pytest.mark.parametrize("query", ["category=E9999", "area=1", "unit=nobody", "cursor=AAAA"])
async def test_an_unknown_code_in_a_search_is_named(a_town: Town, query: str) -> None:
    status, problem = await ask(a_town, "GET", f"/knowledge?{query}", OPERATOR)
    assert (status, problem["field"]) == (400, query.split("=")[0])


async def test_a_unit_keeps_its_own_articles_and_the_desk_keeps_all(a_town: Town) -> None:
    assert (await ask(a_town, "POST", "/knowledge", HEAD, writing()))[0] == 201
    assert (await ask(a_town, "POST", "/knowledge", SUPERIOR, writing()))[0] == 201
    gas = await written(a_town, unit="gas")
    for status, problem in (
        await ask(a_town, "POST", "/knowledge", HEAD, writing(unit="gas")),
        await ask(a_town, "POST", "/knowledge", HEAD, writing(unit="water-affairs")),
        await ask(a_town, "PUT", f"/knowledge/{gas}", HEAD, writing(), If_Match='"1"'),
        await ask(a_town, "DELETE", f"/knowledge/{gas}", HEAD),
    ):
        assert (status, problem["field"]) == (403, "unit")
    for who in (OPERATOR, HANDLER):
        assert (await ask(a_town, "POST", "/knowledge", who, writing()))[0] == 403
    assert (await ask(a_town, "GET", "/knowledge", principal("auditor", "supervision")))[0] == 403


async def test_a_change_is_a_new_version_and_the_old_one_stays_readable(a_town: Town) -> None:
    number = await written(a_town)
    path = f"/knowledge/{number}"
    assert (await ask(a_town, "PUT", path, DISPATCHER, writing(title="新的说法")))[0] == 428
    assert (await ask(a_town, "PUT", path, DISPATCHER, writing(title="新的说法"), If_Match='"7"'))[0] == 412
    status, second = await ask(a_town, "PUT", path, HEAD, writing(title="新的说法"), If_Match='"1"')
    assert (status, second["version"], second["title"]) == (200, 2, "新的说法")
    _, first = await ask(a_town, "GET", f"{path}?version=1", OPERATOR)
    assert (first["title"], first["is_current"]) == ("路面积水怎么报修", False)
    assert (await ask(a_town, "GET", path, OPERATOR))[1]["version"] == 2
    assert await ids(a_town, "?q=怎么报修") == []
    assert await ids(a_town, "?q=新的说法") == [number]


async def test_of_two_who_write_at_once_one_is_told_that_somebody_was_faster(a_town: Town) -> None:
    number = await written(a_town)

    async def write(title: str) -> tuple[int, Any]:
        return await ask(a_town, "PUT", f"/knowledge/{number}", DISPATCHER, writing(title=title), If_Match='"1"')

    fates = await asyncio.gather(*(write(f"第{n}种说法") for n in range(4)))
    assert sorted(status for status, _ in fates) == [200, 412, 412, 412]


async def test_an_article_taken_back_is_offered_no_more_and_nothing_of_it_is_lost(a_town: Town) -> None:
    number = await written(a_town)
    assert (await ask(a_town, "DELETE", f"/knowledge/{number}", HEAD))[0] == 204
    assert await ids(a_town) == []
    assert (await ask(a_town, "GET", f"/knowledge/{number}", OPERATOR))[0] == 404
    assert (await ask(a_town, "DELETE", f"/knowledge/{number}", HEAD))[0] == 404
    _, kept = await ask(a_town, "GET", f"/knowledge/{number}?version=1", OPERATOR)
    assert kept["text"] == writing()["text"]


async def test_an_article_that_ran_out_is_listed_as_stale_only(a_town: Town) -> None:
    number = await written(a_town, valid_until="2026-11-18T12:00:00+08:00")
    assert (await ids(a_town), await ids(a_town, "?stale=true")) == ([number], [])
    a_town.clock.travel(timedelta(hours=2))
    assert (await ids(a_town), await ids(a_town, "?stale=true")) == ([], [number])
    assert (await ask(a_town, "GET", f"/knowledge/{number}", OPERATOR))[1]["stale"] is True
