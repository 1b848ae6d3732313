"""Tables of a city's history as files: rows by column, faults named with file, line and column."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from dispatch.intake.read import compared
from dispatch.intake.words import Words
from dispatch.learning.pairs import LABELS, Pair
from dispatch.people.masking import find_personal, mask_text


@dataclass
class FaultyTable(Exception):
    """{file}, line {line}: {column} {problem}."""

    file: str
    line: int
    column: str
    problem: str

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line. Raises FaultyTable for a column that is missing and for what is no UTF-8."""
    try:
        with _opened(path) as file:
            reader = csv.DictReader(file)
            for column in columns:
                if column not in (reader.fieldnames or ()):
                    raise FaultyTable(path.name, 1, column, "is no column of this file")
            for row in reader:
                yield reader.line_num, {column: row[column] or "" for column in columns}
    except UnicodeDecodeError as fault:
        raise FaultyTable(path.name, 1, "the file", f"is no UTF-8: {fault.reason}") from None


def messages(path: Path) -> dict[str, Words]:
    """The words of messages by their number. Raises FaultyTable for a number that stands twice."""
    found: dict[str, Words] = {}
    for line, row in rows(path, ("message", "topic", "detail")):
        if row["message"] in found:
            raise FaultyTable(path.name, line, "message", f"{row['message']} stood before")
        said = f"{row['topic']}\n{row['detail']}" if row["topic"] else row["detail"]
        found[row["message"]] = compared(row["topic"], mask_text(said, find_personal(said)))
    return found


def pairs(path: Path, known: Iterable[str], *, judged: bool) -> list[Pair]:
    """Pairs of known messages, in order, with the label where the file has one. Raises FaultyTable; `judged` asks for labels."""
    there, found = set(known), list[Pair]()
    labelled = judged or has(path, "label")
    for line, row in rows(path, ("message_a", "message_b", *(("label",) if labelled else ()))):
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


def has(path: Path, column: str) -> bool:
    """Whether a file has a column."""
    with _opened(path) as file:
        return column in (csv.DictReader(file).fieldnames or ())


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
