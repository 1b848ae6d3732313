"""Reminders beyond the most an hour are told at once in one digest, and none is lost."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from dispatch.domain.cases import Post
from dispatch.notices import digests, post
from dispatch.notices.webhooks import add_webhook
from tests.harness.town import KEYRING, START, Town, principal
from tests.integration.casework.people import SUPERVISOR, account
from tests.integration.casework.walks import elsewhere, opened

MOST = 3
HOUR = timedelta(hours=1)
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def remind(
    city: Any, seq: int, at: datetime, *, most: int | None = MOST, unit: str = "U1", case: int = 1
) -> None:
    told = Post(1, unit, ("handler",), "deadline", {"case_no": f"C{case}"}, most=most)
    await post.insert(city.service, [(case, seq, told, at)])


async def make(city: Any, now: datetime) -> int:
    async with city.service.acquire() as connection, connection.transaction():
        return await digests.make(connection, now)


async def announced(city: Any) -> int:
    return int(await city.pool.fetchval("SELECT count(*) FROM outbox"))


async def test_beyond_the_most_an_hour_reminders_wait_for_one_digest_and_all_stand_in_the_inbox(office: Any) -> None:
    city, now = office.city, office.clock.at
    await city.account("w1", "U1", "handler")
    for seq in range(1, 8):
        await remind(city, seq, now + timedelta(minutes=seq))
    rows = await city.rows("inbox")
    assert [row["held"] for row in rows] == [False] * MOST + [True] * 4
    assert await announced(city) == MOST
    sent = await city.rows("webhook")
    assert [row["next_at"] is None for row in sent] == [False] * MOST + [True] * 4
    assert await make(city, now + timedelta(minutes=59)) == 0  # the hour is not over
    assert await make(city, now + HOUR) == 2  # of the person and of the webhook
    assert await make(city, now + 2 * HOUR) == 0
    office.clock.at = now + HOUR
    while await office.sender.once():
        pass
    bodies = [msgspec.json.decode(body) for _, body in office.receiver.got]
    assert [body["type"] for body in bodies].count("digest") == 1
    assert len(bodies) == MOST + 1
    (digest,) = [body["data"] for body in bodies if body["type"] == "digest"]
    assert (digest["notices"], digest["topics"], digest["cases"]) == (4, {"deadline": 4}, ["C1"])
    assert await announced(city) == MOST + 1


async def test_each_hour_and_each_person_has_a_count_of_its_own(city: Any) -> None:
    await city.account("w1", "U1", "handler")
    await city.account("w2", "U2", "handler")
    for seq, (unit, hour) in enumerate([("U1", 0)] * MOST + [("U2", 0)] * MOST + [("U1", 1)] * MOST, 1):
        await remind(city, seq, START + hour * HOUR, unit=unit)
    assert not any(row["held"] for row in await city.rows("inbox"))


async def test_many_at_once_are_counted_like_one_after_the_other(city: Any) -> None:
    await city.account("w1", "U1", "handler")
    told = Post(1, "U1", ("handler",), "deadline", {"case_no": "C1"}, most=MOST)
    again = Post(1, "U1", ("handler",), "deadline", {"case_no": "C1"}, most=MOST)
    # The second post of an event to one person does not count.
    given = [(1, seq, each, START) for seq in range(1, 11) for each in (told, again)]
    assert await post.insert(city.service, given) == 10
    assert [row["held"] for row in await city.rows("inbox")] == [False] * MOST + [True] * 7


async def test_what_is_no_reminder_goes_at_once_whatever_came_before(city: Any) -> None:
    await city.account("w1", "U1", "handler")
    for seq in range(1, 9):
        await remind(city, seq, START)
    await remind(city, 9, START, most=None)
    (urgent,) = [row for row in await city.rows("inbox") if row["event_seq"] == 9]
    assert not urgent["held"]
    assert await announced(city) == MOST + 1


async def test_two_processes_make_one_digest(city: Any) -> None:
    await city.account("w1", "U1", "handler")
    for seq in range(1, 9):
        await remind(city, seq, START)
    async with city.service.acquire() as first:
        under_way = first.transaction()
        await under_way.start()
        assert await digests.make(first, START + HOUR) == 1
        second = asyncio.create_task(make(city, START + HOUR))
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while not await city.pool.fetchval(waiting):
            assert not second.done()
        await under_way.commit()
    assert await second == 0
    assert await city.pool.fetchval("SELECT count(*) FROM notices WHERE topic = 'digest'") == 1


async def test_what_commits_after_the_digest_of_its_hour_is_in_the_next(city: Any) -> None:
    await city.account("w1", "U1", "handler")
    async with city.service.acquire() as slow:
        late = slow.transaction()
        await late.start()
        for seq in range(1, 6):
            await remind(city, seq, START)
        told = Post(1, "U1", ("handler",), "deadline", {"case_no": "C2"}, most=MOST)
        await post.insert(slow, [(2, 1, told, START)])
        assert await make(city, START + HOUR) == 1
        await late.commit()
    assert await make(city, START + 2 * HOUR) == 1
    rows = await city.pool.fetch(
        "SELECT body->'cases' AS cases FROM notices WHERE topic = 'digest' ORDER BY created_at"
    )
    assert [msgspec.json.decode(row["cases"]) for row in rows] == [["C1"], ["C2"]]
    assert await city.pool.fetchval("SELECT count(*) FROM notices WHERE held AND digest IS NULL") == 0


async def test_more_cases_than_fit_are_told_in_parts(city: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MOST_CASES", 1)
    await city.account("w1", "U1", "handler")
    for seq in range(1, 5):
        for case in (1, 2):
            await remind(city, seq, START, case=case)
    assert await make(city, START + HOUR) == 2
    rows = await city.pool.fetch(
        "SELECT subject, body->'cases' AS cases FROM notices WHERE topic = 'digest' ORDER BY subject"
    )
    assert [msgspec.json.decode(row["cases"]) for row in rows] == [["C1"], ["C2"]]


async def test_forty_warnings_to_one_person_are_twelve_and_a_digest_and_an_urgent_one_goes_through(
    a_town: Town,
) -> None:
    await account(a_town, "w1", "handler", "drainage")
    async with a_town._owner() as connection:
        await add_webhook(connection, KEYRING, "hook", "http://127.0.0.1:1/", HOOK, ["drainage"])
    calm = [await opened(a_town, assigned_unit="drainage", category="E0110", location=elsewhere()) for _ in range(40)]
    assert {row["urgency"] for row in await a_town.rows("SELECT urgency FROM cases")} == {"ordinary"}
    a_town.clock.at = await a_town.value(
        "SELECT min((plan->0->>'at')::timestamptz) FROM deadlines WHERE unit = 'drainage'"
    )
    await a_town.fire()
    urgent = await opened(a_town, assigned_unit="drainage", urgency="critical", location=elsewhere())
    for number in (calm[0], urgent):
        assert (await a_town.act(number, "urge", SUPERVISOR))[0] == 200
    of = "SELECT count(*) FROM notices WHERE recipient = 'account:w1' AND topic IN ('deadline', 'urged')"
    # Two clocks of each case warn, and one case is urged: all wait beyond the first twelve but what is urgent.
    assert await a_town.value(of) == 82
    assert await a_town.value(f"{of} AND NOT held AND reminder") == 12
    assert await a_town.value(f"{of} AND held") == 69
    assert [row["topic"] for row in await a_town.rows(f"{of.replace('count(*)', 'topic')} AND NOT reminder")] == [
        "urged"
    ]
    told = await a_town.rows(
        "SELECT DISTINCT body->>'case_no' AS n FROM notices WHERE recipient = 'account:w1' AND NOT held"
    )
    async with a_town.services.pool.acquire() as owned, owned.transaction():
        await digests.make(owned, a_town.clock.at + HOUR)
    for medium in ("inbox", "webhook"):
        (row,) = await a_town.rows(
            "SELECT body->>'notices' AS n, body->'cases' AS cases FROM notices WHERE topic = 'digest' AND medium = $1 AND recipient IN "
            "('account:w1', 'webhook:hook')",
            medium,
        )
        assert row["n"] == "69"
        assert {each["n"] for each in told} | set(msgspec.json.decode(row["cases"])) >= {*calm, urgent}
    _, page = await a_town.get("/notices?limit=200", principal("handler", "drainage", name="w1"))
    mine = [each["topic"] for each in page["items"] if each["recipient"] == "account:w1"]
    assert mine.count("deadline") + mine.count("urged") == 82
    since, until = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"
    _, load = await a_town.get(f"/notices/load?since={since}&until={until}", SUPERVISOR)
    (day,) = load["items"]
    figures = {name: day[name] for name in ("account", "unit", "reminders", "held", "digests", "matters")}
    assert figures == {"account": "w1", "unit": "drainage", "reminders": 81, "held": 69, "digests": 1, "matters": 41}
    _, theirs = await a_town.get(f"/notices/load?since={since}&until={until}", principal("unit_head", "gas"))
    assert theirs["items"] == []
