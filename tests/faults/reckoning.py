"""What had to be told, what was told, and the difference: counted on files, without a look into the service."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec


class Entry(msgspec.Struct, frozen=True, order=True):
    """One step of one clock of one case, with the instant for which it is planned."""

    case_no: str
    clock: str
    level: int | None
    due_at: datetime


class Arrival(msgspec.Struct, frozen=True):
    """One notice as it reached the receiver; a repetition has the id of the first."""

    notice: str
    signed: bool
    said: dict[str, Any]
    answer: int

    @property
    def entry(self) -> Entry:
        return msgspec.convert(self.said["data"], Entry)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """`lost`: nobody was told. `doubled`: told under two ids. `stray`: told, but on no list. `repeated`: sent again, same id."""

    lost: tuple[Entry, ...]
    doubled: tuple[Entry, ...]
    stray: tuple[Entry, ...]
    unsigned: int
    repeated: int


def reckon(listed: Iterable[Entry], arrivals: Iterable[Arrival]) -> Reckoning:
    """Compares a list with what arrived, whatever the order."""
    expected, told, count, unsigned = set(listed), defaultdict(set), 0, 0
    for arrival in arrivals:
        if arrival.said["type"] == "deadline":
            told[arrival.entry].add(arrival.notice)
            count += 1
            unsigned += not arrival.signed
    return Reckoning(
        lost=tuple(sorted(expected - told.keys())),
        doubled=tuple(sorted(entry for entry, notices in told.items() if len(notices) > 1)),
        stray=tuple(sorted(told.keys() - expected)),
        unsigned=unsigned,
        repeated=count - sum(map(len, told.values())),
    )


def write_list(path: Path, entries: Iterable[Entry]) -> None:
    """One entry a line; never over a list that is there."""
    with path.open("xb") as file:
        file.writelines(msgspec.json.encode(entry) + b"\n" for entry in entries)


def read_list(path: Path) -> list[Entry]:
    """The entries of a list."""
    return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()]


def read_arrivals(path: Path) -> list[Arrival]:
    """What a receiver has written so far."""
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [msgspec.json.decode(line, type=Arrival) for line in whole.splitlines()]
