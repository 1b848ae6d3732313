"""The OpenAPI 3.1 document, made from the route table and the very types that validate."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from dispatch.api.call import Route
from dispatch.api.problems import CONTENT_TYPE
from dispatch.people.admission import CSRF_HEADER, SESSION_COOKIE

_REFERENCE = "#/components/schemas/{name}"

# One `{name}` or `{name:pattern}` of a path; a pattern may hold braces of its own, one deep.
_PLACE = re.compile(r"\{([A-Za-z_]\w*)(?::((?:[^{}]|\{[^{}]*\})*))?\}")

_HEADERS: Mapping[str, tuple[bool, str]] = {
    "If-Match": (True, "The version that was read, as its ETag. 428 without, 412 when stale."),
    "Idempotency-Key": (False, "A word of the caller's own for this request; the same again gives the first answer."),
    CSRF_HEADER: (False, "The token of the session; needed for a change by cookie."),
    "X-Lon": (False, "Degrees east, where the sender took it; what a picture itself says goes before it."),
    "X-Lat": (False, "Degrees north, beside X-Lon."),
    "X-Crs": (False, "Their coordinate system: wgs84 (if nothing is said), cgcs2000, gcj02, bd09."),
    "X-Taken-At": (False, "When the sender took it, by RFC 3339; what a picture itself says goes before it."),
    "X-Track-Code": (True, "The code that the caller got with the receipt number. 查询码"),
}

_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A session's access token, or an API key."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": f"The console's session; changes also need the header {CSRF_HEADER}.",
    },
}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; `type` is one for each kind of refusal, further members are its data.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The id of the request, as in X-Request-Id and in the logs."},
        "field": {"type": "string", "description": "The path of the field at fault."},
    },
}


def openapi_document(routes: Sequence[Route], version: str = "1") -> dict[str, Any]:
    """The document of `routes`; `version` is that of the wire contract. Raises TypeError for types JSON cannot say."""
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    said = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        parameters = [*_path_parameters(route), *_query_parameters(route, components, said), *_header_parameters(route)]
        operation = _operation(route, said) | ({"parameters": parameters} if parameters else {})
        _link(operation, route, routes)
        paths.setdefault(_PLACE.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "City dispatch 一网统管", "version": version},
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def operation_id(route: Route) -> str:
    """A stable name of the operation: `post_cases_case_no_actions_action`."""
    words = re.findall(r"\w+", _PLACE.sub(r"\1", route.path.removeprefix("/api/v1")))
    return "_".join([route.method.lower(), *words])


def _types(routes: Iterable[Route]) -> list[Any]:
    """Every type of the table once; by identity, since not every annotation can be hashed."""
    seen = {id(kind): kind for route in routes for kind in (route.query, route.body, route.answer) if kind is not None}
    return list(seen.values())


def _operation(route: Route, said: Mapping[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "responses": _responses(route, said),
        "security": [] if route.permission is None else [{"bearer": []}, {"cookie": []}],
    }
    if route.permission is not None:
        operation["description"] = f"Permission: `{route.permission}`."
    if route.raw_body is not None:
        operation["requestBody"] = _body(route.raw_body, {} if route.body is None else said[id(route.body)])
    elif route.body is not None:
        operation["requestBody"] = _body("application/json", said[id(route.body)], required=not route.body_optional)
    return operation


def _link(operation: dict[str, Any], route: Route, routes: Sequence[Route]) -> None:
    """Says where what a success names (a case, a receipt) can be looked at and changed: OpenAPI links."""
    named = _named(route.answer)
    here = set(_places(route.path))
    links = {
        operation_id(other): {
            "operationId": operation_id(other),
            "parameters": {
                name: f"$response.body#/{name}" if name in named else f"$request.path.{name}"
                for name in _places(other.path)
            },
        }
        for other in routes
        if other is not route
        and (places := _places(other.path))
        and set(places) <= named | here
        and named & set(places)
    }
    for status, response in operation["responses"].items():
        if links and status.startswith("2"):
            response["links"] = links


def _named(answer: Any) -> frozenset[str]:
    """Fields of an answer that paths of other operations are made with."""
    if not (isinstance(answer, type) and issubclass(answer, msgspec.Struct)):
        return frozenset()
    return frozenset(field.name for field in msgspec.structs.fields(answer)) & {"case_no", "receipt_no"}


def _places(path: str) -> list[str]:
    return [name for name, _ in _PLACE.findall(path)]


def _body(content_type: str, schema: Any, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {content_type: {"schema": schema}}}


def _tag(route: Route) -> str:
    return route.path.removeprefix("/api/v1").strip("/").split("/")[0] or "/"


def _responses(route: Route, said: Mapping[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in route.statuses:
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if route.answer is not None and status != 204:
            responses[str(status)]["content"] = {"application/json": {"schema": said[id(route.answer)]}}
    problem = {CONTENT_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    for status in _refusals(route):
        responses.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": problem})
    return responses | {"default": {"description": "Any other refusal", "content": problem}}


def _refusals(route: Route) -> list[int]:
    """The refusals that the kit itself, or what a route declares, can bring about."""
    takes = route.query is not None or route.body is not None or "{" in route.path
    return [
        *([400] if takes else []),
        *([401, 403] if route.permission is not None else []),
        *([404] if "{" in route.path else []),
        *([412, 428] if "If-Match" in route.headers else []),
        *([413] if route.body is not None or route.raw_body is not None else []),
    ]


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^(?:{pattern})$"} if pattern else {"type": "string"},
        }
        for name, pattern in _PLACE.findall(route.path)
    ]


def _query_parameters(route: Route, components: Mapping[str, Any], said: Mapping[int, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[said[id(route.query)]["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of}
        for name, of in schema["properties"].items()
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    said = [(name, *_HEADERS.get(name, (False, ""))) for name in route.headers]
    return [
        {"name": name, "in": "header", "required": required, "description": text, "schema": {"type": "string"}}
        for name, required, text in said
    ]
