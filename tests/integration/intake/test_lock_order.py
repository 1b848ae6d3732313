"""Keys, then neighbourhoods, then cases, each sorted: what holds under two replicas, and what broke without it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import pytest

from dispatch.domain.reports import Report
from dispatch.intake import commit as committing
from dispatch.intake import intake as counter
from dispatch.intake.commit import Incoming, commit
from dispatch.intake.desk import Desk
from tests.harness.town import CONNECTOR, PLACE, Town, report
from tests.integration.intake.conftest import Replica

Connect = Callable[[], Awaitable[asyncpg.Connection]]
Waiting = Callable[[int], Awaitable[None]]


@pytest.fixture
async def connect(city_url: str) -> AsyncIterator[Connect]:
    """More connections as the service's role; closed after the test."""
    made: list[asyncpg.Connection] = []

    async def connected() -> asyncpg.Connection:
        made.append(await asyncpg.connect(city_url, server_settings={"role": "dispatch_service", "timezone": "UTC"}))
        return made[-1]

    yield connected
    for connection in made:
        await connection.close()


@pytest.fixture
def waiting(a_town: Town) -> Waiting:
    """Returns as soon as so many transactions wait for a lock."""

    async def until(count: int) -> None:
        ours = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()"
        async with asyncio.timeout(30):  # nothing waits: the lock is gone
            while await a_town.value(ours) < count:
                await asyncio.sleep(0.01)

    return until


async def _desk(town: Town) -> Desk:
    at = town.services
    ids = await at.workplace.ids.reserve(case=16, report=16, text=16, assignment=64)
    return Desk(at.cities.current, at.keyring, at.clock, ids)


def _incoming(town: Town, **fields: Any) -> Incoming:
    return Incoming(town.services.intake.prepare(msgspec.convert(report(**fields), Report), CONNECTOR))


def _places(n: int) -> list[dict[str, float]]:
    return [{"lon": 116.16 + 0.005 * step, "lat": PLACE["lat"]} for step in range(n)]


@asynccontextmanager
async def _committed(
    town: Town, connection: asyncpg.Connection, *batch: Incoming, isolation: str = "read_committed"
) -> AsyncIterator[None]:
    """Takes a batch in; the transaction stays open until the block ends."""
    desk = await _desk(town)
    async with connection.transaction(isolation=isolation):  # type: ignore[arg-type]
        await commit(connection, desk, batch)
        yield


async def _take(
    town: Town, connection: asyncpg.Connection, *batch: Incoming, isolation: str = "read_committed"
) -> None:
    async with _committed(town, connection, *batch, isolation=isolation):
        pass


async def test_a_hundred_reports_of_one_matter_through_two_replicas_are_one_case(
    a_town: Town, replica: Replica
) -> None:
    made = [report(caller={"name": f"市民{n}", "phone": f"138{n:08d}"}) for n in range(100)]
    async with replica() as other:
        answers = await asyncio.gather(*((a_town, other)[n % 2].send(each) for n, each in enumerate(made)))
    assert {status for status, _ in answers} == {201}
    assert len({body["case_no"] for _, body in answers}) == 1
    counts = "SELECT (SELECT count(*) FROM cases), (SELECT people FROM cases), (SELECT count(*) FROM reports), (SELECT count(*) FROM case_people)"
    assert tuple((await a_town.rows(counts))[0]) == (1, 100, 100, 100)
    assert await a_town.value("SELECT count(*) = max(seq) AND max(seq) = (SELECT seq FROM cases) FROM case_events")


async def test_batches_that_meet_in_opposite_orders_all_get_through(
    a_town: Town, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "RETRIES", ())  # a deadlock would be seen as 503
    forth = [
        report(location=place, caller={"name": "市民", "phone": f"139{n:08d}"}) for n, place in enumerate(_places(30))
    ]
    async with replica() as other:
        for _ in range(3):
            answers = await asyncio.gather(
                *(a_town.send(made) for made in forth), *(other.send(made) for made in reversed(forth)),
                *(other.send(report(**{**made, "external_id": f"{made['external_id']}-{_}"})) for made in reversed(forth)),
            )  # fmt: skip
            assert {status for status, _ in answers} <= {200, 201}
    assert await a_town.value("SELECT count(*) FROM cases") == 30


