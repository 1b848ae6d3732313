"""Figures are kept as cases change, and are what the events say, whatever happened, in whatever order, and whoever crashed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from dispatch.indicators.keeping import SQL, Upkeep, count_changed, name_forgotten
from dispatch.indicators.rules import Rulebook
from dispatch.live.relay import Relay
from tests.harness.town import Town, report, town
from tests.integration.casework.bodies import BODY, EXPLAINED
from tests.integration.casework.people import CITIZEN, DISPATCHER, REVIEWER, SUPERVISOR, WHO
from tests.integration.casework.walks import HELD, ROUTED, UNCLEAR, body_of, brought, elsewhere, opened
from tests.integration.indicators.keeping import compared, counted, figures, of, remade

KEPT = """
    SELECT dimension, indicator, day, key, numerator, denominator, excluded FROM figures
    WHERE numerator + denominator + excluded > 0 ORDER BY 1, 2, 3, 4"""
COUNTING = "UPDATE figures_upkeep SET not_before = 'epoch', seen = (SELECT last_value FROM figures_due_id_seq), seen_at = clock_timestamp()"


async def test_what_is_kept_is_what_the_events_say_after_every_kind_of_step(a_town: Town) -> None:
    for nth, state in enumerate((*HELD, *UNCLEAR, *ROUTED)):
        await brought(a_town, state, location=elsewhere())
        if nth % 5 == 0:
            await counted(a_town)
    a_town.clock.travel(timedelta(days=40))
    await a_town.fire()
    await counted(a_town)
    found = await compared(a_town)
    assert (found.differences, found.waiting, found.incomplete) == ([], 0, 0)
    assert found.cases == await a_town.value("SELECT count(*) FROM cases")
    before = await a_town.rows(KEPT)
    assert (await remade(a_town)).differences == []
    assert before == await a_town.rows(KEPT)
    assert len(before) > 300


class BetweenTwoLooks:
    """A connection on which something happens between the look at the list and the look at what waits for the relay."""

    def __init__(self, connection: Any, happens: Callable[[], Awaitable[Any]]) -> None:
        self._connection, self._happens = connection, happens

    async def fetch(self, statement: str, *values: Any) -> Any:
        if statement == SQL.unsent:
            await self._happens()
        return await self._connection.fetch(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_what_the_relay_sends_between_two_looks_is_counted_all_the_same(a_town: Town) -> None:
    await counted(a_town)
    async with a_town._owner() as relays, a_town._owner() as connection:
        waiting = relays.transaction()
        await waiting.start()
        await relays.execute("SELECT pg_advisory_xact_lock(hashtext('dispatch.live.relay'))")
        await opened(a_town)

        async def sends() -> None:
            await waiting.rollback()
            while await a_town.value("SELECT count(*) FROM outbox"):
                await a_town.services.relay.once()

        async with connection.transaction():
            await connection.execute(SQL.hold_waiting)
            between: Any = BetweenTwoLooks(connection, sends)
            assert await count_changed(between, a_town.services.upkeep._book, 50) == 1
    assert (await compared(a_town)).waiting == 0


async def test_a_case_is_counted_once_however_often_it_changes(a_town: Town) -> None:
    number = await opened(a_town, caller=CITIZEN)
    assert of((await figures(a_town))["in"]) == (1, None)
    assert of((await figures(a_town, "unit", "drainage"))["on_time_sign"]) == (0, 0)
    for action in ("sign", "contact", "reply"):
        status, answer = await a_town.act(number, action, WHO[action], **BODY[action])
        assert status == 200, answer
        found = await figures(a_town, "unit", "drainage")
        assert of(found["tasks_in"]) == (1, None)
    assert of(found["on_time_sign"]) == of(found["on_time_contact"]) == of(found["on_time_reply"]) == (1, 1)
    assert (found["time_sign"]["denominator"], found["tasks_open"]["value"]) == (1, 0)
    assert of((await figures(a_town))["closure_rate"]) == (0, 1)
    assert (await a_town.act(number, "approve", WHO["approve"]))[0] == 200
    assert (await a_town.act(number, "close", WHO["close"], **EXPLAINED))[0] == 200
    found = await figures(a_town)
    assert of(found["closure_rate"]) == (1, 1)
    assert of(found["solved_of_closed"]) == (0, 1)
    assert (found["open"]["value"], found["in"]["value"], found["out"]["value"]) == (0, 1, 1)


async def test_a_return_and_a_second_dispatch_show_with_the_units_that_they_concern(a_town: Town) -> None:
    number = await brought(a_town, "returned")
    assert (await a_town.act(number, "dispatch", DISPATCHER, unit="gas"))[0] == 200
    drainage, other = await figures(a_town, "unit", "drainage"), await figures(a_town, "unit", "gas")
    assert (of(drainage["return_rate"]), of(other["return_rate"])) == ((1, 1), (0, 1))
    assert of(drainage["first_dispatch_accuracy"]) == (0, 1)
    whole = await figures(a_town)
    assert (of(whole["return_rate"]), of(whole["hops"])) == ((1, 2), (2, 1))
    assert (await compared(a_town)).differences == []


async def test_a_limit_that_ran_out_counts_for_the_day_on_which_it_was_due(a_town: Town) -> None:
    await opened(a_town)
    due = await a_town.value("SELECT due_at FROM deadlines WHERE clock = 'sign' AND unit = 'drainage'")
    a_town.clock.travel(timedelta(days=9))
    await a_town.fire()
    await counted(a_town)
    day = due.astimezone(a_town.services.cities.current.tz).date()
    kept = await a_town.rows(
        "SELECT day, numerator, denominator FROM figures WHERE indicator = 'on_time_sign' AND key = 'drainage'"
    )
    assert [tuple(row) for row in kept] == [(day, 0, 1)]


async def test_merging_and_taking_it_back_leave_nothing_behind(a_town: Town) -> None:
    number = await opened(a_town)
    body = await body_of(a_town, number, "merge")
    before = await figures(a_town)
    assert (await a_town.act(number, "merge", DISPATCHER, **body))[0] == 200
    merged = await figures(a_town)
    assert (before["open"]["value"], merged["open"]["value"]) == (2, 1)
    assert (await a_town.act(number, "unmerge", SUPERVISOR, **BODY["unmerge"]))[0] == 200
    assert (await figures(a_town))["open"]["value"] == 2
    assert (await compared(a_town)).differences == []


async def test_direct_answers_and_site_checks_are_counted(a_town: Town) -> None:
    await brought(a_town, "answered", location=elsewhere())
    await brought(a_town, "verifying", location=elsewhere())
    found = await figures(a_town)
    assert of(found["direct_answer_rate"]) == (1, 2)
    assert (of(found["repeat_visit_rate"]), of(found["visits_spared_rate"])) == ((0, 1), (0, 1))


async def test_whoever_crashes_while_counting_has_counted_nothing(a_town: Town) -> None:
    await opened(a_town)
    with pytest.raises(ConnectionError):
        await _count_and_crash(a_town)
    assert of((await figures(a_town))["in"]) == (1, None)
    found = await compared(a_town)
    assert (found.differences, found.waiting) == ([], 0)


async def _count_and_crash(town: Town) -> None:
    async with town.services.pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.hold_waiting)
        await count_changed(connection, Rulebook(town.services.cities), 100)
        raise ConnectionError


async def test_a_case_that_is_being_counted_can_be_worked_on_and_its_limits_act(a_town: Town) -> None:
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
        number = await opened(a_town)
        assert await count_changed(connection, Rulebook(a_town.services.cities), 100) > 0
        assert await connection.fetchval("SELECT count(*) FROM case_figures") == 1
        a_town.clock.travel(timedelta(minutes=5))
        assert (await a_town.act(number, "sign", WHO["sign"]))[0] == 200
        a_town.clock.travel(timedelta(days=9))
        assert await a_town.fire() > 0
    await counted(a_town)
    assert (await compared(a_town)).differences == []


async def test_many_who_count_at_once_count_everything_once(a_town: Town) -> None:
    pool, book = a_town.services.pool, Rulebook(a_town.services.cities)
    several = [Upkeep(pool, book, chunk=1) for _ in range(3)]

    async def report_and_sign() -> None:
        for _ in range(6):
            _, answer = await a_town.send(report(location=elsewhere()))
            await a_town.act(answer["case_no"], "sign", WHO["sign"])
            await asyncio.gather(*(each.once() for each in several))

    await asyncio.gather(report_and_sign(), *(each.catch_up() for each in several))
    await counted(a_town)
    found = await compared(a_town)
    assert (found.differences, found.waiting, found.cases) == ([], 0, 6)
    assert of((await figures(a_town, "unit", "drainage"))["on_time_sign"]) == (6, 6)


async def test_one_at_a_time_counts_and_the_others_leave_it_to_that_one(a_town: Town) -> None:
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
        await opened(a_town)
        assert await a_town.services.upkeep.once() > 0
        assert await a_town.value("SELECT count(*) FROM figures") == 0
    assert of((await figures(a_town))["in"]) == (1, None)


async def test_while_much_happens_counting_rests_and_goes_on_afterwards(a_town: Town) -> None:
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute(COUNTING)
        await connection.execute("INSERT INTO figures_due (case_id) SELECT -1 FROM generate_series(1, 500)")
        await connection.execute("INSERT INTO figures_due (case_id) VALUES (-2)")
    upkeep = Upkeep(a_town.services.pool, Rulebook(a_town.services.cities), chunk=499)
    waits = [await upkeep.once() for _ in range(2)]
    # Whoever came first, this one or the service's own, rests; so nobody counts, and what waits still waits.
    assert all(wait > 0 for wait in waits)
    assert await a_town.value("SELECT not_before > clock_timestamp() - interval '1 hour' FROM figures_upkeep")
    assert await counted(a_town) >= 0
    assert await a_town.value("SELECT count(*) FROM figures_due") == 0


async def test_what_was_sent_is_named_and_what_cannot_be_sent_is_counted_all_the_same(city_url: str) -> None:
    async with town(city_url, None, loaded=True) as without_redis:
        number = await opened(without_redis)
        assert of((await figures(without_redis))["in"]) == (1, None)
        assert await without_redis.value("SELECT count(*) FROM outbox WHERE case_id > 0") > 0
        async with without_redis._owner() as connection, connection.transaction():
            await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
            assert (await without_redis.act(number, "sign", WHO["sign"]))[0] == 200
            # History is dropped for a new epoch: the messages are gone, and no figure with them.
            while await without_redis.value("SELECT count(*) FROM outbox"):
                await Relay(without_redis.services.pool, None, backlog=0).once()
            assert await without_redis.value("SELECT count(*) FROM figures_due") > 0
        assert of((await figures(without_redis, "unit", "drainage"))["on_time_sign"]) == (1, 1)


async def test_what_the_relay_sends_it_names_in_the_same_transaction(a_town: Town) -> None:
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
        await opened(a_town)
        while await a_town.value("SELECT count(*) FROM outbox"):
            await a_town.services.relay.once()
        case = await a_town.value("SELECT id FROM cases")
        assert case in [row["case_id"] for row in await a_town.rows("SELECT case_id FROM figures_due")]


async def test_what_nobody_named_is_found_by_the_daily_look(a_town: Town) -> None:
    number = await opened(a_town)
    await counted(a_town)
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
        assert (await a_town.act(number, "sign", WHO["sign"]))[0] == 200
        while await a_town.value("SELECT count(*) FROM outbox"):
            await a_town.services.relay.once()
        await a_town.rows("DELETE FROM figures_due")  # as if a relay had sent it without naming it
    assert of((await figures(a_town, "unit", "drainage"))["on_time_sign"]) == (0, 0)
    async with a_town._owner() as owner:
        await name_forgotten(owner)
    assert of((await figures(a_town, "unit", "drainage"))["on_time_sign"]) == (1, 1)


async def test_what_is_not_counted_yet_is_waiting_and_no_difference(a_town: Town) -> None:
    number = await brought(a_town, "review")
    await counted(a_town)
    async with a_town._owner() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM figures_upkeep FOR UPDATE")
        assert (await a_town.act(number, "approve", REVIEWER))[0] == 200
        found = await compared(a_town)
        assert (found.differences, found.waiting) == ([], 1)
    await counted(a_town)
    assert (await compared(a_town)).waiting == 0


async def test_the_schema_refuses_a_rate_above_one(a_town: Town) -> None:
    await opened(a_town)
    await counted(a_town)
    for change in ("denominator = 0, numerator = 1", "numerator = -1", "excluded_numerator = 1"):
        with pytest.raises(Exception, match="violates check constraint"):
            await a_town.rows(f"UPDATE figures SET {change} WHERE indicator = 'closure'")
