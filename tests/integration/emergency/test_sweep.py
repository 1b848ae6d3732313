"""The sweep: in chunks, beside everything else, and nothing lost or done twice, whatever breaks it off."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from click.testing import CliRunner, Result

from dispatch.casework import raising, sweeping
from dispatch.casework.sweeping import Sweeper
from dispatch.city.archive import pack
from dispatch.cli import main
from dispatch.domain.errors import RuleBroken
from tests.harness.town import DEMO, KEYRING, Town, load_city, principal
from tests.integration.api.test_live import listening
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import COMMANDER, SUPERVISOR
from tests.integration.emergency.orders import REASON, audited, end, here, litter, looked_at, start, state_of

SNAPSHOTS_KEPT = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction' AND backend_xmin IS NOT NULL"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two cases, however long they take, without rest."""
    monkeypatch.setattr(sweeping, "CHUNK", 2)
    monkeypatch.setattr(sweeping, "HELD_S", 1e9)
    monkeypatch.setattr(sweeping, "AT_ONCE", 1)
    monkeypatch.setattr(sweeping, "REST", 0.0)


async def counts(town: Town, numbers: list[str], event: str) -> list[int]:
    return [(await events_of(town, number)).count(event) for number in numbers]


def killed_in_the_second_chunk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What a killed process leaves: the third case is not written any more, nor is anything of its chunk."""
    real, calls = getattr(raising, name), iter(range(10**6))

    def once(*given: Any) -> Any:
        if next(calls) == 3:
            raise asyncpg.InterfaceError("killed")
        return real(*given)

    monkeypatch.setattr(raising, name, once)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["lift", "lower"])
async def test_killed_in_the_middle_it_goes_on_and_does_nothing_twice(
    a_town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    numbers = [await litter(a_town, here(n)) for n in range(5)]
    made = await start(a_town, limits={"close": "4h"})
    event = "emergency_raised"
    if name == "lower":
        await a_town.sweep()
        await end(a_town, made["id"])
        event = "emergency_lowered"
    with monkeypatch.context() as patched:
        killed_in_the_second_chunk(patched, name)
        with pytest.raises(asyncpg.InterfaceError):
            await a_town.sweep()
    assert await counts(a_town, numbers, event) == [1, 1, 0, 0, 0]
    _, shown = await a_town.get(f"/emergencies/{made['id']}", COMMANDER)
    assert (shown["done"], shown["total"], shown["swept"]) == (2, 5, False)
    # Another process goes on where it was.
    assert await sweeper(a_town).run() == 3
    assert await counts(a_town, numbers, event) == [1] * 5
    _, shown = await a_town.get(f"/emergencies/{made['id']}", COMMANDER)
    assert (shown["done"], shown["total"], shown["swept"]) == (5, 5, True)
    await looked_at(a_town, {})


@pytest.mark.usefixtures("small")
async def test_nothing_of_the_past_is_kept_for_the_sake_of_a_sweep(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that stands for the whole sweep must hold no snapshot: what is deleted meanwhile could not be cleared away."""
    await litter(a_town, here(0))
    await start(a_town)
    real, kept = Sweeper.chunk, list[int]()

    async def chunk(self: Sweeper, id: int) -> int:
        # Somebody else's is there for a moment only; one of the sweep's own is there whenever one looks.
        kept.append(min([await a_town.value(SNAPSHOTS_KEPT) for _ in range(5)]))
        return await real(self, id)

    monkeypatch.setattr(Sweeper, "chunk", chunk)
    assert await a_town.sweep() == 1
    assert kept == [0, 0]


