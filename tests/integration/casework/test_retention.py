"""What is past its period is erased, by the retention role alone; the record of what happened stays and verifies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result

from dispatch.audit import chain
from dispatch.casework import holds, retention
from dispatch.casework.actions import Workplace
from dispatch.city.model import Retention
from dispatch.cli import main
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.intake.models import Keeper
from dispatch.people import vault
from dispatch.store.pool import Sequences, open_pool
from tests.harness.town import KEYRING, Town, report
from tests.integration.audit.test_rebuild import rebuilt
from tests.integration.casework.always import examine
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import CITIZEN, HEAD, OPERATOR, SUPERVISOR
from tests.integration.casework.walks import appealed, brought, elsewhere, opened

YEARS = timedelta(days=37 * 31)
OTHER = {"name": "李四", "phone": "13987654321"}
TABLES = (
    "cases", "texts", "case_keys", "case_signatures", "case_runs", "case_people", "callers", "reports", "notices", "action_keys", "case_events",
    "access_log", "retention_runs",
)  # fmt: skip

WAITING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


@asynccontextmanager
async def keeper(town: Town) -> AsyncIterator[Workplace]:
    """Whoever works as the retention role."""
    pool = await open_pool(town.database_url, size=2, role=retention.ROLE)
    try:
        yield Workplace(pool, town.services.cities, KEYRING, town.clock, Sequences(pool), Keeper())
    finally:
        await pool.close()


async def counts(town: Town) -> dict[str, int]:
    return {name: await town.value(f"SELECT count(*) FROM {name}") for name in TABLES}


async def has_words(town: Town, number: str) -> bool:
    _, case = await town.get(f"/cases/{number}", SUPERVISOR)
    return bool(case["texts"])


async def command(town: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_OWNER_URL": town.database_url, "DISPATCH_KEYRING": KEYRING.to_json()}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["retention", *arguments], env=env))


async def test_a_case_of_three_years_ago_keeps_its_record_and_nothing_of_its_people(a_town: Town) -> None:
    old = await brought(a_town, "closed", about={"object": "荷花池路口路灯杆"})
    assert await a_town.value("SELECT object FROM cases WHERE case_no = $1", old) is not None
    another = await brought(a_town, "closed", caller=OTHER, location=elsewhere())
    still = await brought(a_town, "handling", caller=OTHER, location=elsewhere())
    people = await a_town.value("SELECT people FROM cases WHERE case_no = $1", old)
    a_town.clock.travel(YEARS)
    async with keeper(a_town) as at:
        erased = await retention.run(at)
    assert (erased.words, erased.callers) == (2, 1)
    assert [await has_words(a_town, number) for number in (old, another, still)] == [False, False, True]
    led_to = await a_town.rows("SELECT DISTINCT case_no FROM case_runs JOIN cases ON cases.id = case_id")
    assert [row["case_no"] for row in led_to] == [still]
    # Whoever of the other case has an open one is known there still.
    numbers = {row["phone"] for row in await a_town.rows("SELECT phone FROM callers WHERE phone IS NOT NULL")}
    assert numbers == {vault.phone_hash(KEYRING, OTHER["phone"])}
    (gone,) = await a_town.rows("SELECT sealed, nonce FROM callers WHERE phone IS NULL")
    assert (gone["sealed"], gone["nonce"]) == (b"", b"")
    _, case = await a_town.get(f"/cases/{old}", SUPERVISOR)
    assert [each["caller"] for each in case["reports"]] == [None]
    assert (await a_town.get("/cases?q=路口积水", SUPERVISOR))[1]["items"][-1]["case_no"] == still
    assert await a_town.value("SELECT people FROM cases WHERE case_no = $1", old) == people
    assert await a_town.value("SELECT object FROM cases WHERE case_no = $1", old) is None
    # What happened stays: one event more, a chain that holds, and tables that the events make again.
    assert (await events_of(a_town, old))[-2:] == ["closed", "redacted"]
    _, record = await a_town.get(f"/cases/{old}/events?limit=200", SUPERVISOR)
    version = a_town.services.cities.current.version
    assert record["items"][-1]["data"] | {"state": 0, "owner_unit": 0} == {
        "what": ["words", "callers"], "period": 36, "policy": version, "state": 0, "owner_unit": 0,
    }  # fmt: skip
    verdict = await chain.verify(a_town.services.pool, KEYRING)
    assert (verdict.cases, verdict.faults) == (3, [])
    found = await rebuilt(a_town)
    assert (found.redacted, found.differences, found.incomplete) == (2, [], 0)
    async with a_town._owner() as connection:
        await examine(connection, {})


async def test_the_same_person_is_somebody_new_after_it(a_town: Town) -> None:
    await brought(a_town, "closed")
    a_town.clock.travel(YEARS)
    async with keeper(a_town) as at:
        await retention.run(at)
    a_town.clock.travel(-YEARS)  # there are partitions for that month
    _, answer = await a_town.send(report(caller=CITIZEN))
    assert answer["outcome"] == "opened"
    body = {"phone": CITIZEN["phone"], "name": CITIZEN["name"], "purpose": "接听来电"}
    url = f"{a_town.url}/api/v1/callers/lookup"
    async with a_town.http.post(url, json=body, headers=a_town.acts_as(OPERATOR)) as answered:
        known = await answered.json()
    assert (known["persons"], [each["case_no"] for each in known["history"]]) == (1, [answer["case_no"]])


async def test_what_is_open_appealed_about_or_held_stays(a_town: Town) -> None:
    waiting = await appealed(a_town, "closed")
    kept, past = [await brought(a_town, "closed", location=elsewhere()) for _ in range(2)]
    going = await brought(a_town, "handling", location=elsewhere())
    async with keeper(a_town) as at:
        await holds.place(at, kept, "法院调取证据", "archivist")
        with pytest.raises(RuleBroken):
            await holds.place(at, kept, "再次保全", "archivist")
        a_town.clock.travel(YEARS)
        assert (await retention.run(at)).words == 1
        assert [await has_words(a_town, n) for n in (waiting, kept, past, going)] == [True, True, False, True]
        (held,) = await holds.listed(at)
        assert (held.case_no, held.placed_by, held.reason) == (kept, "archivist", "法院调取证据")
        await holds.release(at, kept, "archivist")
        with pytest.raises(NotFound):
            await holds.release(at, kept, "archivist")
        assert (await retention.run(at)).words == 1
        with pytest.raises(RuleBroken):
            await holds.place(at, kept, "太晚了", "archivist")
    assert (await events_of(a_town, kept))[-3:] == ["hold_placed", "hold_released", "redacted"]
    assert "法院" not in str(await a_town.rows("SELECT convert_from(body, 'UTF8') FROM case_events"))


async def test_what_is_held_in_the_moment_in_which_it_would_be_erased_stays(a_town: Town) -> None:
    kept, past = [await brought(a_town, "closed", location=elsewhere()) for _ in range(2)]
    a_town.clock.travel(YEARS)
    async with keeper(a_town) as at, a_town._owner() as connection:
        async with connection.transaction():
            await connection.execute("SELECT FROM cases WHERE case_no = $1 FOR UPDATE", kept)
            running = asyncio.create_task(retention.run(at))
            while not await a_town.value(WAITING):
                await asyncio.sleep(0.01)
            await connection.execute(
                "INSERT INTO legal_holds (case_id, text_id, placed_by, placed_at) SELECT c.id, min(t.id), 'archivist', $2"
                " FROM cases c JOIN texts t ON t.case_id = c.id WHERE c.case_no = $1 GROUP BY c.id",
                kept,
                a_town.clock.at,
            )
        assert (await running).words == 1
    assert [await has_words(a_town, n) for n in (kept, past)] == [True, False]


async def test_the_database_keeps_the_words_of_what_is_open_appealed_about_or_held(a_town: Town) -> None:
    waiting = await appealed(a_town, "closed")
    going, kept = (
        await brought(a_town, "handling", location=elsewhere()),
        await brought(a_town, "closed", location=elsewhere()),
    )
    async with keeper(a_town) as at:
        await holds.place(at, kept, "法院调取证据", "archivist")
        for number in (waiting, going, kept):
            for table in ("case_keys", "case_signatures"):
                with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                    await at.pool.execute(
                        f"DELETE FROM {table} WHERE case_id = (SELECT id FROM cases WHERE case_no = $1)", number
                    )


async def test_a_dry_run_changes_nothing(a_town: Town) -> None:
    await brought(a_town, "closed")
    a_town.clock.travel(YEARS)
    before = await counts(a_town)
    async with keeper(a_town) as at:
        due = await retention.due(at.pool, at.cities.current.retention, a_town.clock.at)
    assert (due.words, due.notices > 0) == (1, True)
    assert await counts(a_town) == before


async def test_a_run_that_was_broken_off_goes_on_where_it_stopped(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CASES", 1)
    numbers = [await brought(a_town, "closed", location=elsewhere()) for _ in range(3)]
    a_town.clock.travel(YEARS)

    def broken(erased: int) -> None:
        raise ConnectionError

    async with keeper(a_town) as at:
        with pytest.raises(ConnectionError):
            await retention.run(at, done=broken)
        assert [await has_words(a_town, number) for number in numbers] == [False, True, True]
        heard: list[int] = []
        assert (await retention.run(at, done=heard.append)).words == 2
        assert heard[:2] == [1, 1]
        assert (await retention.run(at)).words == 0
    assert [(await events_of(a_town, number)).count("redacted") for number in numbers] == [1, 1, 1]
    lines = await a_town.rows("SELECT erased, months FROM retention_runs WHERE what = 'words'")
    assert [(line["erased"], line["months"]) for line in lines] == [(1, 36)] * 3


async def test_notices_and_first_answers_go_after_their_time_but_not_what_must_be_sent(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "reply", HEAD, key="k1", **BODY["reply"]))[0] == 200
    await a_town.rows(
        "INSERT INTO notices (case_id, event_seq, recipient, medium, topic, body, created_at, next_at) "
        "SELECT id, 1, 'webhook:x', 'webhook', 't', '{}', $1, $1::timestamptz + interval '900 days' FROM cases",
        a_town.clock.at,  # tried again later than this test looks: the service sends too
    )
    a_town.clock.travel(timedelta(days=13 * 31))
    async with keeper(a_town) as at:
        erased = await retention.run(at)
    assert (erased.rows["notices"] > 0, erased.rows["action_keys"], erased.words) == (True, 1, 0)
    assert [row["medium"] for row in await a_town.rows("SELECT medium FROM notices")] == ["webhook"]
    lines = {row["what"]: row["erased"] for row in await a_town.rows("SELECT what, erased FROM retention_runs")}
    assert lines == {what: count for what, count in erased.rows.items() if count}


async def month_of(town: Town, ago: int, action: str) -> Any:
    """A month of the access log so many months before the server's own time, with one line."""
    month = await town.value("SELECT date_trunc('month', now() - make_interval(months => $1))::date", ago)
    await town.rows("SELECT make_partitions($1, 0)", month)
    await town.rows(
        "INSERT INTO access_log (recorded_at, actor, action, subject) VALUES ($1::date::timestamp AT TIME ZONE 'UTC', 'a', $2, 's')",
        month,
        action,
    )
    return month


