"""The account the servers run under: PostgreSQL refuses to run as root, so root steps down for it."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dispatch.embedded.errors import DataFolderForeign, ServerFailed

PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group of this machine, by number."""

    uid: int
    gid: int

    @property
    def is_mine(self) -> bool:
        """Whether this process runs under the account already."""
        return self.uid == os.geteuid()

    def status(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a program to its end under this account; its exit code and what it printed.

        It gets a session of its own, so that Ctrl-C in the terminal reaches the service alone, and a fixed environment.
        """
        # A pipe would be held open by the server that the program leaves running; a file is not waited for.
        with tempfile.TemporaryFile() as printed:
            done = subprocess.run(
                command,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=None if self.is_mine else self.uid,
                group=None if self.is_mine else self.gid,
                extra_groups=None if self.is_mine else (),
                check=False,
            )
            printed.seek(0)
            return done.returncode, printed.read().decode(errors="replace").strip()

    def run(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Run a program as `status` does. Raises `ServerFailed` with what it printed if it fails."""
        code, printed = self.status(command, env)
        if code:
            raise ServerFailed(Path(command[0]).name, printed or f"exit code {code}")

    def reaches(self, path: Path, mode: str = "-x") -> bool:
        """Whether the account may pass `test MODE path`; asked of the system, which alone knows all its rules."""
        return self.is_mine or self.status(("/bin/sh", "-c", f'test {mode} "$1"', "sh", path))[0] == 0

    def take(self, path: Path) -> None:
        """Make the account the owner of a folder of ours and of all that is in it."""
        if self.is_mine:
            return
        os.chown(path, self.uid, self.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(folder, name), self.uid, self.gid, follow_symlinks=False)


def account_for(existing: Path) -> Account:
    """The account for the servers of a folder: the folder's owner if it exists, else this process's own.

    Root is never the answer: in its place stands the first of `PREFERRED` that the machine knows.
    Raises `DataFolderForeign` if the folder is another user's and this process may not become that user.
    """
    if existing.exists():
        owner = existing.stat()
        if os.geteuid() not in (0, owner.st_uid):
            raise DataFolderForeign(existing, owner.st_uid)
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    known = {entry.pw_name: Account(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    return next(known[name] for name in PREFERRED if name in known)
