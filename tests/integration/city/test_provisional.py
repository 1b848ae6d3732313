"""A year's notice arrives: deadlines that end in that year are settled, exactly those, and nothing of it is done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from dispatch.casework import provisional
from dispatch.cli import main
from dispatch.store.clock import TravelClock
from sla.workdays import LAST_PUBLISHED_YEAR
from tests.harness.town import KEYRING, REPLY, Town, load_city, principal, town
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import CITIZEN, DISPATCHER
from tests.integration.casework.walks import opened as begun
from tests.integration.city.test_load_command import run

LAMP, LAMPS = "S090401", principal("handler", "lighting")
YEAR = LAST_PUBLISHED_YEAR + 1
EVE = datetime(LAST_PUBLISHED_YEAR, 12, 30, 2, 0, tzinfo=UTC)
# An invented notice: the fourth to the eighth of January are off, whatever days of the week they are.
OFF = ("01-01", "01-04", "01-05", "01-06", "01-07", "01-08", "05-01", "05-02", "10-01", "10-02", "10-03")
NOTICE = f"""[[year]]
year = {YEAR}
notice = "https://www.gov.cn/an-invented-notice"
off = [{", ".join(f'"{YEAR}-{day}"' for day in OFF)}]
"""
LIVE = "SELECT clock, due_at, provisional, plan_provisional, plan, next_at FROM deadlines WHERE case_id = (SELECT id FROM cases WHERE case_no = $1)"


@pytest.fixture
async def eve(database_url: str, redis_url: str, old_city: bytes) -> AsyncIterator[Town]:
    """A service two days before a year that has no notice yet."""
    await load_city(database_url, old_city, EVE)
    async with town(database_url, redis_url, clock=TravelClock(EVE), loaded=True) as made:
        yield made


async def opened(at: Town, **fields: Any) -> str:
    """A new case with five working days, or at the dispatch desk."""
    return await begun(at, **{"category": LAMP, "text": "路灯不亮", **fields})


async def clocks(at: Town, case_no: str) -> dict[str, Any]:
    return {row["clock"]: dict(row) for row in await at.rows(LIVE, case_no)}


async def commanded(at: Town, *arguments: str) -> Result:
    """A command of the service, on the database of the town."""

    env = {"DISPATCH_DATABASE_OWNER_URL": at.database_url, "DISPATCH_KEYRING": KEYRING.to_json()}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, list(arguments), env=env))


async def loaded(at: Town, folder: Path) -> Result:

    done = await asyncio.to_thread(lambda: run(at.database_url, folder, "--yes"))
    assert done.exit_code == 0, done.output
    await at.services.cities.refresh(at.services.pool)
    return done


async def test_what_ends_in_the_year_is_settled_and_nothing_else(eve: Town, folder: Path) -> None:
    number = await opened(eve, caller=CITIZEN)
    before = await clocks(eve, number)
    assert [before[clock]["provisional"] for clock in ("close", "reply", "sign")] == [True, True, False]
    (folder / "holidays.toml").write_text(NOTICE, "utf-8")
    shown = await commanded(eve, "calendar", "diff", str(folder / "holidays.toml"))
    assert "2 provisional deadlines would move" in shown.output, shown.output
    assert await clocks(eve, number) == before
    done = await loaded(eve, folder)
    assert "2 provisional deadlines settled" in done.output
    after = await clocks(eve, number)
    for clock in ("close", "reply"):
        # Five days are off instead of worked: the end moves on by the week that they and a weekend make.
        assert after[clock]["due_at"] == before[clock]["due_at"] + timedelta(days=7)
        assert not after[clock]["provisional"]
        assert after[clock]["next_at"] > before[clock]["next_at"]
        assert after[clock]["plan"] != before[clock]["plan"]
    assert settled_apart(after) == settled_apart(before)
    # Of a clock that ends before the year, the levels that are counted in it.
    assert (before["sign"]["plan_provisional"], after["sign"]["plan_provisional"]) == (True, False)
    assert [old["at"] == new["at"] for old, new in zip(*map(ladder, (before, after)), strict=True)] == [
        True,
        True,
        False,
        False,
    ]
    assert Counter((await events_of(eve, number))[-4:]) == {"deadline_settled": 2, "ladder_settled": 2}
    assert await eve.value("SELECT next_due_at FROM cases WHERE case_no = $1", number) == min(
        row["due_at"] for row in after.values() if row["next_at"]
    )


def settled_apart(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The clocks that end before the year, without the levels that come later."""
    return {
        clock: {name: value for name, value in row.items() if name not in ("plan", "plan_provisional")}
        for clock, row in found.items()
        if clock not in ("close", "reply")
    }


