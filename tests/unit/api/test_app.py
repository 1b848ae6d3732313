"""What every operation may rely on, and what every caller may."""

import json
from typing import Any

import pytest
import structlog
from aiohttp import web

from dispatch.api.call import Call, Route
from tests.unit.api.operations import OPERATOR, ROUTES, raw


async def test_a_good_request_is_answered_with_its_headers(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.post("/things", json={"title": "井盖"}, headers=OPERATOR) as answer:
        assert answer.status == 201
        assert await answer.json() == {"title": "井盖", "by": "operator"}
        assert answer.headers["ETag"] == '"7"'
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b'{"title":"\xff"}', "body"),
        (b'{"title":"\xed\xa0\x80"}', "body"),
        (b'{"title":"\\ud800"}', "body"),
        (b'{"title":"\\udc00\\ud800"}', "body"),
        (b'{"title":"a\\u0000b"}', "title"),
        (b'{"title":"","tags":["a","\\u0000"]}', "tags[1]"),
        (b'{"title":"","attributes":{"a":{"b":"\\u0000"}}}', "attributes.a.b"),
        (b'{"title":"","attributes":{"a\\u0000":1}}', "attributes.a\ufffd"),
        (b'{"title":"","attributes":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "body"),
        (b'{"title":1}', "title"),
        (b"[]", "body"),
        (b"{}", "title"),
        (b'{"title":"","colour":"red"}', "colour"),
        (b'{"title":"","place":{"lon":1}}', "place.lat"),
        (b'{"title":"","place":{"lon":1,"lat":2,"alt":3}}', "place.alt"),
        (b'{"title":"","place":{"lon":"1","lat":2}}', "place.lon"),
        (b'{"title":"","place":{"lon":1e999,"lat":2}}', "place.lon"),
        (b'{"title":NaN}', "body"),
        (b'{"title":"","counts":{"x":1}}', "counts"),
    ],
)
async def test_a_bad_body_is_refused_naming_the_field(serve: Any, body: bytes, field: str) -> None:
    client = await serve(ROUTES)
    async with client.post("/things", data=body, headers=OPERATOR) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["type"], problem["field"]) == (400, "/problems/bad-input", field)


