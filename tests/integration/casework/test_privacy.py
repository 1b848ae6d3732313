"""What nobody sees who need not: complained-about units, restricted cases, names, numbers and words of people."""

from itertools import pairwise

import msgspec

from dispatch.casework.record import case_keys
from dispatch.people.keyring import aad
from tests.harness.town import KEYRING, REPLY, Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.people import CITIZEN, DISPATCHER, HANDLER, HEAD, OPERATOR, SUPERVISOR, WHO
from tests.integration.casework.walks import opened

ID = "11010519491231002X"
WORDS = f"我是张三丰，电话 138 1234 5678，身份证{ID}，请快点来人"
LEAKS = ("张三丰", "13812345678", "138 1234 5678", ID, "请快点来人")


async def test_a_unit_that_is_complained_about_never_sees_its_case(a_town: Town) -> None:
    number = await opened(a_town, about={"unit": "water-affairs"}, caller=CITIZEN)
    lead = await a_town.value("SELECT a.unit FROM assignments a WHERE a.role = 'lead'")
    assert lead not in ("water-affairs", "drainage")
    _, case = await a_town.get(f"/cases/{number}", principal("handler", lead))
    assert case["case_no"] == number
    # The unit itself, its subtree, and those above none of whom is complained about.
    for who in (principal("unit_head", "water-affairs"), HANDLER, HEAD, principal("restricted_reader", "drainage")):
        for path in (f"/cases/{number}", f"/cases/{number}/events", f"/cases/{number}/explain"):
            assert (await a_town.get(path, who))[0] in (403, 404), who
        assert (await a_town.act(number, "sign", who, version=1))[0] in (403, 404)
    for unit, status, problem in [
        (unit, *await a_town.act(number, "dispatch", DISPATCHER, unit=unit, version=1))
        for unit in ("water-affairs", "drainage")
    ]:
        assert status in (409, 412), (unit, problem)
    district = principal("supervisor", "water-affairs")
    assert (await a_town.get("/cases", district))[1]["items"] == []
    assert (await a_town.get("/snapshot", district))[1]["counts"] == []
    assert (await a_town.get("/snapshot", SUPERVISOR))[1]["counts"][0]["cases"] == 1


async def test_a_complained_unit_is_refused_by_hand_as_lead_and_as_assist(a_town: Town) -> None:
    number = await opened(a_town, category=None, text="他们单位的人态度很差", about={"unit": "water-affairs"})
    for body in ({"unit": "drainage"}, {"unit": "water-affairs"}, {"unit": "gas", "assists": ["drainage"]}):
        status, problem = await a_town.act(number, "dispatch", DISPATCHER, **body)
        assert (status, problem["type"]) == (409, "/problems/rule-broken"), body
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas"))[0] == 200


async def test_a_restricted_case_is_read_by_named_readers_and_the_head_of_its_lead(a_town: Town) -> None:
    number = await opened(a_town, category="S110401", text="邻居天天被打", caller=CITIZEN)
    lead = str(await a_town.value("SELECT a.unit FROM assignments a WHERE a.role = 'lead'"))
    named = principal("supervisor", "supervision")
    named = type(named)(
        "named", "account", "supervision", named.roles | {"restricted_reader"}, named.permissions | {"restricted.read"}
    )
    seen_by = {"named": named, "head": principal("unit_head", lead)}
    for who in (
        principal("handler", lead),
        SUPERVISOR,
        DISPATCHER,
        OPERATOR,
        principal("commander", "city"),
        principal("unit_head", "gas"),
    ):
        assert (await a_town.get(f"/cases/{number}", who))[0] == 404, who
        assert (await a_town.get("/cases", who))[1]["items"] == [], who
        if who.may("queue.read"):
            for unit in (lead, "dispatch"):
                assert not (await a_town.get(f"/units/{unit}/queue", who))[1].get("items"), who
        if who.may("queue.pull") and who.unit == lead:
            headers = a_town.acts_as(who)
            async with a_town.http.post(
                f"{a_town.url}/api/v1/units/{lead}/queue/pull", json={"count": 9}, headers=headers
            ) as answer:
                assert await answer.json() == []
    for name, who in seen_by.items():
        status, case = await a_town.get(f"/cases/{number}", who)
        assert status == 200, name
        assert (case["cell"], case["lon"], case["lat"]) == (None, None, None)
        assert [c["case_no"] for c in (await a_town.get("/cases", who))[1]["items"]] == [number], name
        assert sum(c["cases"] for c in (await a_town.get("/snapshot", who))[1]["counts"]) == 1
    assert [t["case_no"] for t in (await a_town.get(f"/units/{lead}/queue", seen_by["head"]))[1]["items"]] == [number]


async def test_callers_and_numbers_are_masked_wherever_a_case_is_read(a_town: Town) -> None:
    number = await opened(
        a_town,
        text=WORDS,
        title="找13812345678",
        caller=CITIZEN,
        location={"lon": 116.19, "lat": 33.13, "address": "人民路3号，联系13812345678"},
        attributes={"备注": "回拨13812345678"},
    )
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "contact", HANDLER, reached=True, note="打了13812345678，没人接"))[0] == 200
    _, case = await a_town.get(f"/cases/{number}", HANDLER)
    assert case["reports"][0]["caller"] == {"name": "张**", "phone": "138****5678"}
    assert "138****5678" in case["texts"][0]["text"]
    assert case["texts"][0]["address"] == "人民路3号，联系138****5678"
    assert case["texts"][1]["text"] == "打了138****5678，没人接"
    for path in (
        f"/cases/{number}",
        "/cases",
        "/units/drainage/queue",
        f"/cases/{number}/events",
        f"/cases/{number}/explain",
    ):
        whole = msgspec.json.encode((await a_town.get(path, HANDLER))[1]).decode()
        for leak in ("13812345678", "138 1234 5678", ID):
            assert leak not in whole, (path, leak)


