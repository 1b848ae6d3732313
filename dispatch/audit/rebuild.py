"""Makes every case, task and clock again from events alone, and compares them with the tables.

    events of a case ──(each `wrote`, in order)──> columns ── compared with ──> cases, assignments, deadlines

What no event tells (`casework.columns`) is not compared. A case that was opened before events told what was written is counted as
`incomplete`; one whose words were erased is rebuilt like any other and counted as `redacted`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import asyncpg
import msgspec

from dispatch.audit.checkpoints import SQL
from dispatch.casework.columns import ASSIGNMENT_COLUMNS, CASE_COLUMNS, DEADLINE_COLUMNS, UNTOLD, digest_of
from dispatch.store.pool import Connection

CHUNK: Final = 500
MOST_DIFFERENCES: Final = 1_000
# What stands in an event in place of a long document.
DIGESTS: Final = {"reasons": "route", "ladder": "plan"}
# What a new row does not tell.
EMPTY: Final[tuple[Any, ...]] = (False, [], "", 0, "{}")


class Told(msgspec.Struct):
    """What an event says of rows: the case's, those of tasks by id, those of clocks by name, task and round."""

    case: dict[str, Any] = {}
    tasks: list[tuple[int, dict[str, Any]]] = []
    clocks: list[tuple[str, int | None, int, dict[str, Any]]] = []


class Line(msgspec.Struct):
    """An event, as far as it says what was written."""

    wrote: Told | None = None


_decode = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class Rebuilt:
    """The rows of one case, as its events have them."""

    case: dict[str, Any] = field(default_factory=dict)
    tasks: dict[int, dict[str, Any]] = field(default_factory=dict)
    clocks: dict[tuple[str, int | None, int], dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """A column of a row that is not what the events say; `row` is which task or clock, `column` None for a whole row."""

    case_no: str
    table: str
    row: str
    column: str | None
    stands: Any
    rebuilt: Any


@dataclass(slots=True)
class Comparison:
    """What was rebuilt and how it differs."""

    cases: int = 0
    tasks: int = 0
    clocks: int = 0
    events: int = 0
    incomplete: int = 0
    redacted: int = 0
    differences: list[Difference] = field(default_factory=list)


def fold(bodies: Sequence[bytes]) -> Rebuilt | None:
    """The rows of a case from its events in order; None if the first does not say what it wrote, or one is no event."""
    made = Rebuilt()
    for body in bodies:
        try:
            told = _decode(body).wrote
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if told is not None:
            made.case.update(told.case)
            for id, row in told.tasks:
                made.tasks.setdefault(id, {}).update(row)
            for clock, task, round, row in told.clocks:
                made.clocks.setdefault((clock, task, round), {}).update(row)
    return made if "opened_at" in made.case else None


async def rebuild(
    connection: Connection, *, case_no: str | None = None, done: Callable[[int], Any] = lambda cases: None
) -> Comparison:
    """Rebuilds the whole record, or one case, and compares, in one snapshot if the transaction has one; changes nothing.

    `done` hears of cases rebuilt.
    """
    found, behind = Comparison(), 0
    while cases := await connection.fetch(SQL.whole_cases, behind, case_no, CHUNK):
        ids, months = [case["id"] for case in cases], [case["opened_month"] for case in cases]
        events = _by_case(await connection.fetch(SQL.bodies_of, ids, months))
        tasks = _by_case(await connection.fetch(SQL.tasks_of, ids))
        clocks = _by_case(await connection.fetch(SQL.clocks_of, ids))
        for case in cases:
            bodies = [row["body"] for row in events.get(case["id"], [])]
            _compare(found, case, fold(bodies), tasks.get(case["id"], []), clocks.get(case["id"], []))
            found.events += len(bodies)
        behind = ids[-1]
        done(len(cases))
    return found


def _compare(
    found: Comparison,
    case: asyncpg.Record,
    made: Rebuilt | None,
    tasks: Sequence[asyncpg.Record],
    clocks: Sequence[asyncpg.Record],
) -> None:
    found.cases += 1
    found.redacted += case["redacted"]
    if made is None:
        found.incomplete += 1
        return
    found.tasks += len(made.tasks)
    found.clocks += len(made.clocks)
    standing = {
        "cases": {"": case},
        "assignments": {str(row["id"]): row for row in tasks},
        "deadlines": {_name(row["clock"], row["assignment_id"], row["round"]): row for row in clocks},
    }
    rebuilt = {
        "cases": {"": made.case},
        "assignments": {str(id): row for id, row in made.tasks.items()},
        "deadlines": {_name(*key): row for key, row in made.clocks.items()},
    }
    names = {"cases": CASE_COLUMNS, "assignments": ASSIGNMENT_COLUMNS, "deadlines": DEADLINE_COLUMNS}
    for table, columns in names.items():
        for difference in _rows(case["case_no"], table, columns, standing[table], rebuilt[table]):
            if len(found.differences) < MOST_DIFFERENCES:
                found.differences.append(difference)


def _rows(
    case_no: str,
    table: str,
    columns: Sequence[str],
    standing: Mapping[str, Any],
    rebuilt: Mapping[str, Mapping[str, Any]],
) -> Iterator[Difference]:
    for name in sorted(standing.keys() | rebuilt.keys()):
        row, made = standing.get(name), rebuilt.get(name)
        if row is None or made is None:
            yield Difference(case_no, table, name, None, row and "there", made and "there")
            continue
        for column in columns:
            if column not in UNTOLD and not _same(row[column], made.get(column)):
                yield Difference(case_no, table, name, column, row[column], made.get(column))
        for digest, column in DIGESTS.items():
            if column in columns and digest_of(row[column]) != made.get(digest):
                yield Difference(case_no, table, name, column, digest_of(row[column]), made.get(digest))


def _same(stands: Any, made: Any) -> bool:
    """Whether a value of the tables is the one that events have; JSON and instants however they are laid out."""
    if made is None:
        return stands is None or stands in EMPTY
    if isinstance(stands, datetime):
        return stands == datetime.fromisoformat(made)
    if isinstance(stands, str) and stands.startswith(("{", "[")):
        return bool(msgspec.json.decode(stands) == msgspec.json.decode(made))
    return bool(msgspec.to_builtins(stands) == made)


def _by_case(rows: Sequence[asyncpg.Record]) -> dict[int, list[asyncpg.Record]]:
    return {key: list(each) for key, each in groupby(rows, key=itemgetter("case_id"))}


def _name(clock: str, task: int | None, round: int) -> str:
    return f"{clock} {round}" if task is None else f"{clock} {round} of {task}"