async def test_an_escaped_backslash_before_u0000_is_text(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.post("/things", data=rb'{"title":"\\u0000"}', headers=OPERATOR) as answer:
        assert (answer.status, (await answer.json())["title"]) == (201, r"\u0000")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("state=%00", "state"),
        ("%00=1", "\x00"),
    ],
)
async def test_a_bad_query_is_refused_naming_the_parameter(serve: Any, query: str, field: str) -> None:
    client = await serve(ROUTES)
    async with client.get(f"/things?{query}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (400, field)


async def test_a_route_without_parameters_refuses_any(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/made?x=1") as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (400, "x")


async def test_query_parameters_are_decoded_by_type(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/things?state=closed&state=triage&limit=7") as answer:
        assert await answer.json() == {"state": ["closed", "triage"], "limit": 7, "case_no": None}


async def test_a_path_that_no_database_keeps_is_refused(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/things/a%00b") as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (400, "case_no")


async def test_bytes_outside_of_utf8_in_the_request_line_are_no_accident_of_the_server(serve: Any) -> None:
    client = await serve(ROUTES)
    answer = await raw(client, b"GET /things/\xff?state=\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1] == b"400"


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "not-authenticated"),
        ("wrong", 401, "not-authenticated"),
        ("nobody", 403, "not-permitted"),
        ("fresh", 403, "password-change-due"),
    ],
)
async def test_who_may_not_is_told_before_anything_is_read(
    serve: Any, token: str | None, status: int, code: str
) -> None:
    client = await serve(ROUTES)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client.post("/things", data=b"not json", headers=headers) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["type"]) == (status, f"/problems/{code}")
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


async def test_a_first_password_can_be_changed(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.post("/password", headers={"Authorization": "Bearer fresh"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_size_is_refused(serve: Any, chunked: bool) -> None:
    client = await serve(ROUTES, max_body=1000)

    async def pieces() -> Any:
        yield b" " * 1500

    async with client.post("/things", data=pieces() if chunked else b" " * 1500, headers=OPERATOR) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["type"], problem["limit"]) == (413, "/problems/too-large", 1000)


async def test_a_body_that_is_not_compressed_as_said_is_bad_input(serve: Any) -> None:
    client = await serve(ROUTES)
    headers = {**OPERATOR, "Content-Encoding": "gzip"}
    async with client.post("/things", data=b"not gzip", headers=headers) as answer:
        assert answer.status == 400


async def test_a_problem_carries_the_data_of_its_error(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.put("/stale") as answer:
        assert await answer.json(content_type="application/problem+json") == {
            "type": "/problems/version-stale",
            "title": "Version stale",
            "status": 412,
            "detail": "Somebody was faster; the current version is 4.",
            "instance": answer.headers["X-Request-Id"],
            "current_version": 4,
        }
    async with client.put("/taken") as answer:
        assert (answer.status, (await answer.json(content_type=None))["receipt_no"]) == (409, "R1")


async def test_an_unexpected_error_shows_nothing_of_the_inside_and_is_logged_without_its_words(serve: Any) -> None:
    client = await serve(ROUTES)
    with structlog.testing.capture_logs() as logged:
        async with client.get("/broken") as answer:
            text = await answer.text()
    problem = json.loads(text)
    assert (answer.status, problem["type"]) == (500, "/problems/internal-server-error")
    assert problem["instance"] == answer.headers["X-Request-Id"]
    assert "13800138000" not in text
    assert [line["event"] for line in logged] == ["request failed"]


async def test_an_answer_of_any_kind_names_its_request(serve: Any, lines: list[tuple[Any, ...]]) -> None:
    client = await serve(ROUTES)
    for path in ("/page", "/made", "/nowhere", "/things?x=1"):
        async with client.get(path) as answer:
            assert answer.headers["X-Request-Id"] == lines[-1][4]
    async with client.options("/made") as answer:
        assert answer.headers["X-Request-Id"] == lines[-1][4]
    assert len({line[4] for line in lines}) == 5


async def test_credentials_that_are_not_text_are_refused(serve: Any) -> None:
    client = await serve(ROUTES)
    answer = await raw(
        client, b"POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\nConnection: close\r\n\r\n"
    )
    assert answer.split(b" ", 2)[1] == b"401"


async def test_bytes_are_sent_as_they_are(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/made") as answer:
        assert (await answer.read(), answer.headers["Content-Type"]) == (b'{"made":true}', "application/json")


async def test_an_unknown_path_is_a_problem(serve: Any) -> None:
    client = await serve(ROUTES)
    for path in ("/nowhere", "/things/1/2", "/%2e%2e/x"):
        async with client.get(path) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["type"]) == (404, "/problems/not-found")


async def test_the_bare_address_leads_to_the_page_to_read(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/docs")


async def test_an_unknown_method_is_told_the_known_ones(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.delete("/things") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert (await answer.json(content_type=None))["type"] == "/problems/method-not-allowed"
    async with client.options("/things/1") as answer:
        assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_head_is_get_without_the_body(serve: Any) -> None:
    client = await serve(ROUTES)
    async with client.head("/made") as answer:
        assert (answer.status, await answer.read(), answer.headers["Content-Length"]) == (200, b"", "13")


async def test_the_access_line_names_the_template_and_the_actor(serve: Any, lines: list[tuple[Any, ...]]) -> None:
    client = await serve(ROUTES)
    async with client.post("/things", json={"title": "x"}, headers=OPERATOR) as answer:
        request_id = answer.headers["X-Request-Id"]
    async with client.get("/things/13800138000"):
        pass
    async with client.get("/13800138000"):
        pass
    shown = [(method, route, status, actor) for method, route, status, _, _, actor in lines]
    assert shown == [
        ("POST", "/things", 201, "operator"),
        ("GET", "/things/{case_no}", 200, None),
        ("*", "/{elsewhere:.*}", 404, None),
    ]
    assert lines[0][4] == request_id


async def test_a_websocket_goes_through_the_kit(serve: Any) -> None:
    async def live(call: Call[None, None]) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(call.request)
        await socket.send_str("hello")
        await socket.close()
        return socket

    client = await serve([], websocket_routes=[Route("GET", "/live", live, "Live", None)])
    async with client.ws_connect("/live") as socket:
        assert await socket.receive_str() == "hello"
    async with client.get("/live") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
