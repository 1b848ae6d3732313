"""Commands on the servers of a data folder: `dispatch --data DIR …`."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from tests.integration.embedded.test_embedded import ask, server_pids, service

NAMES = ("DISPATCH_DATABASE_URL", "DISPATCH_DATABASE_OWNER_URL", "DISPATCH_KEYRING", "DISPATCH_KEYRING_FILE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command puts what it found into the environment of its process: here it is put back."""
    for name in NAMES:
        monkeypatch.setenv(name, "somewhere else")


def run(data_dir: Path, *command: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data_dir), *command])


def test_where_no_service_runs_the_servers_are_started_and_stopped(data_dir: Path) -> None:
    assert run(data_dir, "migrate").exit_code == 0
    result = run(data_dir, "audit", "verify")
    assert result.exit_code == 0, result.output
    assert (data_dir / "keyring.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileNotFoundError):
        server_pids(data_dir)


async def test_where_a_service_runs_it_goes_on(data_dir: Path) -> None:
    with service(data_dir) as (_, url):
        before = server_pids(data_dir)
        result = await asyncio.to_thread(run, data_dir, "migrate")
        assert result.exit_code == 0, result.output
        assert server_pids(data_dir) == before
        assert await ask(url, "SELECT count(*) FROM alembic_version") == 1


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path / "file", "migrate")
    assert result.exit_code == 2
    assert "--data" in result.output
