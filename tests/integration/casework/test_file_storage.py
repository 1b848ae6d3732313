"""What becomes of files when something goes wrong between the storage and the database."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from dispatch.casework.filing import sweep
from dispatch.domain.errors import RuleBroken
from dispatch.files.errors import StorageAway
from dispatch.files.storage import new_key
from tests.harness.pictures import PDF, add, got, picture
from tests.harness.town import KEYRING, Town
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import HANDLER, REVIEWER
from tests.integration.casework.test_files import HERE, contents, folder
from tests.integration.casework.walks import brought

# A process of its own, killed with everything written but the commit.
KILLED = """
import asyncio, os, signal, sys
from dispatch import bootstrap
from dispatch.casework import record
from dispatch.casework.filing import Sent
from dispatch.people.keyring import Keyring
from dispatch.settings import Settings
from tests.harness.pictures import PDF
from tests.integration.casework.people import HANDLER

async def main():
    settings, real = Settings(sys.argv[1], sys.argv[1], None, sys.argv[2]), record.save

    async def killed(*given):
        await real(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    record.save = killed
    async with bootstrap.services(settings, Keyring.parse(os.environ["KEYRING"])) as services:
        await services.filing.add(sys.argv[3], Sent(PDF, "document"), HANDLER)

asyncio.run(main())
"""


async def test_a_content_is_bound_to_its_row(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, first = await add(a_town, number, HANDLER, picture(HERE), "before")
    _, second = await add(a_town, number, HANDLER, picture(HERE, shade=1), "after")
    a, b = [folder(a_town) / row["storage_key"] for row in await a_town.rows("SELECT * FROM files ORDER BY id")]
    held = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(held)
    for each in (first, second):
        assert (await got(a_town, number, each["file_id"], REVIEWER))[0] == 500


async def test_what_a_crash_left_behind_is_swept_after_a_day_and_nothing_else(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await add(a_town, number, HANDLER, picture(HERE), "after"))[0] == 201
    filing, pool = a_town.services.filing, a_town.services.pool
    # As if the process had been killed between the storage and the commit.
    await filing.storage.put(new_key(), b"orphan")
    assert len(contents(a_town)) == 2
    now = datetime.now(UTC)
    assert await sweep(pool, filing.storage, now) == 0
    assert await sweep(pool, filing.storage, now + timedelta(days=1, minutes=1)) == 1
    (left,) = contents(a_town)
    assert f"{left.parent.name}/{left.name}" == await a_town.value("SELECT storage_key FROM files")


async def test_a_process_killed_between_the_storage_and_the_commit_leaves_no_row(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    settings = a_town.services.settings
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, settings.database_url, settings.files_url or "", number, env={**os.environ, "KEYRING": KEYRING.to_json()},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await killed.wait() == -signal.SIGKILL
    (orphan,) = contents(a_town)
    assert await a_town.value("SELECT count(*) FROM files") == 0
    assert "file_added" not in await events_of(a_town, number)
    # The same file again is a new one, and the sweep takes what was left.
    assert (await add(a_town, number, HANDLER, PDF))[0] == 201
    filing, later = a_town.services.filing, datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert await sweep(a_town.services.pool, filing.storage, later) == 1
    assert not orphan.exists()
    assert len(contents(a_town)) == 1


async def test_a_row_that_could_not_be_written_is_not_there_and_a_refusal_leaves_no_content(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await brought(a_town, "handling")
    real = a_town.services.filing._enter

    async def lost(*_: Any) -> Any:
        raise asyncpg.PostgresConnectionError("gone")

    async def refused(*_: Any) -> Any:
        raise RuleBroken(problem="meanwhile", field="x")

    monkeypatch.setattr(a_town.services.filing, "_enter", lost)
    assert (await add(a_town, number, HANDLER, PDF))[0] == 503
    # Whether it was committed is not known: the content stays until the sweep has looked.
    assert len(contents(a_town)) == 1
    assert await a_town.value("SELECT count(*) FROM files") == 0
    monkeypatch.setattr(a_town.services.filing, "_enter", refused)
    assert (await add(a_town, number, HANDLER, PDF))[0] == 409
    assert len(contents(a_town)) == 1
    monkeypatch.setattr(a_town.services.filing, "_enter", real)
    assert (await add(a_town, number, HANDLER, PDF))[0] == 201
    assert len(contents(a_town)) == 2


async def test_a_storage_that_is_away_takes_nothing_and_is_told_as_such(
    a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await brought(a_town, "handling")
    _, added = await add(a_town, number, HANDLER, PDF)

    async def away(*_: Any) -> Any:
        raise StorageAway

    for part in ("put", "get"):
        monkeypatch.setattr(a_town.services.filing.storage, part, away)
    status, problem = await add(a_town, number, HANDLER, picture())
    assert (status, problem["part"]) == (503, "the file storage")
    assert (await got(a_town, number, added["file_id"], REVIEWER))[0] == 503
    assert await a_town.value("SELECT count(*) FROM files") == 1
    monkeypatch.undo()
    for path in contents(a_town):
        path.unlink()
    assert (await got(a_town, number, added["file_id"], REVIEWER))[0] == 503
