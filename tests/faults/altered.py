"""`dispatch` with a fault built in, for services that a test starts: `python -m tests.faults.altered FAULT… -- serve …`.

| fault          | what it does                                                                             |
|----------------|------------------------------------------------------------------------------------------|
| `skew=SECONDS` | the wall clock of the process is that far ahead (or, negative, behind)                    |
| `unclaimed`    | deadlines are fired without a claim: no row of a case is held, nor passed over when it is |
"""

import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any

from dispatch import cli
from dispatch.casework import deadlines, record

SEPARATOR = "--"


def skew(seconds: float) -> None:
    """Shifts `time.time` and every `datetime.now` of our own modules."""
    ahead, real, real_ns = timedelta(seconds=seconds), time.time, time.time_ns

    class Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, datetime)

    class Shifted(datetime, metaclass=Kind):
        """Makes plain instants, whichever way it is asked."""

        def __new__(cls, *given: Any, **named: Any) -> datetime:  # type: ignore[misc]
            return datetime(*given, **named)  # noqa: DTZ001

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + int(seconds * 1e9)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("dispatch", "sla") and getattr(module, "datetime", None) is datetime:
            module.datetime = Shifted  # type: ignore[attr-defined]


def unclaimed() -> None:
    """Takes the lock out of the two statements by which a deadline's case is held."""
    for statements, name, lock in (
        (deadlines.SQL, "claim_due", "FOR UPDATE OF c SKIP LOCKED"),
        (record.SQL, "lock_cases", "FOR UPDATE"),
    ):
        statement = getattr(statements, name)
        assert statement.count(lock) == 1, f"{name} holds rows in another way now"
        setattr(statements, name, statement.replace(lock, ""))


def main() -> None:
    """Builds the faults in and goes on as `dispatch`."""
    split = sys.argv.index(SEPARATOR)
    faults, sys.argv[1:] = sys.argv[1:split], sys.argv[split + 1 :]
    for fault in faults:
        name, _, value = fault.partition("=")
        if name == "skew":
            skew(float(value))
        else:
            assert name == "unclaimed", f"no fault is called {name}"
            unclaimed()
    cli.main()


if __name__ == "__main__":
    main()
