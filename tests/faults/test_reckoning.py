"""The count itself, and the receiver's eye for a signature: what they call lost, doubled, stray and forged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from dispatch.notices.webhooks import new_secret, signed_headers
from tests.faults.receiver import signed
from tests.faults.reckoning import Arrival, Entry, Reckoning, read_arrivals, read_list, reckon, write_list

DUE = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
FIRST, SECOND = Entry("1", "sign", 1, DUE), Entry("1", "reply", 1, DUE + timedelta(microseconds=1))
CLEAN = Reckoning(lost=(), doubled=(), stray=(), unsigned=0, repeated=0)


def told(entry: Entry, notice: str, *, by_us: bool = True) -> Arrival:
    return Arrival(notice, by_us, {"type": "deadline", "data": msgspec.to_builtins(entry) | {"colour": "blue"}}, 204)


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ([told(SECOND, "b"), told(FIRST, "a")], CLEAN),
        ([told(FIRST, "a")], replace(CLEAN, lost=(SECOND,))),
        ([told(FIRST, "a"), told(SECOND, "b"), told(FIRST, "a")], replace(CLEAN, repeated=1)),
        ([told(FIRST, "a"), told(SECOND, "b"), told(FIRST, "c")], replace(CLEAN, doubled=(FIRST,))),
        ([told(FIRST, "a"), told(SECOND, "b", by_us=False)], replace(CLEAN, unsigned=1)),
        (
            [told(FIRST, "a"), told(SECOND, "b"), told(Entry("1", "sign", 2, DUE), "c")],
            replace(CLEAN, stray=(Entry("1", "sign", 2, DUE),)),
        ),
        ([told(FIRST, "a"), told(SECOND, "b"), Arrival("c", True, {"type": "reminder", "data": {}}, 204)], CLEAN),
    ],
)
def test_what_arrived_is_compared_with_what_was_listed(arrivals: list[Arrival], expected: Reckoning) -> None:
    assert reckon([FIRST, SECOND], arrivals) == expected


def test_a_list_is_read_as_it_was_written_and_never_written_over(tmp_path: Path) -> None:
    write_list(tmp_path / "list", [FIRST, SECOND])
    assert read_list(tmp_path / "list") == [FIRST, SECOND]
    with pytest.raises(FileExistsError):
        write_list(tmp_path / "list", [])


def test_of_a_file_that_is_being_written_the_whole_lines_are_read(tmp_path: Path) -> None:
    line = msgspec.json.encode(told(FIRST, "a"))
    (tmp_path / "told").write_bytes(line + b"\n" + line[:-5])
    assert read_arrivals(tmp_path / "told") == [told(FIRST, "a")]


def test_the_receiver_knows_a_signature_of_ours_that_is_fresh() -> None:
    secret, body, now = new_secret(), b"{}", DUE.timestamp()
    headers = signed_headers(secret, "msg_1", DUE, body)
    assert signed(secret, headers, body, now)
    assert signed(secret, headers, body, now + 299)
    assert not signed(secret, headers, body, now + 301)
    assert not signed(secret, headers, b"{ }", now)
    assert not signed(new_secret(), headers, body, now)
    assert not signed(secret, headers | {"webhook-id": "msg_2"}, body, now)
    assert not signed(secret, {}, body, now)
