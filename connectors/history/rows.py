"""From a row of a city's history to a report in the wire form, with whatever could not be read named beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connectors.history.document import MappingFaults
from connectors.history.expressions import Expression
from connectors.history.fields import as_flag, as_number, form_of
from connectors.history.layout import UNDECODABLE, UnreadableHistory, lines_of
from connectors.history.mapping import HistoryMapping, check_columns

LONGEST_VALUE: Final = 40


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing of one row that could not be read: the field of the report (or of the row), the problem, and the value
    where it is a number, time or flag (at most 40 characters; texts are never repeated here)."""

    key: str
    problem: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row as a report in the wire form. `line` is its first line in the file; `closed_at` is None while open."""

    line: int
    report: dict[str, Any]
    received_at: datetime | None
    closed_at: datetime | None
    faults: tuple[RowFault, ...] = ()

    @property
    def settled_at(self) -> datetime | None:
        """The closing time, but never before the row was received; None while open or where either time is unknown."""
        if self.closed_at is None or self.received_at is None:
            return None
        return max(self.closed_at, self.received_at)

    @property
    def unmapped(self) -> str | None:
        """What a report cannot be sent without and this row lacks; None for one that can be sent."""
        for key in ("external_id", "channel", "received_at"):
            if key not in self.report:
                return key
        return None


@dataclass(slots=True)
class _Draft:
    """A report in the making."""

    report: dict[str, Any] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)

    def put(self, path: str, value: object) -> None:
        *parents, leaf = path.split(".", 1)
        inner = self.report
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[leaf] = value


def mapped_lines(path: Path, mapping: HistoryMapping) -> Iterator[tuple[int, list[str], list[str]]]:
    """Every line behind the heading: its number, the heading, its cells.

    Raises UnreadableHistory for a broken file, MappingFaults for columns that the file does not have.
    """
    lines = lines_of(path, mapping.layout)
    _, heading = next(lines, (0, []))
    if len(set(heading)) != len(heading):
        raise UnreadableHistory(path, mapping.layout.kind, "two columns have one name")
    faults = check_columns(mapping, heading)
    if faults:
        raise MappingFaults(mapping.source, faults)
    for line, cells in lines:
        yield line, heading, cells


def by_column(heading: list[str], cells: list[str]) -> dict[str, str]:
    """The cells of a line by their columns; cells that are not there are empty."""
    return dict(zip(heading, cells + [""] * (len(heading) - len(cells)), strict=False))


def stream_rows(path: Path, mapping: HistoryMapping) -> Iterator[HistoryRow]:
    """Every row of the file in its own order; none is dropped, whatever is wrong with it. Raises what `mapped_lines` raises."""
    for line, heading, cells in mapped_lines(path, mapping):
        yield _row(line, heading, cells, mapping)


def read_history(path: Path, mapping: HistoryMapping) -> list[HistoryRow]:
    """Every row by the time it was received, equal times in the order of the file; rows without a time stand last."""
    rows = list(stream_rows(path, mapping))
    timed = [row for row in rows if row.received_at is not None]
    timed.sort(key=lambda row: row.received_at.timestamp() if row.received_at else 0.0)
    return timed + [row for row in rows if row.received_at is None]


def _row(line: int, heading: list[str], cells: list[str], mapping: HistoryMapping) -> HistoryRow:
    draft = _Draft()
    if len(cells) != len(heading):
        draft.faults.append(RowFault("row", f"{len(cells)} cells under {len(heading)} columns"))
    if any(UNDECODABLE in cell for cell in cells):
        draft.faults.append(RowFault("row", "bytes that the encoding does not know"))
    columns = by_column(heading, cells)
    received_at = None
    for path, expression in mapping.fields.items():
        text = _text(draft, path, expression, columns)
        if text:
            value = _value(draft, path, text, mapping)
            if value is not None:
                draft.put(path, value.isoformat() if isinstance(value, datetime) else value)
            if path == "received_at" and isinstance(value, datetime):
                received_at = value
    _drop_unknown_point(draft.report, mapping)
    closed_at = _closed_at(draft, columns, mapping, received_at)
    row = HistoryRow(line, draft.report, received_at, closed_at, tuple(draft.faults))
    lacks = row.unmapped
    if lacks is None or any(fault.key == lacks for fault in row.faults):
        return row
    return HistoryRow(line, draft.report, received_at, closed_at, (*row.faults, RowFault(lacks, "missing")))


def _text(draft: _Draft, path: str, expression: Expression, columns: dict[str, str]) -> str:
    try:
        value = expression.evaluate(columns)
    except ValueError as error:
        draft.faults.append(RowFault(path, str(error)))
        return ""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).strip()
    draft.faults.append(RowFault(path, "the expression gives neither a text nor a number"))
    return ""


def _value(draft: _Draft, path: str, text: str, mapping: HistoryMapping) -> object:
    try:
        match form_of(path):
            case "number":
                return as_number(text)
            case "flag":
                return as_flag(text)
            case "time":
                return _time(draft, path, text, mapping)
            case _:
                return text
    except ValueError as error:
        draft.faults.append(RowFault(path, str(error), text[:LONGEST_VALUE]))
        return None


def _time(draft: _Draft, path: str, text: str, mapping: HistoryMapping) -> datetime:
    time, shifted = mapping.read_time(text)
    if shifted:
        draft.faults.append(RowFault(path, "no such local time, shifted forward", text[:LONGEST_VALUE]))
    return time


def _drop_unknown_point(report: dict[str, Any], mapping: HistoryMapping) -> None:
    """A default point or half a point is no place; the address stays."""
    location = report.get("location", {})
    point = (location.get("lon"), location.get("lat"))
    if None in point or point in mapping.no_point:
        for key in ("lon", "lat", "crs"):
            location.pop(key, None)
    if location == {}:
        report.pop("location", None)


def _closed_at(
    draft: _Draft, columns: dict[str, str], mapping: HistoryMapping, received_at: datetime | None
) -> datetime | None:
    if mapping.closing is None:
        return None
    closed = True
    if mapping.closing.status is not None:
        closed = _text(draft, "closing.status", mapping.closing.status, columns) in mapping.closing.closed
    text = _text(draft, "closing.at", mapping.closing.at, columns)
    if not closed or not text:
        if closed != bool(text) and mapping.closing.status is not None:
            problem = "closed without a time" if closed else "a closing time on an open row"
            draft.faults.append(RowFault("closing.at", problem))
        return None
    try:
        closed_at = _time(draft, "closing.at", text, mapping)
    except ValueError as error:
        draft.faults.append(RowFault("closing.at", str(error), text[:LONGEST_VALUE]))
        return None
    if received_at is not None and closed_at < received_at:
        draft.faults.append(RowFault("closing.at", "closed before it was received", text[:LONGEST_VALUE]))
    return closed_at