async def test_a_confidential_caller_is_shown_to_nobody(a_town: Town) -> None:
    number = await opened(a_town, caller={**CITIZEN, "confidential": True})
    for who in (HANDLER, SUPERVISOR, OPERATOR):
        _, case = await a_town.get(f"/cases/{number}", who)
        assert case["reports"][0]["caller"] is None


async def test_whoever_looks_at_words_in_clear_is_on_record_with_the_purpose(a_town: Town) -> None:
    number = await opened(a_town, text=WORDS, caller=CITIZEN)
    _, case = await a_town.get(f"/cases/{number}", HANDLER)
    text = case["texts"][0]["id"]
    path = f"{a_town.url}/api/v1/cases/{number}/texts/{text}/unmask"
    async with a_town.http.post(path, json={}, headers=a_town.acts_as(HANDLER)) as answer:
        assert answer.status == 400
    async with a_town.http.post(path, json={"purpose": "上门前核对"}, headers=a_town.acts_as(SUPERVISOR)) as answer:
        assert answer.status == 403
    assert await a_town.value("SELECT count(*) FROM access_log") == 0
    async with a_town.http.post(path, json={"purpose": "上门前核对"}, headers=a_town.acts_as(HANDLER)) as answer:
        assert (answer.status, (await answer.json())["text"]) == (200, WORDS)
    async with a_town.http.post(
        path.replace(f"texts/{text}/", "texts/999999/"), json={"purpose": "乱看"}, headers=a_town.acts_as(HANDLER)
    ) as answer:
        assert answer.status == 404
    rows = await a_town.rows("SELECT actor, action, subject, purpose FROM access_log")
    assert [tuple(row) for row in rows] == [("handler-drainage", "text.unmask", f"{number}/{text}", "上门前核对")]


async def test_events_outbox_and_notices_hold_no_word_of_the_caller(a_town: Town) -> None:
    number = await opened(a_town, text=WORDS, caller=CITIZEN)
    for action in ("sign", "contact", "reply", "approve", "close"):
        body = BODY[action] | ({"note": WORDS} if action != "approve" else {})
        assert (await a_town.act(number, action, WHO[action], **body))[0] == 200
    held = [r["x"] for r in await a_town.rows("SELECT convert_from(body, 'UTF8') AS x FROM case_events")]
    held += [r["x"] for r in await a_town.rows("SELECT body::text AS x FROM notices")]
    held += [r["x"] for r in await a_town.rows("SELECT convert_from(message, 'UTF8') AS x FROM outbox")]
    held += [r["x"] for r in await a_town.rows("SELECT route::text AS x FROM assignments")]
    assert len(held) > 8
    assert [(leak, x) for leak in LEAKS for x in held if leak in x] == []


async def test_the_record_of_a_case_verifies_link_by_link_until_somebody_changes_it(a_town: Town) -> None:
    number = await opened(a_town, text=WORDS, caller=CITIZEN)
    for action in ("sign", "reply", "approve"):
        assert (await a_town.act(number, action, WHO[action], **BODY[action]))[0] == 200
    rows = await a_town.rows("SELECT seq, body, mac FROM case_events ORDER BY seq")
    links = [(bytes(32), rows[0]), *((a["mac"], b) for a, b in pairwise(rows))]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(KEYRING.event_mac_valid(before, row["body"], row["mac"]) for before, row in links)
    assert rows[-1]["mac"] == await a_town.value("SELECT head FROM cases WHERE case_no = $1", number)
    changed = rows[1]["body"].replace(b"dispatched", b"dispatchee")
    assert changed != rows[1]["body"]
    assert not KEYRING.event_mac_valid(rows[0]["mac"], changed, rows[1]["mac"])
    assert not KEYRING.event_mac_valid(rows[1]["mac"], rows[1]["body"], rows[1]["mac"])


async def test_destroying_a_cases_key_erases_its_words_and_leaves_the_chain(a_town: Town) -> None:
    number = await opened(a_town, text=WORDS, caller=CITIZEN)
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    sealed = (await a_town.rows("SELECT id, case_id, nonce, sealed FROM texts"))[0]
    keys = await case_keys(a_town.services.pool, KEYRING, [sealed["case_id"]])
    assert b"13" in keys[sealed["case_id"]].open(
        sealed["nonce"], sealed["sealed"], aad("texts", "sealed", sealed["id"])
    )
    assert WORDS.encode() not in sealed["sealed"]
    await a_town.rows("DELETE FROM case_keys")
    _, case = await a_town.get(f"/cases/{number}", HANDLER)
    assert case["texts"] == []
    assert (await a_town.get("/cases", HANDLER))[1]["items"][0]["summary"] == ""
    # The case goes on; what is said from now on is not kept either.
    assert (await a_town.act(number, "reply", HANDLER, **REPLY))[0] == 200
    assert await a_town.value("SELECT count(*) FROM texts") == 1
    rows = await a_town.rows("SELECT body, mac FROM case_events ORDER BY seq")
    macs = [bytes(32), *(row["mac"] for row in rows)]
    assert all(KEYRING.event_mac_valid(macs[i], row["body"], row["mac"]) for i, row in enumerate(rows))


async def test_a_reminder_of_a_restricted_case_goes_to_no_webhook_and_shows_no_words(a_town: Town) -> None:
    _, answer = await a_town.send(report(category="S110401", text=WORDS, caller=CITIZEN))
    message = await a_town.value("SELECT convert_from(message, 'UTF8') FROM outbox ORDER BY id DESC LIMIT 1")
    assert message is None or not any(leak in message for leak in LEAKS)
    assert answer["case_no"]