async def test_the_access_log_is_never_cut_short_of_what_the_law_asks(a_town: Town) -> None:
    recent = await month_of(a_town, 4, "text.unmask")
    half = await month_of(a_town, 8, "text.unmask")
    handed = await month_of(a_town, 10, "provide.court")
    long_ago = await month_of(a_town, 40, "provide.court")
    drop = "SELECT drop_access_log($1, $2)"
    async with keeper(a_town) as at:
        for month, constraint in (
            (recent, "access_log_is_kept_six_months"),
            (handed, "records_of_handing_over_are_kept_three_years"),
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError) as kept:
                await at.pool.execute(drop, month, 1)
            assert kept.value.constraint_name == constraint
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await at.pool.execute(drop, half, 12)  # the city's own period is longer
        assert await at.pool.fetchval(drop, half, 6) == 1
        object.__setattr__(at.cities.current, "retention", Retention(access_log=6))
        try:
            a_town.clock.at = await a_town.value("SELECT now()")
            erased = await retention.run(at)
        finally:
            object.__setattr__(at.cities.current, "retention", Retention())
    assert (erased.access_log, erased.kept) == ([long_ago], {handed: "records_of_handing_over_are_kept_three_years"})
    lines = await a_town.rows("SELECT subject, erased FROM retention_runs WHERE what = 'access_log' ORDER BY id")
    assert [(row["subject"], row["erased"]) for row in lines] == [
        (f"access_log_{half:%Y_%m}", 1), (f"access_log_{long_ago:%Y_%m}", 1),
    ]  # fmt: skip
    assert await a_town.value("SELECT count(*) FROM access_log WHERE actor = 'a'") == 2


