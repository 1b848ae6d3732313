"""New policies reach open cases when a city says so by name: all at once in chunks, or none in a dry run."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dispatch.casework import reapply
from dispatch.city.archive import pack
from dispatch.city.files import CONFIG
from dispatch.cli import main
from tests.harness.town import KEYRING, START, Town, load_city, principal, town
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import clocks_of, events_of
from tests.integration.casework.people import CITIZEN
from tests.integration.casework.walks import opened

LAMP: dict[str, Any] = {"category": "S090401", "text": "路灯不亮", "caller": CITIZEN}
SUPERVISOR = principal("supervisor", "supervision")
LAMPS = principal("handler", "lighting")
ROWS = """
[[policy]]
id = "lamps"
clock = ["close", "reply"]
category = "S0904"
limit = "2wd"
mode = "day_end"
"""


@pytest.fixture
async def a_town(database_url: str, redis_url: str, old_city: bytes) -> AsyncIterator[Town]:
    """A service on the city as it was before its policies changed."""
    await load_city(database_url, old_city)
    async with town(database_url, redis_url, loaded=True) as made:
        yield made


async def command(at: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_URL": at.database_url, "DISPATCH_KEYRING": KEYRING.to_json()}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["city", "reapply", *arguments], env=env))


@pytest.fixture
def stricter(folder: Path) -> bytes:
    """The city with two working days for lamps."""
    (folder / "policies.toml").write_text((CONFIG / "policies.toml").read_text("utf-8") + ROWS, "utf-8")
    return pack(folder)


async def load(at: Town, archive: bytes) -> None:
    await load_city(at.database_url, archive, at.clock.at)
    await at.services.cities.refresh(at.services.pool)


async def test_a_case_keeps_its_policies_until_they_are_reapplied_by_name(a_town: Town, stricter: bytes) -> None:
    number = await opened(a_town, **LAMP)
    other = await opened(a_town, category="E0506", location={"lon": 116.23, "lat": 33.13})
    before = (await clocks_of(a_town, number, "close"))[0]
    await load(a_town, stricter)
    assert (await clocks_of(a_town, number, "close"))[0] == before
    dry = await command(a_town, "路灯新时限", "--dry-run")
    assert "2 clocks would change in 2 cases" in dry.output, dry.output
    assert (await clocks_of(a_town, number, "close"))[0] == before
    done = await command(a_town, "路灯新时限", "--category", "S09", "--yes")
    assert "2 clocks changed in 1 cases" in done.output, done.output
    after = (await clocks_of(a_town, number, "close"))[0]
    assert (after["limit_text"], after["rule"], after["started_at"]) == ("2wd", "lamps", before["started_at"])
    assert after["due_at"] == before["due_at"] - timedelta(days=5)
    assert (await events_of(a_town, number))[-3:] == [
        "policies_reapplied",
        "deadline_recomputed",
        "deadline_recomputed",
    ]
    _, record = await a_town.get(f"/cases/{number}/events?limit=200", SUPERVISOR)
    (said,) = [event for event in record["items"] if event["type"] == "policies_reapplied"]
    assert said["data"] == {"name": "路灯新时限", "before": 1, "city_version": 2}
    assert "policies_reapplied" not in await events_of(a_town, other)
    assert "0 open cases" not in (await command(a_town, "其余", "--yes")).output
    assert "0 open cases" in (await command(a_town, "其余", "--yes")).output


async def test_what_was_suspended_stays_suspended_and_what_ran_out_stays_missed(a_town: Town, stricter: bytes) -> None:
    missed, paused = [await opened(a_town, **LAMP, location={"lon": 116.19 + 0.03 * n, "lat": 33.13}) for n in range(2)]
    assert (await a_town.act(paused, "sign", LAMPS))[0] == 200
    status, answer = await a_town.act(
        paused, "suspend", SUPERVISOR, **BODY["suspend"] | {"until": "2026-11-19T10:00:00+08:00"}
    )
    assert status == 200, answer
    before = (await clocks_of(a_town, paused, "close"))[0]
    a_town.clock.at = START + timedelta(days=7, hours=9)
    await a_town.fire()
    gone = (await clocks_of(a_town, missed, "close"))[0]
    assert gone["status"] == "missed"
    await load(a_town, stricter)
    assert (await command(a_town, "路灯新时限", "--yes")).exit_code == 0
    again = (await clocks_of(a_town, missed, "close"))[0]
    assert (again["status"], again["due_at"], again["limit_text"]) == ("missed", gone["due_at"], gone["limit_text"])
    (close,) = await clocks_of(a_town, paused, "close")
    assert (close["limit_text"], close["adjustments"]) == ("2wd", before["adjustments"])
    # Two working days from Wednesday end on Friday at six; it stood still for a working day, and then came a weekend.
    assert before["due_at"] == START + timedelta(days=8, hours=8)
    assert close["due_at"] == START + timedelta(days=5, hours=8)


async def test_a_sweep_that_was_broken_off_goes_on_and_does_nothing_twice(
    a_town: Town, stricter: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [await opened(a_town, **LAMP, location={"lon": 116.16 + 0.03 * n, "lat": 33.13}) for n in range(3)]
    await load(a_town, stricter)
    monkeypatch.setattr(reapply, "CHUNK", 1)
    at = a_town.services

    def broken_off(_: int) -> None:
        raise KeyboardInterrupt

    sweep = reapply.Sweep("路灯新时限", "test", None, dry_run=False)
    with pytest.raises(KeyboardInterrupt):
        async for _ in reapply.reapply(at.pool, at.cities, KEYRING, at.clock, sweep, done=broken_off):
            pass
    assert [(await events_of(a_town, n)).count("policies_reapplied") for n in numbers].count(1) == 1
    assert (await command(a_town, "路灯新时限", "--yes")).exit_code == 0
    assert [(await events_of(a_town, n)).count("policies_reapplied") for n in numbers] == [1] * 3
    assert {(await clocks_of(a_town, n, "close"))[0]["limit_text"] for n in numbers} == {"2wd"}


@pytest.mark.parametrize(
    ("arguments", "said"), [((" ", "--yes"), "NAME"), (("x", "--category", "Z99"), "Z99 is not a code")]
)
async def test_a_sweep_without_a_name_or_of_an_unknown_category_is_refused(
    a_town: Town, arguments: tuple[str, ...], said: str
) -> None:
    refused = await command(a_town, *arguments)
    assert refused.exit_code == 2
    assert said in refused.output


async def test_units_of_a_group_work_by_their_own_hours_and_the_case_by_those_of_the_city(
    database_url: str, redis_url: str, folder: Path
) -> None:
    settings = folder / "city.toml"
    group = '\n[[groups]]\nname = "7×24"\nunits = ["lighting"]\nslots = ["00:00-24:00"]\nevery_day = true\n'
    settings.write_text(settings.read_text("utf-8") + group, "utf-8")
    (folder / "policies.toml").write_text((CONFIG / "policies.toml").read_text("utf-8") + ROWS, "utf-8")
    await load_city(database_url, pack(folder))
    async with town(database_url, redis_url, loaded=True) as at:
        at.clock.at = START + timedelta(days=2)  # a Friday
        number = await opened(at, **LAMP)
        (close,), (reply,) = await clocks_of(at, number, "close"), await clocks_of(at, number, "reply")
        # Two days of the city are Monday and Tuesday, two of the unit Saturday and Sunday up to midnight.
        assert close["due_at"] == at.clock.at.replace(hour=10) + timedelta(days=4)
        assert reply["due_at"] == at.clock.at.replace(hour=16) + timedelta(days=2)


async def test_a_limit_may_depend_on_the_channel_by_which_the_case_came(
    database_url: str, redis_url: str, folder: Path
) -> None:
    row = '\n[[policy]]\nid = "by-app"\nclock = "close"\nchannel = "app"\nlimit = "1wd"\nmode = "day_end"\n'
    (folder / "policies.toml").write_text((CONFIG / "policies.toml").read_text("utf-8") + row, "utf-8")
    await load_city(database_url, pack(folder))
    async with town(database_url, redis_url, loaded=True) as at:
        rules = {}
        for nth, channel in enumerate(("app", "demo")):
            place = {"lon": 116.19 + 0.03 * nth, "lat": 33.13}
            number = await opened(at, **{**LAMP, "category": "S090101"}, channel=channel, location=place)
            rules[channel] = (await clocks_of(at, number, "close"))[0]["rule"]
        assert rules["app"] == "by-app"
        assert rules["demo"] != "by-app"
