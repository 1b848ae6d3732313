"""Rows of a TOML file: an array of tables, read with the line of every field so that each fault names its place."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sla.errors import Fault

_ARRAY_HEADER: Final = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
_OTHER_HEADER: Final = re.compile(r"\[")
_FIELD: Final = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")
_TOML_PLACE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)")


class Row:
    """One table of the array. Reading a field that is wrong adds a fault and gives an empty value.

    `sound` is False from the first fault on, so that a row which is wrong in itself is not also compared with others.
    """

    def __init__(self, values: dict[str, object], line: int, lines: dict[str, int], source: str, faults: list[Fault]):
        self.line = line
        self.sound = True
        self._values = values
        self._lines = lines
        self._source = source
        self._faults = faults

    def fault(self, field: str, problem: str) -> None:
        self.sound = False
        self._faults.append(Fault(self._source, self._lines.get(field, self.line), field, problem))

    def only(self, fields: Sequence[str]) -> None:
        """Fault every field that is not among `fields`."""
        for field in self._values:
            if field not in fields:
                self.fault(field, f"unknown field; known are {', '.join(fields)}")

    def word(self, field: str) -> str:
        """A required text that is not empty."""
        value = self._values.get(field)
        if isinstance(value, str) and value.strip():
            return value
        self.fault(field, "is missing" if value is None else "must be a text that is not empty")
        return ""

    def optional(self, field: str) -> str:
        """A text, empty where the field is absent."""
        return self.word(field) if field in self._values else ""

    def number(self, field: str) -> int | None:
        """A required whole number from 0."""
        value = self._values.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.fault(field, "is missing" if value is None else "must be a whole number from 0")
        return None

    def flag(self, field: str) -> bool:
        """True or false; false where the field is absent."""
        value = self._values.get(field, False)
        if not isinstance(value, bool):
            self.fault(field, "must be true or false")
        return value is True

    def numbers(self, field: str) -> tuple[int, ...]:
        """One whole number from 0 or an array of different ones; empty where the field is absent."""
        value = self._values.get(field)
        if value is None:
            return ()
        found = value if isinstance(value, list) else [value]
        if not found or not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in found):
            self.fault(field, "must be a whole number from 0 or an array of them")
            return ()
        if len(set(found)) < len(found):
            self.fault(field, "names something twice")
        return tuple(dict.fromkeys(found))

    def words(self, field: str, allowed: Sequence[str] = ()) -> tuple[str, ...]:
        """One text or an array of different ones, of `allowed` if that is given; empty where the field is absent."""
        value = self._values.get(field)
        if value is None:
            return ()
        found = value if isinstance(value, list) else [value]
        if not found or not all(isinstance(word, str) and word for word in found):
            self.fault(field, "must be a text or an array of texts, none empty")
            return ()
        if len(set(found)) < len(found):
            self.fault(field, "names something twice")
        for word in found:
            if allowed and word not in allowed:
                self.fault(field, f"unknown value {word!r}; known are {', '.join(allowed)}")
        return tuple(dict.fromkeys(found))

    def dates(self, field: str) -> frozenset[date]:
        """An array of different days, as TOML dates or as texts like 2027-02-06; empty where the field is absent."""
        found = self._values.get(field, [])
        days = [_day(value) for value in found] if isinstance(found, list) else [None]
        known = [day for day in days if day is not None]
        if len(known) < len(days):
            self.fault(field, "must be an array of days like 2027-02-06")
        if len(set(known)) < len(known):
            self.fault(field, "names a day twice")
        return frozenset(known)


def _day(value: object) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    # A TOML date and time is a date too, but says more than a day.
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def read_rows(text: str, source: str, table: str) -> tuple[list[Row], list[Fault]]:
    """The rows of `[[table]]` in order, and the list into which they put their faults.

    A text that is not TOML, or holds anything else at its top, gives its faults at once.
    """
    faults: list[Fault] = []
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [_syntax_fault(str(error), text, source)]
    places = _places(text, table)
    faults += [
        Fault(source, _top_line(text, name), name, f"unknown; this file holds [[{table}]] only")
        for name in document
        if name != table
    ]
    found = document.get(table, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        return [], [*faults, Fault(source, _top_line(text, table), table, f"must be written as [[{table}]] tables")]
    if len(places) != len(found):
        return [], [*faults, Fault(source, _top_line(text, table), table, f"write each row under its own [[{table}]]")]
    rows = [Row(values, *place, source, faults) for values, place in zip(found, places, strict=True)]
    return rows, faults


def _syntax_fault(message: str, text: str, source: str) -> Fault:
    place = _TOML_PLACE.search(message)
    line = int(place[1]) if place else text.count("\n") + 1
    return Fault(source, line, "", f"not TOML: {_TOML_PLACE.sub('', message)}")


def _places(text: str, table: str) -> list[tuple[int, dict[str, int]]]:
    """For each `[[table]]` header its line and the lines of the fields below it."""
    places: list[tuple[int, dict[str, int]]] = []
    fields: dict[str, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = _ARRAY_HEADER.match(line)
        if header and header[1] == table:
            fields = {}
            places.append((number, fields))
        elif _OTHER_HEADER.match(line):
            fields = None
        elif fields is not None and (field := _FIELD.match(line)):
            fields.setdefault(field[1], number)
    return places


def _top_line(text: str, name: str) -> int:
    top = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[\].=]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if top.match(line)), 1)
