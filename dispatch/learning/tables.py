"""Tables of a city's history as files: rows by column, faults named with file, line and column.

What a column is called in the file may be said in a mapping (TOML), also in one that `dispatch replay` reads:

    [columns]
    category = "sub_type_code"         # ours = the file's
    text = ["topic", "detail"]         # of several, a line each
"""

import csv
import gzip
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TextIO

from dispatch.intake.read import compared
from dispatch.intake.words import Words
from dispatch.learning.pairs import LABELS, Pair
from dispatch.people.masking import find_personal, mask_text

# Our name of a column → what it is called in the file, or several that make it up.
Names = Mapping[str, tuple[str, ...]]
NO_NAMES: Final[Names] = MappingProxyType({})


@dataclass
class FaultyTable(Exception):
    """{file}, line {line}: {column} {problem}."""

    file: str
    line: int
    column: str
    problem: str

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


def names(path: Path) -> Names:
    """What the columns are called, by the table [columns] of a mapping. Raises FaultyTable."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8")).get("columns", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise FaultyTable(path.name, 1, "the file", f"is not TOML: {fault}") from None
    if not isinstance(given, dict) or not given:
        raise FaultyTable(path.name, 1, "[columns]", "says nothing")
    found = {}
    for ours, theirs in given.items():
        listed = theirs if isinstance(theirs, list) else [theirs]
        if not listed or not all(isinstance(each, str) and each for each in listed):
            raise FaultyTable(path.name, 1, f"[columns] {ours}", "is neither a name of a column nor a list of them")
        found[ours] = tuple(listed)
    return found


def rows(path: Path, columns: Sequence[str], names: Names = NO_NAMES) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row, by our names of the columns, with its line. Raises FaultyTable for a column that is missing and for what is no UTF-8."""
    try:
        with _opened(path) as file:
            reader = csv.DictReader(file)
            called = {column: _called(column, reader.fieldnames or (), names) for column in columns}
            for column in (theirs for each in called.values() for theirs in each):
                if column not in (reader.fieldnames or ()):
                    raise FaultyTable(path.name, 1, column, "is no column of this file")
            for row in reader:
                yield (
                    reader.line_num,
                    {ours: "\n".join(row[c] for c in theirs if row[c]) for ours, theirs in called.items()},
                )
    except UnicodeDecodeError as fault:
        raise FaultyTable(path.name, 1, "the file", f"is no UTF-8: {fault.reason}") from None


def _called(column: str, there: Sequence[str], names: Names) -> tuple[str, ...]:
    """What a column is called in this file: as the mapping says; a file without that may have it by our own name."""
    theirs = names.get(column, (column,))
    return (column,) if column in there and not set(theirs) <= set(there) else theirs


def handled(
    path: Path, columns: Sequence[str], target: str, time: str, names: Names = NO_NAMES
) -> list[dict[str, str]]:
    """Cases whose unit is known, with when they came in. Raises FaultyTable for a time that does not begin with a day."""
    found = []
    for line, row in rows(path, list(dict.fromkeys((*columns, target, time))), names):
        try:
            date.fromisoformat(row[time][:10])
        except ValueError:
            raise FaultyTable(path.name, line, time, f"{row[time] or 'nothing'} does not begin YYYY-MM-DD") from None
        if row[target]:
            found.append(row)
    return found


def messages(path: Path, names: Names = NO_NAMES) -> dict[str, Words]:
    """The words of messages by their number. Raises FaultyTable for a number that stands twice."""
    found: dict[str, Words] = {}
    for line, row in rows(path, ("message", "topic", "detail"), names):
        if row["message"] in found:
            raise FaultyTable(path.name, line, "message", f"{row['message']} stood before")
        said = f"{row['topic']}\n{row['detail']}" if row["topic"] else row["detail"]
        found[row["message"]] = compared(row["topic"], mask_text(said, find_personal(said)))
    return found


def pairs(path: Path, known: Iterable[str], names: Names = NO_NAMES, *, judged: bool) -> list[Pair]:
    """Pairs of known messages, in order, with the label where the file has one. Raises FaultyTable; `judged` asks for labels."""
    there, found = set(known), list[Pair]()
    labelled = judged or has(path, "label", names)
    for line, row in rows(path, ("message_a", "message_b", *(("label",) if labelled else ())), names):
        for column in ("message_a", "message_b"):
            if row[column] not in there:
                raise FaultyTable(path.name, line, column, f"{row[column] or 'nothing'} is none of the messages")
        label = row.get("label") or None
        if label is not None and label not in LABELS:
            raise FaultyTable(path.name, line, "label", f"{label} is none of {', '.join(LABELS)}")
        if judged and label is None:
            raise FaultyTable(path.name, line, "label", "is empty")
        found.append(Pair(row["message_a"], row["message_b"], label))
    return found


def has(path: Path, column: str, names: Names = NO_NAMES) -> bool:
    """Whether a file has a column."""
    with _opened(path) as file:
        there = csv.DictReader(file).fieldnames or ()
    return all(each in there for each in _called(column, there, names))


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


@contextmanager
def written(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """A writer of rows with a heading; the file is there once it is whole."""
    draft = path.with_name(path.name + ".part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield writer
    draft.replace(path)
