"""What waits for one connection, in which order, and when there is too much of it."""

import msgspec

from dispatch.live.listeners import BOUND, TOO_SLOW, Audience, Listener
from dispatch.live.messages import Message, Note, position


def message(offset: int, case: str = "", **fields: object) -> Message:
    head = {"type": "case", "case_no": case or f"C{offset}", "units": ["U1"], "area": ["11"], "restricted": False}
    return Message.read(offset, msgspec.json.encode(head | fields))


def listener(at: int = 0, *feeds: str, restricted: bool = False) -> Listener:
    return Listener(frozenset(feeds or ("cases",)), restricted=restricted, at=at)


async def heard(ear: Listener) -> list[tuple[int, int]]:
    """Offset and prev of every frame that waits."""
    frames = [msgspec.json.decode(frame) for frame in await ear.take()]
    return [(frame["offset"], frame["prev"]) for frame in frames]


async def test_a_few_messages_of_one_case_are_all_sent() -> None:
    ear = listener()
    for offset in (1, 2, 3):
        ear.offer(message(offset, "C"))
    assert await heard(ear) == [(1, 0), (2, 1), (3, 2)]


async def test_who_is_behind_gets_the_latest_of_each_case_in_order() -> None:
    ear = listener()
    for offset in range(1, BOUND + 2):
        ear.offer(message(offset, f"C{offset % 10}"))
    last = BOUND + 1
    got = await heard(ear)
    assert [offset for offset, _ in got] == list(range(last - 9, last + 1))
    assert [prev for _, prev in got] == [0, *range(last - 9, last)]
    assert ear.code is None


async def test_case_and_escalations_of_two_clocks_do_not_replace_each_other() -> None:
    ear = listener(0, "unit:U1")
    for round_ in range(BOUND // 3 + 1):
        ear.offer(message(3 * round_ + 1, "C"))
        ear.offer(message(3 * round_ + 2, "C", type="escalation", deadline="sign"))
        ear.offer(message(3 * round_ + 3, "C", type="escalation", deadline="reply"))
    assert len(await ear.take()) == 3


async def test_who_is_still_behind_after_that_is_too_slow() -> None:
    ear = listener()
    for offset in range(1, BOUND + 1):
        ear.offer(message(offset))
    assert not ear.ended.is_set()
    ear.offer(message(BOUND + 1))
    assert ear.ended.is_set()
    ear.end(4410)
    assert ear.code == TOO_SLOW


async def test_only_new_messages_of_its_feeds_and_for_its_eyes_are_wanted() -> None:
    assert listener(4).wants(message(5))
    assert not listener(5).wants(message(5))
    assert listener(0, "unit:U1").wants(message(1))
    assert not listener(0, "unit:U2", "escalations", "city").wants(message(1))
    assert not listener().wants(message(1, restricted=True))
    assert listener(restricted=True).wants(message(1, restricted=True))


async def test_a_position_moves_on_but_never_back() -> None:
    ear = listener(7)
    ear.offer(position("e", 5))
    ear.offer(position("e", 9))
    ear.offer(message(10))
    frames = [msgspec.json.decode(frame) for frame in await ear.take()]
    assert [(frame["offset"], frame.get("prev")) for frame in frames] == [(9, None), (10, 9)]


async def test_lost_history_replaces_what_waits() -> None:
    ear = listener(90)
    ear.offer(message(91))
    ear.restart(Note("subscribed", b'{"offset":3,"prev":0}', 3))
    ear.offer(message(4))
    assert await heard(ear) == [(3, 0), (4, 3)]


def test_an_audience_of_units_covers_these_and_the_city() -> None:
    scoped, whole = Audience(frozenset({"U1"}), restricted=False), Audience(None, restricted=False)
    feeds = ("unit:U1", "city", "unit:U2", "area:U1", "cases", "escalations", "stats")
    assert [scoped.covers(feed) for feed in feeds] == [True, True, False, False, False, False, False]
    assert all(whole.covers(feed) for feed in feeds)


def test_a_message_is_sent_as_the_bytes_it_was_written_with() -> None:
    body = '{"type":"case","case_no":"C1","event":"派遣","units":[],"area":null}'.encode()
    assert Message.read(12, body).frame(9) == b'{"offset":12,"prev":9,' + body[1:]