@pytest.mark.usefixtures("small")
async def test_a_case_that_somebody_works_on_is_not_lost(a_town: Town) -> None:
    numbers = [await litter(a_town, here(n)) for n in range(4)]
    made = await start(a_town)
    connection = await asyncpg.connect(a_town.database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM cases WHERE case_no = $1 FOR UPDATE", numbers[1])
            assert await a_town.sweep() == 3
            _, shown = await a_town.get(f"/emergencies/{made['id']}", COMMANDER)
            assert (shown["state"], shown["done"], shown["swept"]) == ("started", 3, False)
            assert await a_town.sweep() == 0
        assert await counts(a_town, numbers, "emergency_raised") == [1, 0, 1, 1]
        assert await a_town.sweep() == 1
        async with connection.transaction():
            await connection.execute("SELECT FROM cases WHERE case_no = $1 FOR UPDATE", numbers[0])
            await end(a_town, made["id"])
            assert await a_town.sweep() == 3
            assert (await state_of(a_town, numbers[0]))["urgency"] == "critical"
        assert await a_town.sweep() == 1
    finally:
        await connection.close()
    assert await counts(a_town, numbers, "emergency_raised") == [1] * 4
    assert {(await state_of(a_town, number))["urgency"] for number in numbers} == {"ordinary"}


@pytest.mark.usefixtures("small")
async def test_two_sweepers_are_safe_together(a_town: Town) -> None:
    numbers = [await litter(a_town, here(n)) for n in range(5)]
    made = await start(a_town)
    one, two = sweeper(a_town), sweeper(a_town)
    assert sorted(await asyncio.gather(one.run(), two.run())) == [0, 5]
    # Even chunk beside chunk nothing is done twice.
    await end(a_town, made["id"])
    swept = 0
    while count := sum(await asyncio.gather(one.chunk(made["id"]), two.chunk(made["id"]))):
        swept += count
    assert swept == 5
    assert await counts(a_town, numbers, "emergency_raised") == [1] * 5
    assert await counts(a_town, numbers, "emergency_lowered") == [1] * 5


async def test_a_case_that_cannot_be_written_is_passed_over_and_its_neighbours_are_swept(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [await litter(a_town, here(n)) for n in range(3)]
    made = await start(a_town)
    real = raising.lift

    def lift(change: Any, *given: Any) -> str:
        if change.case.case_no == numbers[1]:
            raise RuleBroken(problem="no policy gives a limit")
        return real(change, *given)

    monkeypatch.setattr(raising, "lift", lift)
    assert await a_town.sweep() == 3
    assert [(await state_of(a_town, number))["urgency"] for number in numbers] == ["critical", "ordinary", "critical"]
    _, shown = await a_town.get(f"/emergencies/{made['id']}", COMMANDER)
    assert shown["swept"]


@pytest.mark.usefixtures("small")
async def test_units_are_told_once_a_pass_and_of_a_restricted_case_alone(a_town: Town) -> None:
    numbers = [await litter(a_town, here(n)) for n in range(3)]
    secret = await litter(a_town, here(4), kind="tipoff")
    made = await start(a_town)
    await a_town.sweep()
    told = await a_town.rows(
        "SELECT n.subject, n.body::text AS body, c.case_no, n.medium, n.recipient FROM notices n LEFT JOIN cases c ON c.id = n.case_id"
        " WHERE n.topic = 'emergency_raised'"
    )
    units = {(await state_of(a_town, number))["owner_unit"] for number in numbers}
    together = [row for row in told if row["subject"]]
    assert len({row["recipient"] for row in together}) == len(together)
    assert {row["subject"] for row in together} == {f"emergency:{made['id']}:2"}
    assert sum(msgspec.json.decode(row["body"])["cases"] for row in together) == len(numbers)
    assert len(together) == len(units)
    assert {row["case_no"] for row in told if not row["subject"]} == {secret}
    assert not any(REASON in row["body"] for row in told)
    await end(a_town, made["id"])
    await a_town.sweep()
    again = await a_town.rows(
        "SELECT body::text AS body FROM notices WHERE topic = 'emergency_lowered' AND subject IS NOT NULL"
    )
    assert [msgspec.json.decode(row["body"])["cases"] for row in again] == [
        msgspec.json.decode(row["body"])["cases"] for row in together
    ]


async def test_screens_see_it_begin_move_on_and_end(a_town: Town) -> None:
    await litter(a_town, here(0))
    async with listening(a_town, feeds=("city",)) as (ws, _):
        made = await start(a_town, areas=["990101"])
        await a_town.sweep()
        await end(a_town, made["id"])
        await a_town.sweep()
        seen = [await ws.receive_json(timeout=10) for _ in range(6)]
    assert {frame["type"] for frame in seen} == {"emergency"}
    assert [(frame["state"], frame["done"], frame["total"]) for frame in seen] == [
        ("started", 0, 1), ("started", 1, 1), ("swept", 1, 1), ("ended", 0, 1), ("ended", 1, 1), ("ended", 1, 1),
    ]  # fmt: skip
    assert {(f["id"], f["urgency"], *f["categories"], *f["areas"]) for f in seen} == {
        (made["id"], "critical", "E01", "990101")
    }
    assert not any("reason" in frame for frame in seen)


async def test_a_snapshot_names_what_is_in_force(a_town: Town) -> None:
    handler = principal("handler", "drainage")
    assert (await a_town.get("/snapshot", handler))[1]["emergencies"] == []
    made = await start(a_town, expected_end="2026-11-19T18:00:00+08:00")
    (shown,) = (await a_town.get("/snapshot", handler))[1]["emergencies"]
    assert (shown["id"], shown["state"], "reason" in shown) == (made["id"], "started", False)
    assert (await a_town.get("/emergencies", SUPERVISOR))[1]["items"][0]["reason"] == REASON
    await end(a_town, made["id"])
    assert (await a_town.get("/snapshot", handler))[1]["emergencies"] == []
    assert (await a_town.get("/emergencies?active=false", SUPERVISOR))[1]["items"][0]["state"] == "ended"


async def test_a_later_chunk_reads_clocks_of_their_own_start(a_town: Town) -> None:
    number = await litter(a_town, here(0))
    (before,) = await clocks_of(a_town, number, "close")
    await start(a_town, limits={"close": "1h"})
    await a_town.sweep()
    (after,) = await clocks_of(a_town, number, "close")
    assert (after["started_at"], after["id"]) == (before["started_at"], before["id"])


async def test_a_city_that_is_loaded_meanwhile_changes_nothing_about_it(a_town: Town, tmp_path: Path) -> None:
    made = await start(a_town, areas=["990101"])
    shutil.copytree(DEMO, tmp_path / "city")
    settings = tmp_path / "city" / "city.toml"
    settings.write_text(settings.read_text("utf-8").replace("max_returns = 2", "max_returns = 3") + "\n", "utf-8")
    await load_city(a_town.database_url, pack(tmp_path / "city"))
    number = await litter(a_town, here(0))
    case = await state_of(a_town, number)
    assert (case["city_version"], case["urgency"]) == (2, "critical")
    await end(a_town, made["id"])
    assert (await state_of(a_town, await litter(a_town, here(2))))["urgency"] == "ordinary"


@pytest.mark.parametrize("command", ["start", "end"])
async def test_at_the_command_line_it_is_shown_first_then_ordered_and_swept(a_town: Town, command: str) -> None:
    number = await litter(a_town, here(0))
    await a_town.services.people.accounts.create("test", "commander9", "city", ["commander"], "")
    await a_town.services.people.accounts.create("test", "handler9", "city", ["handler"], "")
    order = ["start", "--category", "E01", "--area", "990101", "--limit", "close=4h", "--reason", REASON]
    if command == "end":
        order = ["end", str((await start(a_town))["id"])]
        await a_town.sweep()
    before = (await state_of(a_town, number))["urgency"]
    dry = await invoked(a_town, *order, "--by", "commander9", "--dry-run")
    assert "1 open cases would change" in dry.output, dry.output
    assert number in dry.output
    assert (await state_of(a_town, number))["urgency"] == before
    refused = await invoked(a_town, *order, "--by", "handler9", "--yes")
    assert (refused.exit_code, "emergency.manage" in refused.output) == (1, True), refused.output
    done = await invoked(a_town, *order, "--by", "commander9", "--yes")
    assert "1 open cases swept" in done.output, done.output
    assert (await state_of(a_town, number))["urgency"] == ("critical" if command == "start" else "ordinary")
    shown = await invoked(a_town, "show", *order[1:2] * (command == "end"))
    assert REASON[:4] in shown.output, shown.output
    assert ("commander9", f"emergency.{command}") in [(actor, action) for actor, action, _ in await audited(a_town)]


async def invoked(town: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_URL": town.database_url, "DISPATCH_KEYRING": KEYRING.to_json(), "COLUMNS": "200"}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["emergency", *arguments], env=env))


def sweeper(town: Town) -> Sweeper:
    """One of another process."""
    at = town.services
    return Sweeper(at.pool, at.cities, KEYRING, at.clock, lambda: None)
