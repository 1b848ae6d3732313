"""The document says what the route table says."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
import schemathesis

from dispatch.api.call import Call, Reply, Route
from dispatch.api.openapi import openapi_document, operation_id


class Location(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: float
    crs: Literal["wgs84", "gcj02"] = "wgs84"


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    channel: str
    occurred_at: datetime | None = None
    location: Location | None = None


class Answer(msgspec.Struct, frozen=True):
    receipt_no: str


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    channel: str
    state: list[str] = []


async def handler(_call: Call[Any, Any]) -> Reply:
    return Reply()


ROUTES = [
    Route("POST", "/api/v1/reports", handler, "Submit", "submit", body=Report, answer=Answer, statuses=(201, 200)),
    Route("GET", "/api/v1/reports", handler, "Find", "read", query=Filter, answer=list[Answer]),
    Route("POST", "/api/v1/reports/batch", handler, "Many", "submit", body=Report, raw_body="application/x-ndjson"),
    Route("POST", "/api/v1/cases/{case_no:[0-9]{8}}/actions/{action}", handler, "Act", "act", headers=("If-Match",)),
    Route("GET", "/api/v1/track/{receipt_no}", handler, "Track", None, headers=("X-Track-Code",)),
]


@pytest.fixture
def document() -> dict[str, Any]:
    return openapi_document(ROUTES)


def test_the_document_is_valid_openapi_31(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document).validate()


def test_every_route_is_an_operation_of_its_own(document: dict[str, Any]) -> None:
    operations = [it["operationId"] for path in document["paths"].values() for it in path.values()]
    assert sorted(operations) == sorted(operation_id(route) for route in ROUTES)
    assert len(set(operations)) == len(ROUTES)
    assert "/api/v1/cases/{case_no}/actions/{action}" in document["paths"]


def test_bodies_and_answers_are_the_types_that_validate(document: dict[str, Any]) -> None:
    submit = document["paths"]["/api/v1/reports"]["post"]
    assert submit["requestBody"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}}
    for status in ("200", "201"):
        assert submit["responses"][status]["content"]["application/json"]["schema"]["$ref"].endswith("/Answer")
    report = document["components"]["schemas"]["Report"]
    assert (report["required"], report["additionalProperties"]) == (["channel"], False)
    batch = document["paths"]["/api/v1/reports/batch"]["post"]
    assert list(batch["requestBody"]["content"]) == ["application/x-ndjson"]


def test_parameters_come_from_path_query_and_headers(document: dict[str, Any]) -> None:
    find = document["paths"]["/api/v1/reports"]["get"]["parameters"]
    assert [(it["name"], it["in"], it["required"]) for it in find] == [
        ("channel", "query", True),
        ("state", "query", False),
    ]
    act = document["paths"]["/api/v1/cases/{case_no}/actions/{action}"]["post"]["parameters"]
    assert [(it["name"], it["in"], it["required"]) for it in act] == [
        ("case_no", "path", True),
        ("action", "path", True),
        ("If-Match", "header", True),
    ]
    assert act[0]["schema"]["pattern"] == "^(?:[0-9]{8})$"


def test_refusals_are_problems(document: dict[str, Any]) -> None:
    act = document["paths"]["/api/v1/cases/{case_no}/actions/{action}"]["post"]["responses"]
    assert {"401", "403", "404", "412", "428", "default"} <= set(act)
    assert act["428"]["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_only_what_needs_a_permission_needs_credentials(document: dict[str, Any]) -> None:
    assert document["paths"]["/api/v1/reports"]["post"]["security"] == [{"bearer": []}, {"cookie": []}]
    assert document["paths"]["/api/v1/track/{receipt_no}"]["get"]["security"] == []


async def test_the_service_documents_itself(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/openapi.json") as answer:
        document = await answer.json()
    schemathesis.openapi.from_dict(document).validate()
    assert {"/api/v1/reports", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"} <= set(document["paths"])
    async with client.get("/docs") as answer:
        page = await answer.text()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for path, methods in document["paths"].items():
        assert path in page
        assert all(it["summary"] in page for it in methods.values())
    assert "http://" not in page
    assert "https://" not in page
