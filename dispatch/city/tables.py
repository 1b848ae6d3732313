"""CSV files read into rows, with the line of each and every fault of the form."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any, Generic, TypeVar, get_origin

import msgspec

from sla.errors import Fault

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Line(Generic[T]):
    """One row and where it begins: the line of the file, counted from 1."""

    number: int
    row: T


def decode(file: str, data: bytes, faults: list[Fault]) -> str | None:
    """The text of a file in UTF-8, with or without a byte order mark; None and a fault otherwise."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(Fault(file, line, "", "is not UTF-8: save the file as “CSV UTF-8”"))
        return None


def read_table(
    file: str, data: bytes, row_type: type[T], faults: list[Fault], *, may_be_empty: bool = False
) -> list[Line[T]]:
    """The good rows of a CSV file whose header names the fields of `row_type`, in any order."""
    text = decode(file, data, faults)
    if text is None:
        return []
    records = _records(file, text, faults)
    _, header = next(records, (1, []))
    fields = {field.name: field for field in msgspec.structs.fields(row_type)}
    if not _header_is_good(file, header, fields, faults):
        return []
    before = len(faults)
    lines = [line for number, cells in records if (line := _line(file, number, header, cells, row_type, faults))]
    if not lines and len(faults) == before and not may_be_empty:
        faults.append(Fault(file, 1, "", "has no rows"))
    return lines


def _line(
    file: str, number: int, header: list[str], cells: list[str], row_type: type[T], faults: list[Fault]
) -> Line[T] | None:
    """One record as a row; None and a fault for each cell that is wrong."""
    if len(cells) != len(header):
        faults.append(Fault(file, number, "", f"has {len(cells)} cells, the header has {len(header)}"))
        return None
    fields = {field.name: field for field in msgspec.structs.fields(row_type)}
    values, found = {}, []
    for name, cell in zip(header, cells, strict=True):
        if not cell and not fields[name].required:
            continue
        try:
            values[name] = read_cell(cell, fields[name].type)
        except ValueError as error:
            found.append(Fault(file, number, name, str(error)))
    faults += found
    return None if found else Line(number, row_type(**values))


def read_cell(cell: str, type_: Any) -> Any:
    """The value of one cell; raises ValueError saying what is wrong."""
    if not cell:
        raise ValueError("is empty")
    value: Any = cell.split() if get_origin(type_) is tuple else cell
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{cell!r}: {error}") from None


def _records(file: str, text: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Line and stripped cells of every record that is not blank."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    number = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped
            number = reader.line_num + 1
    except csv.Error as error:
        faults.append(Fault(file, number, "", f"is not CSV: {error}"))


def _header_is_good(file: str, header: list[str], fields: dict[str, Any], faults: list[Fault]) -> bool:
    found = [
        Fault(file, 1, name, "column missing")
        for name, field in fields.items()
        if field.required and name not in header
    ]
    found += [Fault(file, 1, name, "column unknown") for name in header if name not in fields]
    found += [
        Fault(file, 1, name, "column twice") for name in sorted({name for name in header if header.count(name) > 1})
    ]
    faults += found
    return not found
