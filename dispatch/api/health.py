"""Health: whether the process lives, and whether it should be sent work."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import structlog
from aiohttp import web

from dispatch.api.call import Call, Reply, Route

PartState = Literal["ok", "degraded"]
Check = Callable[[], Awaitable[PartState]]

CHECK_TIMEOUT_S = 2.0

# Set once the process is leaving: answers close their connections and no balancer shall send more.
DRAIN = web.AppKey("drain", asyncio.Event)

log = structlog.get_logger(__name__)


async def alive(_call: Call[None, None]) -> Reply:
    return Reply({"status": "ok"})


async def ready(call: Call[None, None]) -> Reply:
    """Run every check of `services.checks` at once; what raises or is late has failed."""
    checks = call.services.checks
    states = await asyncio.gather(*(_state(name, check) for name, check in checks.items()))
    parts: dict[str, str] = dict(zip(checks, states, strict=True))
    if call.request.app[DRAIN].is_set():
        parts["drain"] = "failed"
    status = next((state for state in ("failed", "degraded") if state in parts.values()), "ok")
    return Reply({"status": status, "parts": parts}, status=503 if status == "failed" else 200)


async def _state(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except Exception:
        log.warning("check failed", part=name, exc_info=True)
        return "failed"


ROUTES: list[Route] = [
    Route("GET", "/healthz", alive, "Is the process alive? 进程存活", None, answer=dict[str, str]),
    Route("GET", "/readyz", ready, "Should it be sent work? 就绪", None, answer=dict[str, Any], statuses=(200, 503)),
]
