"""`dispatch indicators rebuild` as the administrator uses it."""

import asyncio

from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.harness.town import Town
from tests.integration.casework.walks import brought, elsewhere
from tests.integration.indicators.keeping import counted

FIGURES = "SELECT dimension, indicator, day, key, numerator FROM figures WHERE numerator > 0 ORDER BY 1, 2, 3, 4"


async def rebuild(town: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_OWNER_URL": town.database_url}
    return await asyncio.to_thread(lambda: CliRunner().invoke(main, ["indicators", "rebuild", *arguments], env=env))


async def test_figures_are_checked_and_made_again(a_town: Town) -> None:
    for state in ("closed", "returned", "answered"):
        await brought(a_town, state, location=elsewhere())
    await counted(a_town)
    clean = await rebuild(a_town, "--check")
    assert (clean.exit_code, "differences 0" in clean.output) == (0, True), clean.output
    before = await a_town.rows(FIGURES)
    await a_town.rows("UPDATE figures SET numerator = numerator + 7 WHERE indicator = 'in' AND dimension = 'all'")
    bent = await a_town.rows(FIGURES)
    for options, code in ((("--check",), 1), (("--dry-run",), 0)):
        found = await rebuild(a_town, *options)
        assert (found.exit_code, "differences 1" in found.output) == (code, True), found.output
        assert await a_town.rows(FIGURES) == bent
    made = await rebuild(a_town)
    assert (made.exit_code, "已重算" in made.output) == (0, True), made.output
    assert await a_town.rows(FIGURES) == before
    assert (await rebuild(a_town, "--check")).exit_code == 0


async def test_cases_from_before_are_counted_from_their_events(a_town: Town) -> None:
    await brought(a_town, "handling")
    await counted(a_town)
    before = await a_town.rows(FIGURES)
    await a_town.rows("TRUNCATE figures, case_figures")
    assert (await rebuild(a_town, "--check")).exit_code == 0, "what was never counted is waiting, not different"
    assert (await rebuild(a_town)).exit_code == 0
    assert await a_town.rows(FIGURES) == before
