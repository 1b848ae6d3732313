"""Log lines are JSON, carry the request, and hold nothing personal."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from dispatch import logs
from dispatch.api.access import access_log

Logged = Callable[[], list[dict[str, Any]]]

PHONE = "13800138000"


@pytest.fixture
def found() -> list[int]:
    """How many values each line was stripped of."""
    return []


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, found: list[int]) -> Iterator[Logged]:
    """The lines written to stderr since the configuration."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure_logs("info", found.append)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_json_with_time_level_and_request(logged: Logged) -> None:
    token = logs.REQUEST_ID.set("abc-1")
    structlog.get_logger("a").info("case opened", case_no="20261121-7", count=3)
    logs.REQUEST_ID.reset(token)
    (line,) = logged()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "a",
        "event": "case opened",
        "case_no": "20261121-7",
        "count": 3,
        "request_id": "abc-1",
    }


def test_other_libraries_are_logged_alike(logged: Logged, found: list[int]) -> None:
    logging.getLogger("asyncio").warning("task of %s is slow", PHONE)
    (line,) = logged()
    assert (line["level"], line["logger"], line["event"]) == ("warning", "asyncio", "task of [redacted] is slow")
    assert found == [1]


def test_lines_below_the_level_are_not_written(logged: Logged) -> None:
    structlog.get_logger("a").debug("detail")
    logging.getLogger("b").debug("detail")
    assert logged() == []


def test_an_exception_is_logged_by_type_and_place_only(logged: Logged) -> None:
    try:
        try:
            raise KeyError(f"a caller's words, {PHONE}")
        except KeyError as error:
            raise ValueError("of somebody") from error
    except ValueError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("b").exception("failed")
    for line in logged():
        assert line["error"] == ["builtins.ValueError", "builtins.KeyError"]
        assert "test_logs.py" in line["where"][0]
        assert "words" not in json.dumps(line)
        assert "somebody" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        PHONE,
        f"+86{PHONE}",
        "138 0013 8000",
        "138-0013-8000",
        f"电话{PHONE}来电",
        "010-62345678",
        "0571-8765432",
        "11010519491231002X",
        "110105194912310021",
    ],
)
def test_personal_numbers_are_blotted_out_wherever_they_are(logged: Logged, found: list[int], text: str) -> None:
    structlog.get_logger("a").info(f"called {text}", plain=text, deep={"list": [text, {"key": (text,)}], text: 1})
    (line,) = logged()
    assert text not in json.dumps(line, ensure_ascii=False)
    assert line["plain"].count("[redacted]") == 1
    assert found == [5]


def test_a_number_as_number_and_an_object_are_searched_too(logged: Logged) -> None:
    class Caller:
        def __str__(self) -> str:
            return f"caller {PHONE}"

    structlog.get_logger("a").info("called", number=int(PHONE), caller=Caller())
    (line,) = logged()
    assert (line["number"], line["caller"]) == ("[redacted]", "caller [redacted]")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T08:00:00Z",
        "110105001001001",
        "20261121000123",
        "138001380001",
        "1.3800138000e3x",
        "GD20261121-00017-4",
    ],
)
def test_times_codes_and_case_numbers_are_kept(logged: Logged, found: list[int], text: str) -> None:
    structlog.get_logger("a").info("seen", value=text)
    assert logged()[0]["value"] == text
    assert found == []


def test_an_access_line_is_json_and_its_actor_is_searched() -> None:
    written: list[bytes] = []
    access_log(written.append)("GET", "/cases/{case_no}", 200, 0.0125, "abc-1", f"user {PHONE}")
    (line,) = written
    assert line.endswith(b"\n")
    shown = json.loads(line)
    assert shown.pop("at").endswith("Z")
    assert shown == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "route": "/cases/{case_no}",
        "status": 200,
        "ms": 12.5,
        "request_id": "abc-1",
        "actor": "user [redacted]",
    }
