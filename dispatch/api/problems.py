"""Refusals on the wire: application/problem+json (RFC 9457), one type for each error of the domain."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from dispatch.domain import errors
from dispatch.domain.errors import DispatchError

CONTENT_TYPE = "application/problem+json"

STATUS: Mapping[type[DispatchError], int] = {
    errors.BadInput: 400,
    errors.NothingToActOn: 422,
    errors.TooLarge: 413,
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.PasswordChangeDue: 403,
    errors.AccountLocked: 429,
    errors.NotFound: 404,
    errors.KeyTaken: 409,
    errors.IdempotencyConflict: 422,
    errors.VersionMissing: 428,
    errors.VersionStale: 412,
    errors.ActionNotAllowed: 409,
    errors.RuleBroken: 409,
    errors.Overloaded: 503,
    errors.OutcomeUnknown: 503,
    errors.Unavailable: 503,
}

RETRY_AFTER_S = 1


def status_of(error: DispatchError) -> int | None:
    """The status of an error, by its own class or the nearest base in the table; None when it has none."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def problem_body(error: DispatchError, status: int, request_id: str) -> dict[str, Any]:
    """The members of a problem; the data of the error never replaces a member of the standard."""
    return {**error.data, **_standard(error.code, status, str(error), request_id)}


def problem(error: DispatchError, status: int, request_id: str) -> web.Response:
    """The answer to a request that the domain refused."""
    return _response(problem_body(error, status, request_id), status, request_id, _headers(error, status))


def plain_problem(
    status: int, request_id: str, headers: Mapping[str, str] | None = None, **members: Any
) -> web.Response:
    """The answer to a request that failed before or outside of the domain; it tells nothing of the inside."""
    known = HTTPStatus(status)
    code = known.phrase.lower().replace(" ", "-")
    return _response(
        {**members, **_standard(code, status, known.description or known.phrase, request_id)},
        status,
        request_id,
        headers or {},
    )


def _standard(code: str, status: int, detail: str, request_id: str) -> dict[str, Any]:
    title = code.replace("-", " ").capitalize()
    return {"type": f"/problems/{code}", "title": title, "status": status, "detail": detail, "instance": request_id}


def _response(body: dict[str, Any], status: int, request_id: str, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body, enc_hook=str),
        status=status,
        headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "X-Request-Id": request_id, **headers},
    )


def _headers(error: DispatchError, status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="dispatch"'}
    if status in (429, 503):
        return {"Retry-After": _retry_after(error)}
    if isinstance(error, errors.VersionStale) and "current_version" in error.data:
        return {"ETag": f'"{error.data["current_version"]}"'}
    return {}


def _retry_after(error: DispatchError) -> str:
    """Seconds, or the instant as an HTTP date where the error knows one (RFC 9110 §10.2.3)."""
    until = error.data.get("until")
    if isinstance(until, datetime) and until.tzinfo is not None:
        return format_datetime(until.astimezone(UTC), usegmt=True)
    return str(error.data.get("retry_after", RETRY_AFTER_S))


def problem_of(error: DispatchError, request_id: str) -> tuple[int, dict[str, Any]]:
    """The status and the problem of one refused line of a bulk request."""
    status = status_of(error) or 500
    return status, problem_body(error, status, request_id)
