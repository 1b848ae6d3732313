"""What an operator's machines ask of a process."""

import asyncio
from typing import Any, Literal

import pytest
import structlog

from dispatch.api import health
from dispatch.api.call import Call, Reply, Route

State = Literal["ok", "degraded"]


async def fine() -> State:
    return "ok"


async def limping() -> State:
    return "degraded"


async def dead() -> State:
    raise ConnectionRefusedError


async def silent() -> State:
    await asyncio.Event().wait()
    return "ok"


async def test_a_living_process_says_so(serve: Any) -> None:
    client = await serve([])
    async with client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("checks", "status", "said"),
    [
        ({}, 200, "ok"),
        ({"database": fine}, 200, "ok"),
        ({"database": fine, "redis": limping}, 200, "degraded"),
        ({"database": dead, "redis": limping}, 503, "failed"),
        ({"database": silent}, 503, "failed"),
    ],
)
async def test_readiness_is_that_of_the_worst_part(
    serve: Any, services: Any, monkeypatch: pytest.MonkeyPatch, checks: dict[str, health.Check], status: int, said: str
) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.01)
    services.checks = checks
    client = await serve([])
    with structlog.testing.capture_logs():
        async with asyncio.timeout(30), client.get("/readyz") as answer:
            found = await answer.json()
    assert (answer.status, found["status"]) == (status, said)
    assert set(found["parts"]) == set(checks)


async def test_requests_are_counted_by_template(serve: Any, services: Any) -> None:
    async def one(_call: Call[None, None]) -> Reply:
        return Reply({})

    client = await serve([Route("GET", "/cases/{case_no}", one, "One", None)])
    for path in ("/cases/1", "/cases/13800138000", "/13800138000"):
        async with client.get(path):
            pass
    registry = services.metrics.registry
    labels = {"method": "GET", "route": "/cases/{case_no}"}
    assert registry.get_sample_value("dispatch_requests_total", {**labels, "status": "200"}) == 2
    assert registry.get_sample_value("dispatch_request_seconds_count", labels) == 2
    async with client.get("/metrics") as answer:
        text = await answer.text()
    assert answer.status == 200
    assert "dispatch_requests_total" in text
    assert "13800138000" not in text
