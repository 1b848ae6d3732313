"""The application: every route compiled once, at start-up, into one handler of aiohttp.

Order within a request: request id, size, who asks, permission, then decoding, then the handler. A caller who hangs up
cancels nothing: handlers run to their end (aiohttp's `handler_cancellation` is to stay off).
"""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import Counter

from dispatch.api import docs, health, metrics
from dispatch.api.access import access_log
from dispatch.api.call import SIGNED_IN, Call, Reply, Route, body_reader, query_reader, refuse_unstorable
from dispatch.api.problems import plain_problem, problem, status_of
from dispatch.domain.errors import (
    BadInput,
    DispatchError,
    NotAuthenticated,
    NotPermitted,
    PasswordChangeDue,
    TooLarge,
    Unavailable,
)
from dispatch.logs import REQUEST_ID
from dispatch.store.pool import AWAY

if TYPE_CHECKING:
    from dispatch.bootstrap import Services
    from dispatch.people.principal import Principal

MAX_BODY = 16 * 1024 * 1024

_ELSEWHERE = "/{elsewhere:.*}"

# In the log and the figures only: the caller went, the work was cancelled, or a begun answer broke off (after nginx).
_UNANSWERED = 499

AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Record = Callable[[int, float, str, str | None], None]
AccessLine = Callable[[str, str, int, float, str, str | None], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kit:
    services: "Services"
    max_body: int
    new_id: Callable[[], str]
    draining: asyncio.Event
    access: AccessLine


def build_app(
    services: "Services",
    routes: Sequence[Route],
    *,
    websocket_routes: Sequence[Route] = (),
    max_body: int = MAX_BODY,
    access: AccessLine | None = None,
) -> web.Application:
    """The application over `services` (`people`, `metrics` and `checks` are used here) and the modules' routes.

    Health, metrics and documentation are added. `websocket_routes` are kept out of the latency figures and the OpenAPI
    document. `max_body` is in bytes. Set `app[health.DRAIN]` to let connections go. Run it with `access_log=None`:
    the lines are written here, by `access` when given.
    """
    app = web.Application(client_max_size=max_body)
    draining = app[health.DRAIN] = asyncio.Event()
    kit = _Kit(services, max_body, _id_maker(), draining, access or access_log())
    plain = [*routes, *health.ROUTES, *metrics.ROUTES]
    plain += docs.routes(plain)
    compiled = [(at, _compile(at, kit, _recorder(kit, at.method, at.path, timed=True))) for at in plain]
    compiled += [(at, _compile(at, kit, _recorder(kit, at.method, at.path, timed=False))) for at in websocket_routes]
    _mount(app.router, compiled)
    app.router.add_route("*", _ELSEWHERE, _fallback(kit, _recorder(kit, "*", _ELSEWHERE, timed=False)))
    return app


def _mount(router: web.UrlDispatcher, compiled: Iterable[tuple[Route, AiohttpHandler]]) -> None:
    resources: dict[str, web.Resource] = {}
    for route, handler in compiled:
        if route.path not in resources:
            resources[route.path] = router.add_resource(route.path)
        resources[route.path].add_route(route.method, handler)
        if route.method == "GET":
            resources[route.path].add_route("HEAD", handler)


def _compile(route: Route, kit: _Kit, record: Record) -> AiohttpHandler:
    handler, admit, read = route.handler, _admitter(route, kit), _call_reader(route, kit)
    max_body, new_id, draining = kit.max_body, kit.new_id, kit.draining

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        request_id = new_id()
        REQUEST_ID.set(request_id)
        principal: Principal | None = None
        status = _UNANSWERED
        try:
            if (request.content_length or 0) > max_body:
                raise TooLarge(field="body", limit=max_body)
            principal = await admit(request)
            reply = await handler(await read(request, principal, request_id))
            response = _rendered(reply, request_id) if isinstance(reply, Reply) else reply
            status = response.status
        except Exception as error:
            response = _refused(error, request, route, max_body, request_id)
            status = response.status
        finally:
            record(status, perf_counter() - started, request_id, None if principal is None else principal.name)
        if not response.prepared:
            response.headers.setdefault("X-Request-Id", request_id)
            if draining.is_set():
                response.force_close()
        return response

    return handle


def _admitter(route: Route, kit: _Kit) -> Callable[[web.Request], Awaitable["Principal | None"]]:
    permission, authenticate = route.permission, kit.services.people.authenticate

    async def public(_request: web.Request) -> None:
        return None

    async def admit(request: web.Request) -> "Principal":
        cookies = request.cookies if "Cookie" in request.headers else {}
        try:
            principal: Principal | None = await authenticate(request.headers, cookies, request.method)
        except UnicodeError:
            raise NotAuthenticated(problem="The credentials are not text.") from None
        if principal is None:
            raise NotAuthenticated(problem="This needs a bearer token, an API key or a session.")
        if permission != SIGNED_IN:
            if principal.must_change:
                raise PasswordChangeDue
            if permission not in principal.permissions:
                raise NotPermitted(permission=permission)
        return principal

    return public if permission is None else admit


def _call_reader(
    route: Route, kit: _Kit
) -> Callable[[web.Request, "Principal | None", str], Awaitable[Call[Any, Any]]]:
    read_query = query_reader(route.query)
    read_body = None if route.body is None or route.raw_body is not None else body_reader(route.body)
    services, takes_query, headers = kit.services, route.query is not None, route.headers
    without = b"{}" if route.body_optional else b""

    async def read(request: web.Request, principal: "Principal | None", request_id: str) -> Call[Any, Any]:
        params = request.match_info
        for name, value in params.items():
            refuse_unstorable(name, value)
        for name in headers:
            refuse_unstorable(name, request.headers.get(name, ""))
        query = read_query(request.query) if takes_query or request.query_string else None
        body = None if read_body is None else read_body(await request.read() or without)
        return Call(services, principal, params, query, body, request, request_id)

    return read


def _rendered(reply: Reply, request_id: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Request-Id": request_id, **reply.headers}
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers.setdefault("Content-Type", "application/json")
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    return web.Response(body=body, status=reply.status, headers=headers)


def _refused(error: Exception, request: web.Request, route: Route, max_body: int, request_id: str) -> web.Response:
    """The problem that tells of `error`; raises it again when the answer has begun or nobody is there to read one."""
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        error = TooLarge(field="body", limit=max_body)
    elif isinstance(error, web.RequestPayloadError | HttpProcessingError):
        error = BadInput(field="body", problem="is not encoded as its headers say")
    gone = request.transport is None or request.transport.is_closing()
    if request.writer.output_size > 0 or (gone and isinstance(error, ConnectionError)):
        raise error
    if isinstance(error, AWAY):
        log.warning("database away", method=route.method, route=route.path, error=type(error).__name__)
        error = Unavailable(part="database", retry_after=2)
    if isinstance(error, DispatchError):
        status = status_of(error)
        if status is not None:
            return problem(error, status, request_id)
    if isinstance(error, web.HTTPException) and error.status >= 400:
        return plain_problem(error.status, request_id)
    log.error("request failed", method=route.method, route=route.path, exc_info=error)
    return plain_problem(500, request_id)


def _fallback(kit: _Kit, record: Record) -> AiohttpHandler:
    """The handler of what no route answers: 404, or 405 and OPTIONS with the methods that are there."""

    async def handle(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        request_id = kit.new_id()
        REQUEST_ID.set(request_id)
        allowed = await _allowed(request)
        allow = {"Allow": ", ".join(sorted({*allowed, "OPTIONS"}))}
        response: web.Response
        if not allowed:
            response = plain_problem(404, request_id)
        elif request.method == "OPTIONS":
            response = web.Response(status=204, headers={**allow, "X-Request-Id": request_id})
        else:
            response = plain_problem(405, request_id, allow, allowed_methods=sorted(allowed))
        if kit.draining.is_set():
            response.force_close()
        record(response.status, perf_counter() - started, request_id, None)
        return response

    return handle


async def _allowed(request: web.Request) -> set[str]:
    own = request.match_info.route.resource
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not own:
            allowed |= (await resource.resolve(request))[1]
    return allowed


def _recorder(kit: _Kit, method: str, path: str, *, timed: bool) -> Record:
    figures, access = kit.services.metrics, kit.access
    latency = figures.latency.labels(method, path) if timed else None
    counts: dict[int, Counter] = {}

    def record(status: int, seconds: float, request_id: str, actor: str | None) -> None:
        count = counts.get(status)
        if count is None:
            count = counts[status] = figures.requests.labels(method, path, str(status))
        count.inc()
        if latency is not None:
            latency.observe(seconds)
        access(method, path, status, seconds, request_id, actor)

    return record


def _id_maker() -> Callable[[], str]:
    """Request ids: a random word for this process and a number; short, unique, and never like a telephone number."""
    word, numbers = secrets.token_hex(4), itertools.count(1)
    return lambda: f"{word}-{next(numbers)}"
