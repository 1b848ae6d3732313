"""The servers in a data folder: started, attached to, kept to one service, stopped."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from dispatch import embedded
from dispatch.embedded import redis as embedded_redis
from dispatch.embedded.account import account_for
from dispatch.embedded.errors import DataFolderBusy, ServerFailed
from dispatch.embedded.folder import find
from dispatch.embedded.process import program, wait_gone

SERVICE = """
import asyncio, sys, pathlib
from dispatch import embedded

async def main():
    async with embedded.servers(pathlib.Path(sys.argv[1])) as servers:
        print(servers.database_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def service(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds the servers of a folder, and its database URL."""
    command = [sys.executable, "-c", SERVICE, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            # The servers' log lines share the stream.
            yield process, next(line.strip() for line in process.stdout if line.startswith("postgresql://"))
        finally:
            process.kill()


def server_pids(data_dir: Path) -> tuple[int, int]:
    """The process numbers of PostgreSQL and Redis."""
    home = find(data_dir)
    assert home
    postmaster = (home.path / "postgres" / "postmaster.pid").read_text().split("\n")[0]
    return int(postmaster), int((home.sockets / "redis.pid").read_text())


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_both_servers_answer_durable_and_only_on_sockets_in_a_private_folder(data_dir: Path) -> None:
    async with embedded.servers(data_dir) as running:
        assert await ask(running.database_url, "SHOW fsync") == "on"
        assert await ask(running.database_url, "SHOW synchronous_commit") == "on"
        assert await ask(running.database_url, "SHOW listen_addresses") == ""
        assert await ask(running.database_url, "SELECT lower('ÄÖ')") == "äö"
        assert running.redis_url
        async with redis.asyncio.Redis.from_url(running.redis_url) as client:
            assert await client.ping()
            assert (await client.config_get("port"))["port"] == "0"
        home = find(data_dir)
        assert home
        assert home.sockets.stat().st_mode & 0o777 == 0o700
        assert (home.path / "password").stat().st_mode & 0o777 == 0o600


async def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    async with embedded.servers(data_dir) as running:
        password = running.database_url.split(":")[2].split("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(running.database_url.replace(password, "guess"))


async def test_a_clean_stop_leaves_no_process_and_keeps_the_data(data_dir: Path) -> None:
    async with embedded.servers(data_dir) as running:
        await ask(running.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
        pids = server_pids(data_dir)
        assert [program(pid) for pid in pids] == ["postgres", "redis-server"]
    assert [program(pid) for pid in pids] == [None, None]
    async with embedded.servers(data_dir) as running:
        assert await ask(running.database_url, "SELECT n FROM kept") == 7


async def test_the_servers_of_a_killed_service_are_attached_to(data_dir: Path) -> None:
    with service(data_dir) as (process, url):
        await ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
        before = server_pids(data_dir)
        process.send_signal(signal.SIGKILL)
        process.wait()
    async with embedded.servers(data_dir) as running:
        assert server_pids(data_dir) == before
        assert running.database_url == url
        assert await ask(running.database_url, "SELECT n FROM kept") == 7
    assert [program(pid) for pid in before] == [None, None]


async def test_a_killed_server_is_started_anew_on_its_data(data_dir: Path) -> None:
    running = embedded.start(data_dir)
    await ask(running.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
    before = server_pids(data_dir)
    for pid in before:
        os.kill(pid, signal.SIGQUIT if program(pid) == "postgres" else signal.SIGKILL)
        assert wait_gone(pid, 60)
    async with embedded.servers(data_dir) as running:
        assert await ask(running.database_url, "SELECT n FROM kept") == 7
        assert set(server_pids(data_dir)).isdisjoint(before)


async def test_a_strangers_process_number_in_the_pid_file_does_not_hinder_the_start(data_dir: Path) -> None:
    async with embedded.servers(data_dir):
        home = find(data_dir)
        assert home
        left = (home.path / "postgres" / "postmaster.pid").read_text()
    sleeper = subprocess.Popen(["sleep", "600"], user=home.account.uid if os.geteuid() == 0 else None)
    try:
        stale = home.path / "postgres" / "postmaster.pid"
        stale.write_text("\n".join([str(sleeper.pid), *left.split("\n")[1:]]))
        os.chown(stale, home.account.uid, home.account.gid)
        async with embedded.servers(data_dir) as running:
            assert await ask(running.database_url, "SELECT 1") == 1
    finally:
        sleeper.kill()
        sleeper.wait()


async def test_a_second_service_on_the_same_folder_is_refused_and_harms_nothing(data_dir: Path) -> None:
    with service(data_dir) as (_, url):
        with pytest.raises(DataFolderBusy, match="Another service is running"):
            async with embedded.servers(data_dir):
                pytest.fail("two services hold one folder")
        assert await ask(url, "SELECT 1") == 1


async def test_the_servers_live_in_a_session_of_their_own_so_that_ctrl_c_passes_them_by(data_dir: Path) -> None:
    async with embedded.servers(data_dir):
        assert os.getsid(0) not in [os.getsid(pid) for pid in server_pids(data_dir)]


async def test_kept_servers_outlive_the_service(data_dir: Path) -> None:
    async with embedded.servers(data_dir, keep=True) as running:
        pass
    assert await ask(running.database_url, "SELECT 1") == 1


async def test_without_a_redis_program_the_service_is_told_that_there_is_none(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_redis, "_program", lambda _: None)
    async with embedded.servers(data_dir) as running:
        assert running.redis_url is None
        assert await ask(running.database_url, "SELECT 1") == 1


async def test_a_redis_that_does_not_start_does_not_stop_the_service(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_redis, "_program", lambda _: Path("/bin/false"))
    async with embedded.servers(data_dir) as running:
        assert running.redis_url is None


def test_a_start_that_fails_says_what_the_server_said(data_dir: Path) -> None:
    with pytest.raises(ServerFailed, match="max_connections"):
        embedded.start(data_dir, {"max_connections": "none"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
async def test_as_root_a_private_data_folder_stays_private_and_the_servers_move_elsewhere() -> None:
    private = Path(tempfile.mkdtemp(prefix="city-", dir="/tmp"))
    data_dir = private / "data"
    try:
        async with embedded.servers(data_dir) as running:
            assert await ask(running.database_url, "SELECT 1") == 1
            elsewhere = Path((data_dir / "servers.path").read_text().strip())
        assert private.stat().st_mode & 0o777 == 0o700
        assert account_for(elsewhere).uid != 0
        async with embedded.servers(data_dir):
            assert Path((data_dir / "servers.path").read_text().strip()) == elsewhere
    finally:
        shutil.rmtree(elsewhere)
        shutil.rmtree(private)
