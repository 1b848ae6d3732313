"""What people's decisions on suggested matches have taught (人工判定): a part of the score for each pair of kinds."""

from collections.abc import Mapping
from time import monotonic
from types import MappingProxyType
from typing import Final

from dispatch.store.pool import Executor
from dispatch.store.statements import load

SQL = load(__file__, "intake")
UNKNOWN: Final = "none"
MOST: Final = 0.1
# Pairs decided less often say little: so many imagined decisions stand against them.
DOUBT: Final = 4
EVERY_S: Final = 10.0
Lessons = Mapping[tuple[str, str], float]
NO_LESSONS: Final[Lessons] = MappingProxyType({})


def pair(one: str | None, other: str | None) -> tuple[str, str]:
    """Two kinds of things in the order in which decisions about them are counted."""
    first, second = sorted((one or UNKNOWN, other or UNKNOWN))
    return first, second


class Teacher:
    """The lessons of the database, read again now and then: what is decided this minute need not be known this second."""

    def __init__(self) -> None:
        self._known, self._read = NO_LESSONS, -EVERY_S

    async def lessons(self, connection: Executor) -> Lessons:
        """From -0.1 (always different) to 0.1 (always the same) for each pair of kinds."""
        if monotonic() - self._read >= EVERY_S:
            rows = await connection.fetch(SQL.lessons)
            self._known = {
                (r["kind_a"], r["kind_b"]): round(
                    MOST * (r["same"] - r["different"]) / (r["same"] + r["different"] + DOUBT), 3
                )
                for r in rows
            }
            self._read = monotonic()
        return self._known