def ladder(found: dict[str, dict[str, Any]]) -> Any:
    return msgspec.json.decode(found["sign"]["plan"])


async def test_a_second_sweep_changes_nothing(eve: Town, folder: Path) -> None:
    number = await opened(eve)
    (folder / "holidays.toml").write_text(NOTICE, "utf-8")
    await loaded(eve, folder)
    events, after = await events_of(eve, number), await clocks(eve, number)
    again = await loaded(eve, folder)
    assert "settled" not in again.output
    assert (await events_of(eve, number), await clocks(eve, number)) == (events, after)


async def test_a_sweep_that_was_broken_off_goes_on_with_the_next_load(
    eve: Town, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [await opened(eve, location={"lon": 116.16 + 0.02 * n, "lat": 33.13}) for n in range(3)]
    (folder / "holidays.toml").write_text(NOTICE, "utf-8")
    monkeypatch.setattr(provisional, "CHUNK", 1)
    at = eve.services

    def broken_off(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dispatch.cli._settle_provisional", _nothing)
        await loaded(eve, folder)
    with pytest.raises(KeyboardInterrupt):
        await provisional.settle(at.pool, at.cities, KEYRING, at.clock, by="test", done=broken_off)
    assert len([n for n in numbers if "deadline_settled" in await events_of(eve, n)]) == 1
    await loaded(eve, folder)
    assert [(await events_of(eve, n)).count("deadline_settled") for n in numbers] == [2] * 3


async def _nothing(*_: object) -> None:
    return None


async def test_what_ran_out_or_was_stopped_stays_as_it_was_judged(eve: Town, folder: Path) -> None:
    number = await opened(eve, caller=CITIZEN)
    assert (await eve.act(number, "sign", LAMPS))[0] == 200
    assert (await eve.act(number, "reply", LAMPS, **REPLY))[0] == 200
    before = await clocks(eve, number)
    (folder / "holidays.toml").write_text(NOTICE, "utf-8")
    await loaded(eve, folder)
    after = await clocks(eve, number)
    assert after["reply"] == before["reply"]
    assert after["close"] != before["close"]


async def test_a_case_of_an_older_version_gets_its_new_clocks_by_the_new_days(eve: Town, folder: Path) -> None:
    number = await opened(eve, category=None, text="这里有件事情说不清楚要找谁", caller=CITIZEN)
    (folder / "holidays.toml").write_text(NOTICE, "utf-8")
    await loaded(eve, folder)
    assert (await eve.act(number, "dispatch", DISPATCHER, unit="lighting", category=LAMP))[0] == 200
    reply = (await clocks(eve, number))["reply"]
    other = await opened(eve, location={"lon": 116.23, "lat": 33.15})
    assert not reply["provisional"]
    assert reply["due_at"] == (await clocks(eve, other))["reply"]["due_at"]
    assert await eve.value("SELECT city_version FROM cases WHERE case_no = $1", number) == 1


async def test_a_year_still_without_notice_stays_provisional(eve: Town, folder: Path) -> None:
    number = await opened(eve)
    before = await clocks(eve, number)
    (folder / "holidays.toml").write_text(NOTICE.replace(str(YEAR), str(YEAR + 1)), "utf-8")
    await loaded(eve, folder)
    assert await clocks(eve, number) == before
