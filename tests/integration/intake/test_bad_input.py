"""What is wrong decides what happens: refused with the field named, or taken in with the bad value set aside and named."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest

from tests.harness.town import CONNECTOR, PLACE, START, Town, principal, report
from tests.integration.intake.conftest import SendBatch, Switch, Words

OPERATOR = principal("operator", "hotline")
LATE = (START + timedelta(minutes=6)).isoformat()
SWAPPED = {"lon": PLACE["lat"], "lat": PLACE["lon"]}

# what was sent · the field that is named · its code
SET_ASIDE: list[tuple[dict[str, Any], str, str]] = [
    ({"location": {"lon": 0, "lat": 0}}, "location", "null_point"),
    ({"location": SWAPPED}, "location", "swapped"),
    ({"location": {"lon": 200.0, "lat": 33.1}}, "location", "out_of_range"),
    ({"location": {"lon": 116.19}}, "location", "incomplete"),
    ({"location": {**PLACE, "crs": "mars"}}, "location.crs", "unknown_code"),
    ({"location": {**PLACE, "area_code": "999999"}}, "location.area_code", "unknown_code"),
    ({"location": {**PLACE, "area_code": "990104"}}, "location.area_code", "disagrees"),
    ({"category": "E9999"}, "category", "unknown_code"),
    ({"kind": "gossip"}, "kind", "unknown_code"),
    ({"urgency": "very"}, "urgency", "unknown_code"),
    ({"about": {"unit": "nobody"}}, "about.unit", "unknown_code"),
    ({"occurred_at": "2026-11-18T09:00:00"}, "occurred_at", "no_offset"),
    ({"occurred_at": LATE}, "occurred_at", "implausible_time"),
    ({"occurred_at": "gestern"}, "occurred_at", "not_a_time"),
    ({"received_at": LATE}, "received_at", "implausible_time"),
    ({"due_at": (START - timedelta(hours=1)).isoformat()}, "due_at", "in_past"),
    ({"assigned_unit": "nobody"}, "assigned_unit", "not_possible"),
    ({"caller": {"name": "市民", "phone": "12"}}, "caller.phone", "not_a_number"),
]


async def test_a_value_that_cannot_be_right_is_set_aside_and_named(
    a_town: Town, words_of: Words, switch: Switch
) -> None:
    switch(match=False)
    told, kept = [], []
    for fields, _, _ in SET_ASIDE:
        status, answer = await a_town.send(report(**fields))
        assert status == 201
        told.append([(w["field"], w["code"]) for w in answer["warnings"]])
        kept.append(list((await words_of(answer["receipt_no"]))["set_aside"]))
    assert told == [[(field, code)] for _, field, code in SET_ASIDE]
    assert kept == [[field] for _, field, _ in SET_ASIDE]


async def test_what_was_set_aside_and_who_called_is_in_no_event_message_or_log(
    a_town: Town, capfd: pytest.CaptureFixture[str], words_of: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(a_town.services.relay, "once", AsyncMock(return_value=False))
    secrets = ("867-幺-5309", "13800138000", "欧阳测试", "8月55日", "幸福路99号", "38.123456")
    _, answer = await a_town.send(
        report(
            text="联系电话13800138000", occurred_at="8月55日", caller={"name": "欧阳测试", "phone": "867-幺-5309"},
            location={"lon": 38.123456, "address": "幸福路99号"},
        )
    )  # fmt: skip
    assert len((await words_of(answer["receipt_no"]))["set_aside"]) == 3
    rows = await a_town.rows("SELECT body FROM case_events UNION ALL SELECT message FROM outbox")
    rows += await a_town.rows("SELECT convert_to(explanation::text, 'UTF8') FROM reports")
    rows += await a_town.rows("SELECT answer FROM report_keys")
    rows += await a_town.rows("SELECT convert_to(body::text, 'UTF8') FROM notices")
    assert len(rows) >= 3
    seen = (
        b"".join(row[0] for row in rows).decode() + json.dumps(answer, ensure_ascii=False) + "".join(capfd.readouterr())
    )
    assert [secret for secret in secrets if secret in seen] == []


async def test_an_unknown_category_with_words_goes_to_the_triage_desk(a_town: Town) -> None:
    _, answer = await a_town.send(report(category="E9999"))
    assert (answer["outcome"], answer["state"], answer.get("lead_unit")) == ("triage", "triage", None)
    assert {d["unit"] for d in answer["deadlines"]} == {"dispatch"}


async def test_an_unknown_category_without_words_leaves_nothing_to_act_on(a_town: Town) -> None:
    status, problem = await a_town.send(report(category="E9999", text=None))
    assert (status, problem["field"]) == (422, "category")
    assert await a_town.value("SELECT count(*) FROM report_keys") == 0


def _raw(**fields: Any) -> bytes:
    return json.dumps(report(external_id="raw", **fields)).encode()


# what was sent · the status · the field that is named
REFUSED: list[tuple[str, bytes, int, str]] = [
    ("not JSON", b"{", 400, "body"),
    ("not an object", b"[]", 400, "body"),
    ("nothing", b"", 400, "body"),
    ("not UTF-8", b'{"channel":"demo","external_id":"\xff","text":"x"}', 400, "body"),
    ("NUL", b'{"channel":"demo","external_id":"raw","text":"a\\u0000b"}', 400, "text"),
    ("NUL in a key", b'{"channel":"demo","external_id":"raw","text":"x","attributes":{"a\\u0000":1}}', 400, "attributes.a\ufffd"),
    ("lone surrogate", b'{"channel":"demo","external_id":"raw","text":"\\ud800"}', 400, "body"),
    ("wrong type", _raw(text=5), 400, "text"),
    ("wrong type inside", _raw(location={"lon": "116"}), 400, "location.lon"),
    ("number that is none", b'{"channel":"demo","external_id":"raw","text":"x","location":{"lon":NaN}}', 400, "body"),
    ("unknown field", _raw(colour="red"), 400, "colour"),
    ("unknown field inside", _raw(caller={"age": 5}), 400, "caller.age"),
    ("no channel", b'{"external_id":"raw","text":"x"}', 400, "channel"),
    ("no key", b'{"channel":"demo","text":"x"}', 400, "external_id"),
    ("empty key", _raw() .replace(b'"external_id": "raw"', b'"external_id": ""'), 400, "external_id"),
    ("neither text nor category", b'{"channel":"demo","external_id":"raw","title":"x"}', 400, "text"),
    ("text over size", _raw(text="长" * 20_001), 400, "text"),
    ("too many attachments", _raw(attachments=["x"] * 21), 400, "attachments"),
    ("nested too deeply", b'{"channel":"demo","external_id":"raw","text":' + b"[" * 5000, 400, "text"),
    ("channel of somebody else", _raw(channel="police"), 403, "channel"),
]  # fmt: skip


async def test_what_cannot_be_read_is_refused_with_its_field_and_leaves_nothing(
    a_town: Town, send_batch: SendBatch
) -> None:
    told = {}
    for name, body, _, _ in REFUSED:
        headers = {**a_town.acts_as(CONNECTOR), "Content-Type": "application/json"}
        async with a_town.http.post(f"{a_town.url}/api/v1/reports", data=body, headers=headers) as answer:
            told[name] = (answer.status, (await answer.json(content_type=None)).get("field"))
    assert told == {name: (status, field) for name, _, status, field in REFUSED}
    assert await a_town.value("SELECT count(*) FROM report_keys") == 0


async def test_a_bad_line_of_a_batch_harms_no_neighbour(a_town: Town, send_batch: SendBatch) -> None:
    bad = [(body, status, field) for name, body, status, field in REFUSED if name != "nothing"]
    lines = [line for body, _, _ in bad for line in (body, json.dumps(report()).encode())]
    fates = await send_batch(lines)
    assert [(status, body.get("field")) for status, body in fates[::2]] == [(status, field) for _, status, field in bad]
    assert {status for status, _ in fates[1::2]} == {201}
    assert await a_town.value("SELECT count(*) FROM report_keys") == len(bad)


# What only relays and backfills may say.
RELAYED: list[dict[str, Any]] = [
    {"received_at": START.isoformat()}, {"due_at": (START + timedelta(days=1)).isoformat()}, {"assigned_unit": "drainage"},
    {"order_no": "7"}, {"source_ref": {"system": "x"}}, {"callback_required": False}, {"call_id": "9"},
]  # fmt: skip


async def test_what_only_relays_may_say_is_refused_from_a_desk(a_town: Town) -> None:
    told = []
    for given in RELAYED:
        status, problem = await a_town.send(report(**given), OPERATOR)
        told.append((status, problem["field"]))
    assert told == [(403, next(iter(given))) for given in RELAYED]
    assert await a_town.value("SELECT count(*) FROM report_keys") == 0
