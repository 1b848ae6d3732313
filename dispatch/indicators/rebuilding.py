"""Makes all figures again from events alone, and compares them with those that were kept.

Of a case with events that were not counted yet, a comparison takes what it had added when it was counted last: lagging is no difference.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from dispatch.indicators.contribution import Contribution, Sums, pack, unpack
from dispatch.indicators.keeping import SQL, bodies_of, contribution_of
from dispatch.indicators.rules import Rulebook
from dispatch.store.pool import Connection

CHUNK: Final = 500
# So many figures are summed up in memory before they go to the database.
FLUSH: Final = 50_000
MOST_DIFFERENCES: Final = 1_000
# The few statements that go over everything at once.
LONG_S: Final = 3_600.0
FIGURES: Final = (
    "indicator", "day", "dimension", "key", "numerator", "denominator", "excluded", "excluded_numerator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what the events say: numerator, denominator, excluded, and its part in the numerator."""

    dimension: str
    indicator: str
    day: date
    key: str
    stands: list[int | None]
    made: list[int | None]


@dataclass(slots=True)
class Remade:
    """What was made anew, how many cases wait to be counted, how many do not say what they wrote, and what differs."""

    cases: int = 0
    events: int = 0
    waiting: int = 0
    incomplete: int = 0
    differences: list[Difference] = field(default_factory=list)


async def compare(connection: Connection, book: Rulebook, *, done: Callable[[int], Any] = lambda cases: None) -> Remade:
    """Compares every figure with what the events say, inside the running transaction, which needs one snapshot; changes no figure."""
    found = await _make(connection, book, done, lagging=True)
    found.differences = await _differences(connection)
    return found


async def rebuild(connection: Connection, book: Rulebook, *, done: Callable[[int], Any] = lambda cases: None) -> Remade:
    """Puts figures made anew from events in place of all that are there, inside the running transaction; says what differed.

    Nobody counts meanwhile; what happens meanwhile is named for the upkeep and counted afterwards.
    """
    await connection.execute(SQL.hold_waiting)
    found = await _make(connection, book, done, lagging=False)
    found.differences = await _differences(connection)
    for statement in (SQL.drop_figures, SQL.drop_cases, SQL.put_figures, SQL.put_cases):
        await connection.execute(statement, timeout=LONG_S)
    return found


async def _differences(connection: Connection) -> list[Difference]:
    rows = await connection.fetch(SQL.differing, MOST_DIFFERENCES, timeout=LONG_S)
    return [Difference(**row) for row in rows]


async def _make(connection: Connection, book: Rulebook, done: Callable[[int], Any], *, lagging: bool) -> Remade:
    """Fills the tables of what is made anew; with `lagging`, cases that wait to be counted as they were counted last."""
    await connection.execute(SQL.make_fresh)
    await connection.execute(SQL.make_fresh_cases)
    found, sums, behind = Remade(), Sums(), 0
    while cases := await connection.fetch(SQL.cases_after, behind, CHUNK):
        events = await bodies_of(connection, cases)
        kept = []
        for case in cases:
            bodies = events.get(case["id"], [])
            made: Contribution | None = await contribution_of(connection, book, bodies)
            found.events += len(bodies)
            found.incomplete += made is not None and not made.entries
            if len(bodies) > (case["seq"] or 0):
                found.waiting += 1
                if lagging:
                    made = unpack(case["contribution"]) if case["contribution"] else None
            if made is not None:
                sums.add(made)
                kept.append((case["id"], len(bodies), pack(made)))
        await connection.copy_records_to_table("fresh_cases", records=kept, columns=("case_id", "seq", "contribution"))
        if len(sums) >= FLUSH:
            await _flush(connection, sums)
        found.cases += len(cases)
        behind = cases[-1]["id"]
        done(len(cases))
    await _flush(connection, sums)
    return found


async def _flush(connection: Connection, sums: Sums) -> None:
    records = [(*name, *amount) for name, amount in sums.changed().items()]
    await connection.copy_records_to_table("fresh_figures", records=records, columns=FIGURES)
    sums.clear()
