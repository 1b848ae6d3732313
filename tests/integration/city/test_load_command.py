"""`dispatch city load` as a person uses it."""

import asyncio
from pathlib import Path

import asyncpg
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.harness.town import KEYRING
from tests.integration.city.conftest import Change


def run(database_url: str, folder: Path, *options: str, typed: str | None = None) -> Result:
    env = {"DISPATCH_DATABASE_OWNER_URL": database_url, "DISPATCH_KEYRING": KEYRING.to_json()}
    return CliRunner().invoke(main, ["city", "load", str(folder), *options], env=env, input=typed)


def versions(database_url: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM city_versions"))
        finally:
            await connection.close()

    return asyncio.run(count())


def test_a_city_is_shown_first_and_put_in_force_when_told(database_url: str, folder: Path, change: Change) -> None:
    assert run(database_url, folder, "--dry-run").exit_code == 0
    assert versions(database_url) == 0
    assert run(database_url, folder, typed="n\n").exit_code == 0
    assert versions(database_url) == 0
    assert run(database_url, folder, "--yes").exit_code == 0
    assert versions(database_url) == 1
    assert run(database_url, folder, "--yes").exit_code == 0  # the same once more
    assert versions(database_url) == 1
    change("units.csv", "drainage,云川排水公司,water-affairs,1,utility,9901,\n", "")
    faulty = run(database_url, folder, "--yes")  # the duty book still names it
    assert faulty.exit_code == 1
    change("duty.csv", "drainage", "gas")
    change("accounts.csv", ",drainage\n", ",gas\n")
    assert run(database_url, folder, "--dry-run").exit_code == 0
    refused = run(database_url, folder, "--yes")
    assert (refused.exit_code, "removed without a successor: unit drainage" in refused.output) == (1, True)
    assert versions(database_url) == 1
    (folder / "successors.csv").write_text("kind,code,successor\nunit,drainage,gas\n", "utf-8")
    assert run(database_url, folder, "--yes").exit_code == 0
    assert versions(database_url) == 2
