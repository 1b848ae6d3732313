"""A small application to test the kit with: one operation of each sort over services that need no server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from dispatch.api.app import build_app
from dispatch.api.call import Route
from dispatch.api.health import Check
from dispatch.domain.errors import NotAuthenticated
from dispatch.metrics import Metrics, new_metrics
from dispatch.people.principal import Principal

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


class People:
    """Knows the tokens `operator` (may submit), `nobody` (may nothing) and `fresh` (first password unchanged)."""

    async def authenticate(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], method: str
    ) -> Principal | None:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        token.encode()  # as any comparison of digests would
        if token not in ("operator", "nobody", "fresh"):
            raise NotAuthenticated(problem="This token is not known.")
        permissions = frozenset({"submit"} if token != "nobody" else ())
        return Principal(token, "account", "U1", frozenset(), permissions, must_change=token == "fresh")


@dataclass
class Services:
    people: People = field(default_factory=People)
    metrics: Metrics = field(default_factory=new_metrics)
    checks: dict[str, Check] = field(default_factory=dict)


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def lines() -> list[tuple[Any, ...]]:
    """The access log of the application that `serve` started."""
    return []


@pytest.fixture
async def serve(services: Any, lines: list[tuple[Any, ...]]) -> AsyncIterator[Serve]:
    """Start an application over some routes and talk to it."""
    clients: list[Client] = []

    async def start(routes: Sequence[Route], **options: Any) -> Client:
        app = build_app(services, routes, access=lambda *line: lines.append(line), **options)
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()
