"""Processes that are not our children, as Linux shows them under /proc."""

import os
import time
from pathlib import Path


def program(pid: int) -> str | None:
    """The name of the program that runs under a number; None where none does, or only its remains (a zombie)."""
    try:
        # The name stands in brackets and may hold anything; the state is the first letter behind it.
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if rest.split()[0] in "ZX" else name


def works_in(pid: int, folder: Path) -> bool:
    """Whether a process runs and has that folder as its working folder, as a PostgreSQL server has its data."""
    try:
        return program(pid) is not None and Path(os.readlink(f"/proc/{pid}/cwd")) == folder
    except OSError:
        return False


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait until nothing runs under that number; False if something still does after so many seconds."""
    deadline = time.monotonic() + seconds
    while program(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