async def test_the_service_may_do_nothing_of_this(a_town: Town) -> None:
    await brought(a_town, "closed")
    month = await month_of(a_town, 40, "text.unmask")
    before = await counts(a_town)
    forbidden: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("DELETE FROM case_keys", ()),
        ("DELETE FROM case_signatures", ()),
        ("UPDATE reports SET caller_id = NULL", ()),
        ("DELETE FROM callers", ()),
        ("DELETE FROM texts", ()),
        ("DELETE FROM notices", ()),
        ("DELETE FROM quarantine", ()),
        ("DELETE FROM access_log", ()),
        ("DELETE FROM case_events", ()),
        ("SELECT drop_access_log($1, 6)", (month,)),
        (f"DROP TABLE access_log_{month:%Y_%m}", ()),
        ("SELECT * FROM legal_holds", ()),
        ("INSERT INTO retention_runs (at, what, erased, months) VALUES (now(), 'words', 0, 1)", ()),
        ("SET ROLE dispatch_retention", ()),
    )
    login = await a_town.value("SELECT 'plain_' || replace(gen_random_uuid()::text, '-', '')")
    await a_town.rows(f"CREATE ROLE {login} LOGIN PASSWORD 'x' IN ROLE dispatch_service")
    connection = await asyncpg.connect(a_town.database_url, user=login, password="x")
    try:
        for statement, values in forbidden:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(statement, *values)
    finally:
        await connection.close()
        await a_town.rows(f"DROP ROLE {login}")
    assert await counts(a_town) == before
    # Nor may the retention role bend the record.
    async with keeper(a_town) as at:
        for statement in (
            "UPDATE case_events SET actor = 'x'",
            "DELETE FROM case_events",
            "DELETE FROM retention_runs",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await at.pool.execute(statement)


async def test_a_secret_in_an_open_case_is_still_destroyed_by_the_service(a_town: Town) -> None:
    number = await opened(a_town)
    assert await a_town.value("SELECT count(*) FROM case_runs") > 0
    assert (await a_town.act(number, "expunge", OPERATOR, **BODY["expunge"]))[0] == 200
    assert not await has_words(a_town, number)
    assert await a_town.value("SELECT count(*) FROM case_runs") == 0


async def test_the_command_shows_holds_and_erases(a_town: Town) -> None:
    old, kept = [await brought(a_town, "closed", location=elsewhere()) for _ in range(2)]
    await a_town.rows("UPDATE cases SET closed_at = now() - interval '40 months'")
    await a_town.rows("UPDATE cases SET last_event_at = least(last_event_at, now())")
    held = await command(a_town, "hold", kept, "--reason", "法院调取证据", "--by", "archivist")
    assert held.exit_code == 0, held.output
    before = await counts(a_town)
    dry = await command(a_town, "run", "--dry-run")
    assert (dry.exit_code, "words" in dry.output) == (0, True), dry.output
    assert await counts(a_town) == before
    shown = await command(a_town, "show")
    assert (shown.exit_code, kept in shown.output, "法院调取证据" in shown.output) == (0, True, True), shown.output
    done = await command(a_town, "run")
    assert (done.exit_code, "words of 1 cases" in done.output) == (0, True), done.output
    assert [await has_words(a_town, number) for number in (old, kept)] == [False, True]
    assert "words\t-\t1" in (await command(a_town, "show")).output
    assert (await command(a_town, "release", kept)).exit_code == 0
    refused = await command(a_town, "release", kept)
    assert (refused.exit_code, "Error" in refused.output) == (1, True)
    assert (await command(a_town, "hold", "none", "--reason", "x")).exit_code == 1
