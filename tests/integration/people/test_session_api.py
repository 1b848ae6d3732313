"""Sessions, accounts and keys over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dispatch.api.app import build_app
from dispatch.api.health import Check
from dispatch.api.session import ROUTES
from dispatch.metrics import Metrics, new_metrics
from dispatch.people.people import People

from .conftest import AGENT

Client = TestClient[web.Request, web.Application]


@dataclass
class Services:
    """What the kit and these handlers need of the service."""

    people: People
    cursor_key: bytes = b"key of cursors"
    metrics: Metrics = field(default_factory=new_metrics)
    checks: dict[str, Check] = field(default_factory=dict)


@pytest.fixture
async def client(people: People) -> AsyncIterator[Client]:
    services: Any = Services(people)
    async with TestClient(TestServer(build_app(services, ROUTES, access=lambda *_: None))) as opened:
        yield opened


@pytest.fixture
async def admin(client: Client, people: People) -> dict[str, str]:
    """The headers of a security administrator."""
    first = await people.accounts.create("system", "secadmin1", "city", ["secadmin"])
    opened = await people.sessions.change_password("secadmin1", first, "Chosen-once-7")
    return {"Authorization": f"Bearer {opened.access_token}"}


async def test_an_account_is_made_used_and_retired(client: Client, admin: dict[str, str]) -> None:
    new = {"username": "clerk1", "unit": "water", "roles": ["handler"], "title": "经办人"}
    made = await client.post("/api/v1/accounts", json=new, headers=admin)
    assert made.status == 201
    first = (await made.json())["password"]
    opened = await (await client.post("/api/v1/session", json={"username": "clerk1", "password": first})).json()
    mine = {"Authorization": f"Bearer {opened['access_token']}"}
    assert (await client.get("/api/v1/accounts", headers=mine)).status == 403
    me = await (await client.get("/api/v1/session", headers=mine)).json()
    assert (me["name"], me["must_change"], me["permissions"]) == ("clerk1", True, [])
    change = {"old_password": first, "new_password": "Chosen-by-clerk-1"}
    opened = await (await client.post("/api/v1/session/password", json=change, headers=mine)).json()
    mine = {"Authorization": f"Bearer {opened['access_token']}"}
    assert "case.reply" in (await (await client.get("/api/v1/session", headers=mine)).json())["permissions"]
    assert (await client.post("/api/v1/accounts/clerk1/retire", headers=admin)).status == 204
    assert (await client.get("/api/v1/session", headers=mine)).status == 401
    assert (await client.post("/api/v1/accounts/clerk1/retire", headers=admin)).status == 404


async def test_the_console_gets_its_tokens_in_cookies_that_no_script_reads(client: Client, password: str) -> None:
    given = {"username": AGENT, "password": password, "console": True}
    answer = await client.post("/api/v1/session", json=given)
    body = await answer.json()
    assert answer.status == 201
    assert set(body) == {"csrf_token", "expires_in", "must_change"}
    for cookie in answer.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
    cookies = {name: cookie.value for name, cookie in answer.cookies.items()}
    assert set(cookies) == {"dispatch_session", "dispatch_refresh"}
    refreshed = await client.post("/api/v1/session/refresh", json={}, cookies=cookies)
    assert set(await refreshed.json()) == {"csrf_token", "expires_in", "must_change"}
    csrf = {"X-CSRF-Token": body["csrf_token"]}
    assert (await client.delete("/api/v1/session", cookies=cookies)).status == 401
    assert (await client.delete("/api/v1/session", cookies=cookies, headers=csrf)).status == 204
    assert (await client.get("/api/v1/session", cookies=cookies)).status == 401


async def test_behind_tls_the_cookies_never_travel_without_it(client: Client, password: str) -> None:
    given = {"username": AGENT, "password": password, "console": True}
    answer = await client.post("/api/v1/session", json=given, headers={"X-Forwarded-Proto": "https"})
    assert all(cookie["secure"] for cookie in answer.cookies.values())


async def test_a_locked_account_is_told_when_to_come_back(client: Client, password: str) -> None:
    wrong = {"username": AGENT, "password": "not-it-123456"}
    answers = [(await client.post("/api/v1/session", json=wrong)) for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert "Retry-After" in answers[-1].headers


async def test_a_key_is_made_and_retired(client: Client, admin: dict[str, str]) -> None:
    new = {"name": "citizens' app", "unit": "hotline", "channels": ["app"]}
    made = await (await client.post("/api/v1/keys", json=new, headers=admin)).json()
    mine = {"Authorization": f"Bearer {made['key']}"}
    me = await (await client.get("/api/v1/session", headers=mine)).json()
    assert (me["kind"], me["channels"], me["roles"]) == ("key", ["app"], ["connector"])
    change = {"old_password": "a", "new_password": "Chosen-by-key-1"}
    assert (await client.post("/api/v1/session/password", json=change, headers=mine)).status == 409
    listed = await (await client.get("/api/v1/keys", headers=admin)).json()
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert made["key"] not in str(listed)
    assert (await client.post(f"/api/v1/keys/{made['id']}/retire", headers=admin)).status == 204
    assert (await client.get("/api/v1/session", headers=mine)).status == 401


async def test_lists_are_paged_by_a_cursor_of_their_own(client: Client, admin: dict[str, str], people: People) -> None:
    for n in range(3):
        await people.accounts.create("secadmin1", f"clerk{n}", "water", ["handler"])
    names: list[str] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        query = {"limit": "2", **({"cursor": page["next"]} if page["next"] else {})}
        page = await (await client.get("/api/v1/accounts", params=query, headers=admin)).json()
        names += [each["username"] for each in page["items"]]
    assert names == ["clerk0", "clerk1", "clerk2", "secadmin1"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/session", {"username": "a"}, 400),
        ("/api/v1/session", {"username": "nobody", "password": "not-it-123456"}, 401),
        ("/api/v1/session/refresh", {}, 401),
        ("/api/v1/session/refresh", {"refresh_token": "a_b"}, 401),
        ("/api/v1/accounts", {"username": "clerk1", "unit": "water", "roles": ["handler"]}, 401),
    ],
)
async def test_what_cannot_be_is_refused(client: Client, path: str, body: dict[str, Any], status: int) -> None:
    assert (await client.post(path, json=body)).status == status


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"unit": "none"}, 400),
        ({"roles": ["king"]}, 400),
        ({"roles": ["handler", "reviewer"]}, 409),
        ({"username": "secadmin1"}, 409),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    client: Client, admin: dict[str, str], change: dict[str, Any], status: int
) -> None:
    new = {"username": "clerk1", "unit": "water", "roles": ["handler"]} | change
    assert (await client.post("/api/v1/accounts", json=new, headers=admin)).status == status