@pytest.mark.parametrize("is_sorted", [True, False], ids=["sorted", "as they came"])
async def test_keys_are_taken_in_one_order(
    a_town: Town, connect: Connect, waiting: Waiting, monkeypatch: pytest.MonkeyPatch, is_sorted: bool
) -> None:
    if not is_sorted:
        monkeypatch.setattr(committing, "sorted", lambda values, key=None: list(values), raising=False)
    keys = ("a", "m", "z")
    middle, one, two = await connect(), await connect(), await connect()
    held = middle.transaction()
    await held.start()
    row = ("demo", "m", bytes(32), "R-held", 0, a_town.clock.at)
    await middle.execute(committing.SQL.take_keys, *([value] for value in row))
    forth, back = ([_incoming(a_town, external_id=key, kind="tipoff") for key in order] for order in (keys, keys[::-1]))
    takings = [
        asyncio.create_task(_take(a_town, connection, *batch)) for connection, batch in ((one, forth), (two, back))
    ]
    await waiting(2)
    await held.rollback()
    fates = await asyncio.gather(*takings, return_exceptions=True)
    deadlocks = [isinstance(fate, asyncpg.DeadlockDetectedError) for fate in fates]
    assert any(deadlocks) is not is_sorted


@pytest.mark.parametrize("is_sorted", [True, False], ids=["sorted", "as they came"])
async def test_neighbourhoods_are_taken_in_one_order(
    a_town: Town, connect: Connect, waiting: Waiting, is_sorted: bool
) -> None:
    middle, one, two = await connect(), await connect(), await connect()
    held = middle.transaction()
    await held.start()
    await middle.execute(committing.SQL.lock_neighbourhoods, [2000])

    async def lock(connection: asyncpg.Connection, order: list[int]) -> None:
        async with connection.transaction():
            await connection.execute(committing.SQL.lock_neighbourhoods, sorted(order) if is_sorted else order)

    lockings = [asyncio.create_task(lock(*each)) for each in ((one, [1000, 2000, 3000]), (two, [3000, 2000, 1000]))]
    await waiting(3 - is_sorted - (not is_sorted))
    await held.rollback()
    fates = await asyncio.gather(*lockings, return_exceptions=True)
    assert any(isinstance(fate, asyncpg.DeadlockDetectedError) for fate in fates) is not is_sorted


async def test_a_report_that_waited_for_its_neighbourhood_sees_what_was_decided_there(
    a_town: Town, connect: Connect, waiting: Waiting
) -> None:
    first, second = _incoming(a_town), _incoming(a_town)
    one, two = await connect(), await connect()
    async with _committed(a_town, one, first):
        later = asyncio.create_task(_take(a_town, two, second))
        await waiting(1)
    await later
    outcomes = [msgspec.json.decode(incoming.answer)["outcome"] for incoming in (first, second)]
    assert outcomes == ["opened", "attached"]


async def test_under_repeatable_read_it_would_not_see_it(a_town: Town, connect: Connect, waiting: Waiting) -> None:
    first, second = _incoming(a_town), _incoming(a_town)
    one, two = await connect(), await connect()
    async with _committed(a_town, one, first):
        later = asyncio.create_task(_take(a_town, two, second, isolation="repeatable_read"))
        await waiting(1)
    await later
    assert msgspec.json.decode(second.answer)["outcome"] == "opened"
    assert await a_town.value("SELECT count(*) FROM cases") == 2


@pytest.mark.parametrize("statements", [1, 2])
async def test_locking_and_searching_are_two_statements(
    a_town: Town, connect: Connect, waiting: Waiting, statements: int
) -> None:
    first = _incoming(a_town)
    one, two = await connect(), await connect()
    locks = list(getattr(first.item, "neighbourhoods"))  # noqa: B009

    async def search() -> int:
        async with two.transaction():
            if statements == 2:
                await two.execute(committing.SQL.lock_neighbourhoods, locks)
                return int(await two.fetchval("SELECT count(*) FROM cases"))
            both = (
                "WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(1179537, n) FROM unnest($1::integer[]) AS n)"
            )
            return int(
                await two.fetchval(
                    f"{both}, n AS MATERIALIZED (SELECT count(*) AS h FROM held) SELECT (SELECT count(*) FROM cases) FROM n WHERE h >= 0",
                    locks,
                )
            )

    async with _committed(a_town, one, first):
        searching = asyncio.create_task(search())
        await waiting(1)
    assert await searching == statements - 1
