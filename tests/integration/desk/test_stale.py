"""An article that ran out: its owner is told once, in the inbox and live, and again only after it was written anew."""

from datetime import timedelta

from dispatch.desk.knowledge import flag
from tests.harness.town import Town
from tests.integration.desk.desk import DISPATCHER, HEAD, OPERATOR, ask, writing, written

SOON = "2026-11-18T12:00:00+08:00"


async def flagged(town: Town) -> int:
    async with town.services.pool.acquire() as connection, connection.transaction():
        return await flag(connection, town.clock.at)


async def test_the_owner_of_a_stale_article_is_told_once(a_town: Town) -> None:
    number = await written(a_town, valid_until=SOON)
    assert await flagged(a_town) == 0
    a_town.clock.travel(timedelta(hours=2))
    assert (await flagged(a_town), await flagged(a_town)) == (1, 0)
    _, inbox = await ask(a_town, "GET", "/notices", HEAD)
    (notice,) = inbox["items"]
    assert (notice["topic"], notice["subject"], notice["case_no"]) == ("article_stale", f"article:{number}:1", None)
    assert (notice["body"]["article"], notice["body"]["version"]) == (number, 1)
    assert (await ask(a_town, "GET", "/notices", OPERATOR))[1]["items"] == []
    assert (await ask(a_town, "POST", "/notices/read", HEAD, {"ids": [notice["id"]]}))[1] == {"read": 1}
    _, page = await ask(a_town, "GET", "/knowledge?stale=true", HEAD)
    assert page["items"][0]["flagged_at"] == "2026-11-18T04:00:00Z"


async def test_a_new_version_that_runs_out_is_told_of_anew(a_town: Town) -> None:
    number = await written(a_town, valid_until=SOON)
    a_town.clock.travel(timedelta(hours=2))
    await flagged(a_town)
    later = writing(valid_until="2026-11-18T14:00:00+08:00")
    assert (await ask(a_town, "PUT", f"/knowledge/{number}", DISPATCHER, later, If_Match='"1"'))[0] == 200
    assert await flagged(a_town) == 0
    a_town.clock.travel(timedelta(hours=2))
    assert await flagged(a_town) == 1
    _, inbox = await ask(a_town, "GET", "/notices", HEAD)
    assert sorted(each["subject"] for each in inbox["items"]) == [f"article:{number}:1", f"article:{number}:2"]


async def test_an_article_taken_back_troubles_nobody(a_town: Town) -> None:
    number = await written(a_town, valid_until=SOON)
    assert (await ask(a_town, "DELETE", f"/knowledge/{number}", HEAD))[0] == 204
    a_town.clock.travel(timedelta(hours=2))
    assert await flagged(a_town) == 0


async def test_an_open_inbox_hears_of_a_stale_article_live(a_town: Town) -> None:
    number = await written(a_town, valid_until=SOON)
    a_town.clock.travel(timedelta(hours=2))
    token = await _head_of_drainage(a_town)
    async with a_town.http.ws_connect(f"{a_town.url}/api/v1/live") as ws:
        await ws.send_json({"type": "auth", "token": token})
        await ws.send_json({"type": "subscribe", "feeds": ["inbox"]})
        await ws.receive_json(timeout=10)
        await flagged(a_town)
        a_town.services.changed()
        heard = await ws.receive_json(timeout=10)
        while heard["type"] != "notice":
            heard = await ws.receive_json(timeout=10)
    assert (heard["subject"], heard["topic"]) == (f"article:{number}:1", "article_stale")
    assert (heard["recipient"], "case_no" in heard) == ("account:head", False)


async def _head_of_drainage(town: Town) -> str:
    people = town.services.people
    first = await people.accounts.create("test", "head", "drainage", ["unit_head"], "")
    return (await people.sessions.change_password("head", first, "Seed-4711-seed")).access_token


async def test_webhooks_of_the_owner_get_it_too(a_town: Town) -> None:
    await a_town.services.pool.execute(
        "INSERT INTO webhooks (id, url, units, key_id, nonce, sealed) VALUES ('w', 'http://127.0.0.1:9/', '{drainage}', 'k', '', '')"
    )
    await written(a_town, valid_until=SOON)
    a_town.clock.travel(timedelta(hours=2))
    await flagged(a_town)
    rows = await a_town.rows("SELECT recipient, case_id FROM notices WHERE medium = 'webhook'")
    assert [tuple(row) for row in rows] == [("webhook:w", None)]
