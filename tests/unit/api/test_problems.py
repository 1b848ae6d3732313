"""Every error of the domain has one answer on the wire."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from dispatch.api.problems import STATUS, problem, status_of
from dispatch.domain import errors
from dispatch.domain.errors import DispatchError


def every_error() -> list[type[DispatchError]]:
    kinds = [it for it in vars(errors).values() if isinstance(it, type) and issubclass(it, DispatchError)]
    return [it for it in kinds if it is not DispatchError]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_status_and_a_type_of_its_own(kind: type[DispatchError]) -> None:
    status = status_of(kind())
    assert status is not None
    answer = problem(kind(), status, "id-1")
    assert isinstance(answer.body, bytes)
    body = msgspec.json.decode(answer.body)
    assert (answer.status, body["status"], body["instance"]) == (status, status, "id-1")
    assert body["type"] == f"/problems/{kind.code}"
    assert [it.code for it in every_error()].count(kind.code) == 1
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_error_below_a_known_one_answers_like_it() -> None:
    class Closer(errors.RuleBroken):
        """{problem}"""

    assert status_of(Closer(problem="x")) == STATUS[errors.RuleBroken]
    assert status_of(DispatchError()) is None


@pytest.mark.parametrize("kind", [errors.Overloaded, errors.OutcomeUnknown, errors.Unavailable, errors.AccountLocked])
def test_what_passes_says_when_to_come_back(kind: type[DispatchError]) -> None:
    assert problem(kind(retry_after=7), STATUS[kind], "x").headers["Retry-After"] == "7"
    assert problem(kind(), STATUS[kind], "x").headers["Retry-After"] == "1"


def test_a_lock_out_says_until_when() -> None:
    until = datetime(2026, 3, 1, 20, 0, tzinfo=timezone(timedelta(hours=8)))
    answer = problem(errors.AccountLocked(until=until), 429, "x")
    assert answer.headers["Retry-After"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert isinstance(answer.body, bytes)
    assert msgspec.json.decode(answer.body)["until"] == "2026-03-01T20:00:00+08:00"


def test_a_stale_version_gives_the_current_one_as_etag() -> None:
    assert problem(errors.VersionStale(current_version=9), 412, "x").headers["ETag"] == '"9"'
