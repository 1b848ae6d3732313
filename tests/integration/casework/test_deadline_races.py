"""Loops against actions, loops against loops, and effects that fail: each step acts once, and none is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from dispatch.casework import deadlines as module
from dispatch.casework.deadlines import Deadlines
from dispatch.casework.watch import watch
from dispatch.domain.cases import Change, Deadline
from dispatch.metrics import new_metrics
from dispatch.store.pool import open_pool
from tests.harness.town import KEYRING, START, Town, principal, report
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import HANDLER
from tests.integration.casework.walks import opened

DUE = timedelta(minutes=30)
STEPS = ("deadline_warned", "deadline_missed", "escalated")


async def many(town: Town, count: int) -> list[str]:
    made = [report(location={"lon": 116.17 + 0.003 * (i % 12), "lat": 33.12 + 0.003 * (i // 12)}) for i in range(count)]
    answers = await asyncio.gather(*(town.send(one) for one in made))
    assert len({answer["case_no"] for _, answer in answers}) == count
    return [answer["case_no"] for _, answer in answers]


@pytest.fixture
async def another_loop(a_town: Town) -> AsyncIterator[Deadlines]:
    """The deadlines of a second process on the same database."""
    pool = await open_pool(a_town.database_url, size=3)
    yield Deadlines(pool, a_town.services.cities, KEYRING, a_town.clock, new_metrics(), lambda: None)
    await pool.close()


async def drained(loop: Deadlines, batch: int) -> int:
    fired, idle = 0, 0
    while idle < 3:
        count = await loop.fire(batch)
        fired, idle = fired + count, 0 if count else idle + 1
        await asyncio.sleep(0)
    return fired


async def test_two_loops_on_one_database_take_each_step_once(a_town: Town, another_loop: Deadlines) -> None:
    await many(a_town, 75)
    await a_town.rows(
        "INSERT INTO accounts (username, unit, roles, password_hash) VALUES ('com', 'city', '{commander}', '$argon2id$none')"
    )
    waiting = await a_town.rows("SELECT id, jsonb_array_length(plan) AS steps FROM deadlines WHERE next_at IS NOT NULL")
    assert len(waiting) >= 500
    a_town.clock.travel(timedelta(days=40))
    fired = await asyncio.gather(*(drained(loop, 17) for loop in (a_town.services.deadlines, another_loop) * 2))
    assert min(fired[0] + fired[2], fired[1] + fired[3]) > 0
    assert sum(fired) == sum(row["steps"] for row in waiting)
    rows = await a_town.rows(
        "SELECT deadline_id, count(*) AS n, count(DISTINCT level) AS levels FROM escalations GROUP BY 1"
    )
    assert {row["deadline_id"]: (row["n"], row["levels"]) for row in rows} == {
        w["id"]: (w["steps"], w["steps"]) for w in waiting
    }
    assert await a_town.value("SELECT count(*) FROM case_events WHERE type = ANY ($1)", STEPS) == sum(fired)
    # one notice for the commander at the top level of each clock
    assert await a_town.value(
        "SELECT count(*) FROM notices WHERE recipient = 'account:com' AND body->>'level' = '3'"
    ) == len(waiting)
    assert await a_town.value("SELECT count(*) FROM deadlines WHERE next_at <= $1", a_town.clock.at) == 0


async def test_a_loop_and_people_at_the_same_instant_agree_on_every_case(a_town: Town, another_loop: Deadlines) -> None:
    for round in range(3):
        a_town.clock.at = START + timedelta(days=7 * round)
        await a_town.fire()
        made = [report(location={"lon": 116.17 + 0.003 * i, "lat": 33.12 + 0.004 * round}) for i in range(10)]
        numbers = [answer["case_no"] for _, answer in await asyncio.gather(*(a_town.send(one) for one in made))]
        a_town.clock.travel(DUE)
        signing = [a_town.act(number, "sign", HANDLER, version=1) for number in numbers]
        fates = await asyncio.gather(*signing, drained(a_town.services.deadlines, 3), drained(another_loop, 3))
        assert [fate[0] for fate in fates if isinstance(fate, tuple)] == [200] * 10
    # After it was signed, no step of its sign clock; before, each at most once.
    late = await a_town.value(
        "SELECT count(*) FROM case_events e JOIN case_events s USING (case_id) WHERE s.type = 'signed' AND e.seq > s.seq AND e.type = ANY ($1) "
        "AND convert_from(e.body, 'UTF8')::jsonb->>'clock' = 'sign' AND convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage'",
        STEPS,
    )
    assert late == 0
    states = await a_town.rows(
        "SELECT d.status, d.stopped_at IS NOT NULL AS stopped, "
        "(SELECT count(*) FROM escalations e WHERE e.deadline_id = d.id AND e.level = 1) AS blue "
        "FROM deadlines d WHERE clock = 'sign' AND unit = 'drainage'"
    )
    assert len(states) == 30
    assert {tuple(row) for row in states} <= {("met", True, 0), ("missed", True, 1)}


async def test_a_case_that_somebody_works_on_is_left_to_the_next_turn(a_town: Town) -> None:
    held, free = await many(a_town, 2)
    a_town.clock.travel(DUE)
    connection = await asyncpg.connect(a_town.database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM cases WHERE case_no = $1 FOR UPDATE", held)
            assert await a_town.fire() > 0
            assert "deadline_missed" not in await events_of(a_town, held)
            assert "deadline_missed" in await events_of(a_town, free)
    finally:
        await connection.close()
    assert await a_town.fire() > 0
    assert "deadline_missed" in await events_of(a_town, held)


# What a claim finds that began before the deadline was withdrawn, and got the case's row after that.
STALE = "SELECT id FROM cases WHERE case_no = '{}' AND $1::timestamptz IS NOT NULL AND $2::integer > 0 FOR UPDATE SKIP LOCKED"
MOVED = """
WITH d AS (UPDATE deadlines SET due_at = due_at + interval '1 day', next_at = next_at + interval '1 day', plan = (
    SELECT jsonb_agg(p || jsonb_build_object('at', to_char((p->>'at')::timestamptz + interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')))
    FROM jsonb_array_elements(plan) p) WHERE stopped_at IS NULL RETURNING case_id, due_at)
UPDATE cases SET next_due_at = (SELECT min(due_at) FROM d WHERE d.case_id = cases.id)
"""


@pytest.mark.parametrize("withdrawn", ["cancelled", "moved"])
async def test_a_claim_that_saw_a_deadline_before_it_was_withdrawn_acts_on_nothing(
    a_town: Town, monkeypatch: pytest.MonkeyPatch, withdrawn: str
) -> None:
    number = await opened(a_town)
    before = await clocks_of(a_town, number, "sign")
    a_town.clock.at = START + timedelta(minutes=20)
    if withdrawn == "moved":
        await a_town.rows(MOVED)
    else:
        for unit in {clock["unit"] for clock in before}:
            assert (await a_town.act(number, "sign", principal("handler", unit)))[0] == 200
    types = await events_of(a_town, number)
    a_town.clock.at = START + DUE
    monkeypatch.setattr(module.SQL, "claim_due", STALE.format(number))
    assert await a_town.services.deadlines.fire(10) == 0
    assert await events_of(a_town, number) == types


async def test_an_action_waits_for_a_loop_that_holds_the_case_and_sees_what_it_did(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await opened(a_town)
    a_town.clock.travel(DUE)
    holding, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*given: Any) -> None:
        holding.set()
        await go_on.wait()
        await watch(*given)

    monkeypatch.setattr(module, "watch", slow)
    firing = asyncio.create_task(a_town.services.deadlines.fire(10))
    await holding.wait()
    signing = asyncio.create_task(a_town.act(number, "sign", HANDLER, version=1))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not await a_town.value(waiting):
        assert not signing.done()
    go_on.set()
    assert await firing > 0
    assert (await signing)[0] == 200
    (clock,) = [c for c in await clocks_of(a_town, number, "sign") if c["unit"] == "drainage"]
    assert (clock["status"], clock["stopped_at"]) == ("missed", a_town.clock.at)
    types = await events_of(a_town, number)
    assert types.index("deadline_missed") < types.index("signed")


async def test_an_effect_that_fails_is_fenced_off_tried_again_and_alarmed(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, *others = await many(a_town, 4)
    step = module._step

    def faulty(change: Change, deadline: Deadline, now: Any) -> None:
        if change.case.case_no == poisoned and deadline.clock == "sign" and deadline.unit == "drainage":
            raise ValueError("a ladder nobody thought of")
        step(change, deadline, now)

    monkeypatch.setattr(module, "_step", faulty)
    a_town.clock.at = START + DUE
    pauses = []
    with capture_logs() as lines:
        for _ in range(5):
            await a_town.fire()
            (clock,) = [c for c in await clocks_of(a_town, poisoned, "sign") if c["unit"] == "drainage"]
            pauses.append((clock["next_at"] - a_town.clock.at).total_seconds())
            a_town.clock.at = clock["next_at"]
    assert pauses == [5, 10, 20, 40, 80]
    failures = [line for line in lines if line["event"] == "deadlines.effect_failed"]
    assert [(f["attempts"], f["log_level"]) for f in failures] == [
        (n, "error" if n == 5 else "warning") for n in range(1, 6)
    ]
    for number in others:
        assert (await events_of(a_town, number)).count("deadline_missed") == 3  # of its lead and two assists
    assert "deadline_missed" not in await events_of(a_town, poisoned)
    monkeypatch.setattr(module, "_step", step)
    await a_town.fire()
    rows = await a_town.rows("SELECT planned_at FROM escalations WHERE deadline_id = $1 ORDER BY level", clock["id"])
    assert [row["planned_at"] - START for row in rows] == [timedelta(minutes=24), DUE]
    (clock,) = [c for c in await clocks_of(a_town, poisoned, "sign") if c["unit"] == "drainage"]
    # Nobody acknowledged it yet: the next level comes a quarter of an hour after this one did.
    assert (clock["attempts"], clock["next_at"]) == (0, a_town.clock.at + timedelta(minutes=15))


async def test_a_case_the_schema_would_refuse_at_commit_does_not_stop_its_neighbours(a_town: Town) -> None:
    broken, healthy = await many(a_town, 2)
    connection = await asyncpg.connect(a_town.database_url)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(
        "UPDATE assignments SET state = 'handling' WHERE role = 'lead' AND case_id = (SELECT id FROM cases WHERE case_no = $1)",
        broken,
    )
    await connection.close()
    a_town.clock.travel(DUE)
    with capture_logs() as lines:
        assert await a_town.services.deadlines.fire(100) > 0
    assert "deadline_missed" in await events_of(a_town, healthy)
    assert "deadline_missed" not in await events_of(a_town, broken)
    assert [line["log_level"] for line in lines if line["event"] == "deadlines.effect_failed"] == ["error"]


async def test_the_earliest_due_acts_first_and_work_is_read_committed(a_town: Town) -> None:
    first, *_ = await many(a_town, 1)
    a_town.clock.travel(timedelta(minutes=1))
    second = await opened(a_town, location={"lon": 116.16, "lat": 33.14})
    a_town.clock.travel(DUE)
    await a_town.services.deadlines.fire(1)
    assert "deadline_missed" in await events_of(a_town, first)
    assert "deadline_missed" not in await events_of(a_town, second)
    async with a_town.services.pool.acquire() as connection, connection.transaction():
        assert await connection.fetchval("SHOW transaction_isolation") == "read committed"
