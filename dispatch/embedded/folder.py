"""Where the servers of a data folder live, and the lock that keeps a second service out of it."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from dispatch.embedded.account import Account, account_for
from dispatch.embedded.errors import DataFolderBusy, DataFolderForeign, DataFolderUnreachable

log = structlog.get_logger()

ELSEWHERE = (Path("/var/lib/city-dispatch"), Path("/var/tmp/city-dispatch"))
LONGEST_SOCKET_FOLDER = 80  # bytes; the system allows 107 for folder and socket name together


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of the servers (0700, the account's own) and the short one for their sockets."""

    path: Path
    sockets: Path
    account: Account


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold a data folder for this process; the system lets go of it when the process dies. Raises `DataFolderBusy`
    and `DataFolderForeign`."""
    make_data_folder(data_dir)
    try:
        file = (data_dir / "lock").open("a")
    except PermissionError:
        raise DataFolderForeign(data_dir, data_dir.stat().st_uid) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderBusy(data_dir) from None
        yield


def make_data_folder(data_dir: Path) -> None:
    """Make a data folder that others may pass through but not list; one that exists is left as it is."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711)


def find(data_dir: Path) -> Home | None:
    """The servers' folder of a data folder, if one was made before."""
    data_dir = data_dir.resolve()
    sign = data_dir / "servers.path"
    path = Path(sign.read_text().strip()) if sign.exists() else data_dir / "servers"
    if not path.exists():
        return None
    account = account_for(path)
    if not account.reaches(path):
        raise DataFolderUnreachable(path, account.uid)
    return Home(path, _sockets(path, account), account)


def make(data_dir: Path) -> Home:
    """The servers' folder of a data folder, made if there is none.

    It is `servers` in the data folder; where the account cannot get there (a clone inside a private folder), it is a
    folder under `/var/lib`, which `servers.path` in the data folder then names.
    """
    make_data_folder(data_dir)
    data_dir = data_dir.resolve()
    if home := find(data_dir):
        return home
    path = data_dir / "servers"
    account = account_for(path)
    if account.reaches(data_dir):
        path.mkdir(mode=0o700)
    else:
        path = _elsewhere(data_dir)
        log.warning(
            "embedded_folder_elsewhere", data=str(data_dir), servers=str(path), reason="not reachable by account"
        )
    account.take(path)
    return Home(path, _sockets(path, account), account)


def _elsewhere(data_dir: Path) -> Path:
    """A new folder outside of the data folder. Its name is never used twice: a deleted data folder stays deleted."""
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    for parent in ELSEWHERE:
        try:
            if not parent.exists():
                parent.mkdir()
                parent.chmod(0o755)
            path = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=parent))
        except OSError as refused:
            log.info("embedded_folder_refused", folder=str(parent), reason=str(refused))
            continue
        (data_dir / "servers.path").write_text(f"{path}\n")
        return path
    raise DataFolderUnreachable(data_dir, os.geteuid())


def _sockets(home: Path, account: Account) -> Path:
    """The folder for sockets: in the servers' folder, or in `/tmp` where that path is too long for the system."""
    path = home / "run"
    if len(os.fsencode(path)) > LONGEST_SOCKET_FOLDER:
        path = Path("/tmp", f"city-dispatch-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}")
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if path.is_symlink() or path.stat().st_uid not in (account.uid, os.geteuid()):
            raise DataFolderUnreachable(path, account.uid) from None
    account.take(path)
    return path
