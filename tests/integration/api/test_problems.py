"""What is refused: every refusal is a problem of RFC 9457, and rubbish never breaks or changes anything."""

import random
import re
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.town import Town, principal
from tests.integration.api.world import UNITS, World

PLACE = re.compile(r"\{(\w+)\}")
STORED = ("report_keys", "reports", "cases", "case_events", "quarantine", "texts", "accounts", "api_keys", "webhooks")
EVERYBODY = principal("operator", "city", name="everybody")


async def problem(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """The body of a refusal, once it is one by the standard."""
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = await answer.json()
    assert body["status"] == answer.status
    assert body["type"].startswith("/problems/")
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/reports", 405),
        ("PATCH", "/healthz", 405),
        ("PURGE", "/api/v1/cases", 405),
        ("GET", "/api/v1/cases", 401),
        ("POST", "/api/v1/session", 400),
    ],
)
async def test_what_is_not_there_or_not_allowed_is_a_problem(a_town: Town, method: str, path: str, status: int) -> None:
    async with a_town.http.request(method, a_town.url + path) as answer:
        assert answer.status == status
        assert (await problem(answer))["status"] == status
        if status == 405:
            assert answer.headers["Allow"]


async def test_a_refused_action_names_field_version_and_what_is_allowed(a_town: Town) -> None:
    world = World(a_town)
    case_no = await world.case("to_sign")
    handler = a_town.acts_as(principal("handler", "drainage"))
    where = f"{a_town.url}/api/v1/cases/{case_no}/actions"
    async with a_town.http.post(f"{where}/sign", json={}, headers=handler) as answer:
        assert (answer.status, (await problem(answer))["current_version"]) == (428, 1)
    async with a_town.http.post(f"{where}/sign", json={}, headers=handler | {"If-Match": '"9"'}) as answer:
        assert (answer.status, (await problem(answer))["current_version"]) == (412, 1)
        assert answer.headers["ETag"] == '"1"'
    async with a_town.http.post(f"{where}/reply", json={}, headers=handler | {"If-Match": '"1"'}) as answer:
        assert answer.status == 409
        assert "sign" in (await problem(answer))["allowed_actions"]
    async with a_town.http.post(f"{where}/sign", json={"no": 1}, headers=handler | {"If-Match": '"1"'}) as answer:
        assert (answer.status, (await problem(answer))["field"]) == (400, "no")


async def test_a_body_over_size_is_refused_before_and_while_it_is_read(a_town: Town) -> None:
    headers = a_town.acts_as(principal("operator", "hotline"))
    where = f"{a_town.url}/api/v1/reports"

    async def endless() -> Any:
        for _ in range(17):
            yield b" " * 2**20

    for body in (BytesIO(b" " * (16 * 2**20 + 1)), endless()):
        async with a_town.http.post(where, data=body, headers=headers) as answer:
            assert answer.status == 413
            assert (await problem(answer))["field"] == "body"


async def test_rubbish_is_refused_on_every_post_and_nothing_is_stored(a_town: Town) -> None:
    """Bytes of all kinds, as somebody who may do everything, so that they get as far as they can."""
    permissions = {p for role, unit in UNITS.items() for p in principal(role, unit).permissions}
    a_town.principals["everybody"] = type(EVERYBODY)(
        "everybody", "account", "city", frozenset(), frozenset(permissions)
    )
    world = World(a_town)
    known = {"case_no": await world.case("to_sign"), "action": "dispatch"}
    async with a_town.http.get(f"{a_town.url}/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    posts = [(path, methods["post"]) for path, methods in paths.items() if "requestBody" in methods.get("post", {})]
    assert len(posts) > 10
    before = await counts(a_town)
    for path, operation in posts:
        url = a_town.url + PLACE.sub(lambda name: known.get(name[1], "1"), path)
        kind = next(iter(operation["requestBody"]["content"]))
        for body in rubbish():
            headers = {"X-Test-Principal": "everybody", "If-Match": '"1"', "Content-Type": kind}
            async with a_town.http.post(url, data=body, headers=headers) as answer:
                if "ndjson" in kind and answer.status == 200:
                    assert all(b'"status":4' in line for line in (await answer.read()).splitlines() if line), body
                    continue
                if "cloudevents" in kind and answer.status == 200:  # each event has a result of its own
                    assert all(each["result"] == "refused" for each in await answer.json()), body
                    continue
                assert 400 <= answer.status < 500, (path, body)
                await problem(answer)
    assert await counts(a_town) == before


def rubbish() -> list[bytes]:
    """Bodies that are none: bytes, broken text, nesting, the wrong shapes; the same ones every time."""
    made = [
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b"null",
        b"1e999",
        b'"\\ud800"',
        b"{}",
        b"\x00",
    ]
    made += [
        b'{"channel":"demo\\u0000","external_id":"x","text":"y"}',
        b'{"text":"\xed\xa0\x80"}',
        b"[]",
        b'[{"id":1}]',
    ]

    @settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300))
    def collect(body: bytes) -> None:
        made.append(body)

    collect()
    chance = random.Random(7)
    whole = b'{"channel":"demo","external_id":"z","category":"E0506","username":"x","purpose":"yy"}'
    for _ in range(15):
        broken = bytearray(whole)
        broken[chance.randrange(len(whole))] = chance.choice(b'{}[]",:\x00\xff')
        made.append(bytes(broken) + b"!")
    return made


async def counts(town: Town) -> dict[str, int]:
    """Rows of everything that a request could store."""
    return {table: await town.value(f"SELECT count(*) FROM {table}") for table in STORED}
