"""Reading the inbox."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from dispatch.notices import inbox

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MINE = ["account:handler", "unit:U1"]


async def test_pages_go_from_the_newest_to_the_oldest_without_gap_or_repetition(city: Any) -> None:
    for seq in range(1, 8):
        await city.post(seq=seq, at=NOON + timedelta(minutes=seq // 3), level=seq)
    await city.post("U2", seq=9)
    seen: list[inbox.InboxNotice] = []
    while page := await inbox.newest(city.service, MINE, 3, (seen[-1].created_at, seen[-1].id) if seen else None):
        seen += page
    assert {notice.event_seq for notice in seen} == set(range(1, 8))
    assert len(seen) == 7
    times = [notice.created_at for notice in seen]
    assert times == sorted(times, reverse=True)
    assert {notice.recipient for notice in seen} == {"unit:U1"}
    assert (seen[0].case_no, seen[0].topic, seen[0].read_at) == ("C1", "deadline", None)
    assert msgspec.json.decode(seen[0].body)["level"] == seen[0].event_seq


async def test_a_read_notice_is_no_longer_counted_and_keeps_its_first_time(city: Any) -> None:
    await city.post(seq=1)
    await city.post(seq=2)
    first, _ = await inbox.newest(city.service, MINE, 9)
    assert await inbox.unread(city.service, MINE) == 2
    assert await inbox.mark_read(city.service, MINE, [first.id, uuid4()], NOON, "handler") == 1
    assert await inbox.mark_read(city.service, MINE, [first.id], NOON + timedelta(hours=1), "other") == 0
    assert await inbox.unread(city.service, MINE) == 1
    assert [n.read_at for n in await inbox.newest(city.service, MINE, 9) if n.id == first.id] == [NOON]


async def test_notices_of_others_cannot_be_marked_read(city: Any) -> None:
    await city.post("U2")
    (theirs,) = await inbox.newest(city.service, ["unit:U2"], 9)
    assert await inbox.mark_read(city.service, MINE, [theirs.id], NOON, "handler") == 0
    assert await inbox.unread(city.service, ["unit:U2"]) == 1
