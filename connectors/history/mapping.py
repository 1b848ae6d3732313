"""The mapping file of a city's history (TOML): read whole, every fault at once, each with its table and key.

    [file]         kind = "csv" | "csv.gz" | "xlsx", encoding = "gb18030", delimiter = ",", sheet = "name"
    [time]         zone = "Asia/Shanghai", formats = ["%Y-%m-%d %H:%M:%S", ...]     times without offset are local
    [coordinates]  none = [[lon, lat], ...]                                         points that mean "not known"
    [report]       one expression per field of the wire form; its objects as tables: [report.location] ...
    [closing]      at = expression, status = expression, closed = ["Closed", ...]
    [deadline]     due = expression, unit = expression, flag = expression, late = ["OVERDUE", ...], in_time = [...]
    [tables.NAME]  default = "ours", and either rows = {foreign = "ours"}
                   or file = "beside.csv", key = "column", value = "column"

`channel`, `external_id`, `received_at` and one of `text` and `category` are required. `encoding`, `delimiter`, `sheet`,
`[coordinates]`, `[closing]`, `[deadline]`, `[tables]` and each `default` may be absent; without `status`, whatever has a
closing time is closed. `[deadline]` is for backtests only: no report is sent with it. `[columns]`, which may be there too, is
for those who learn from the file and is not read here. The expressions are explained in
`connectors.history.expressions`.
"""

import codecs
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connectors.history.code_tables import read_code_tables
from connectors.history.document import Document, MappingFault, MappingFaults
from connectors.history.expressions import CodeTable, Expression
from connectors.history.fields import form_of, time_reader
from connectors.history.layout import KINDS, Layout

REQUIRED: Final = ("channel", "external_id", "received_at")
TABLES: Final = ("file", "time", "coordinates", "report", "closing", "deadline", "tables", "columns")


@dataclass(frozen=True, slots=True)
class Closing:
    """Where the closing time stands, and by which status a row is closed (no status: by having a closing time)."""

    at: Expression
    status: Expression | None
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeadlineColumns:
    """Where the due time stands, whose it was, and by which values the city says itself whether it was kept."""

    due: Expression
    unit: Expression | None
    flag: Expression | None
    late: frozenset[str]
    in_time: frozenset[str]


@dataclass(frozen=True, slots=True)
class HistoryMapping:
    """A checked mapping. `fields` goes by the dotted path in the wire form; `no_point` holds (lon, lat)."""

    source: str
    layout: Layout
    read_time: Callable[[str], tuple[datetime, bool]]
    no_point: frozenset[tuple[float, float]]
    fields: Mapping[str, Expression]
    closing: Closing | None
    deadline: DeadlineColumns | None = None

    def expressions(self) -> Iterator[tuple[str, str, Expression]]:
        """Every expression with the TOML table and the key it stands at."""
        for path, expression in self.fields.items():
            table, _, key = f"report.{path}".rpartition(".")
            yield table, key, expression
        if self.closing is not None:
            yield "closing", "at", self.closing.at
            if self.closing.status is not None:
                yield "closing", "status", self.closing.status
        if self.deadline is not None:
            for key in ("due", "unit", "flag"):
                if (expression := getattr(self.deadline, key)) is not None:
                    yield "deadline", key, expression


def check_mapping(path: Path) -> tuple[MappingFault, ...]:
    """Every fault of a mapping file; empty for a good one. OSError where the file cannot be opened."""
    return _read(path)[1]


def read_mapping(path: Path) -> HistoryMapping:
    """The checked mapping. Raises MappingFaults with all of them at once; OSError where the file cannot be opened."""
    mapping, faults = _read(path)
    if mapping is None:
        raise MappingFaults(path.name, faults)
    return mapping


def check_columns(mapping: HistoryMapping, heading: list[str]) -> tuple[MappingFault, ...]:
    """The expressions that name a column which the file does not have."""
    known = set(heading)
    return tuple(
        MappingFault(table, key, f"the file has no column {', '.join(sorted(expression.columns - known))}")
        for table, key, expression in mapping.expressions()
        if expression.columns - known
    )


def _read(path: Path) -> tuple[HistoryMapping | None, tuple[MappingFault, ...]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, (MappingFault("", "", f"not TOML: {error}"),)
    faults = [MappingFault(name, "", "no such table") for name in document if name not in TABLES]
    part = Document(document, faults)
    tables = read_code_tables(part, path.parent)
    layout = _layout(part)
    read_time = _time_reader(part)
    no_point = _no_point(part)
    fields = _fields(part, tables)
    closing = _closing(part, tables)
    deadline = _deadline(part, tables)
    if faults or layout is None or read_time is None:
        return None, tuple(faults)
    return HistoryMapping(path.name, layout, read_time, no_point, fields, closing, deadline), ()


def _layout(part: Document) -> Layout | None:
    table = part.get("file", keys=("kind", "encoding", "delimiter", "sheet"))
    if table is None:
        part.fault("file", "", "missing")
        return None
    kind = next((known for known in KINDS if known == table.get("kind")), None)
    if kind is None:
        part.fault("file", "kind", f"one of {', '.join(KINDS)}")
    encoding = part.text(table, "file", "encoding", "utf-8")
    delimiter = part.text(table, "file", "delimiter", ",")
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        part.fault("file", "encoding", "no such encoding")
    if len(delimiter) != 1:
        part.fault("file", "delimiter", "one character")
    sheet = part.text(table, "file", "sheet") if "sheet" in table else None
    return None if kind is None else Layout(kind, encoding, delimiter, sheet)


def _time_reader(part: Document) -> Callable[[str], tuple[datetime, bool]] | None:
    table = part.get("time", keys=("zone", "formats"))
    if table is None:
        part.fault("time", "", "missing")
        return None
    formats = table.get("formats")
    if not isinstance(formats, list) or not formats or not all(isinstance(one, str) for one in formats):
        part.fault("time", "formats", "a list of at least one time format")
        return None
    try:
        zone = ZoneInfo(part.text(table, "time", "zone"))
    except (ValueError, OSError, LookupError):
        part.fault("time", "zone", "no such time zone")
        return None
    return time_reader(tuple(formats), zone)


def _no_point(part: Document) -> frozenset[tuple[float, float]]:
    table = part.get("coordinates", keys=("none",)) or {}
    points = table.get("none", [])
    try:
        return frozenset((float(lon), float(lat)) for lon, lat in points)
    except (TypeError, ValueError):
        part.fault("coordinates", "none", "a list of [longitude, latitude]")
        return frozenset()


def _fields(part: Document, tables: Mapping[str, CodeTable]) -> dict[str, Expression]:
    fields: dict[str, Expression] = {}
    for key, value in (part.get("report") or {}).items():
        inner = value if isinstance(value, dict) else {key: value}
        name, prefix = (f"report.{key}", f"{key}.") if isinstance(value, dict) else ("report", "")
        for leaf, source in inner.items():
            if form_of(prefix + leaf) is None:
                part.fault(name, leaf, "a report has no such field")
                continue
            expression = part.expression(name, leaf, source, tables)
            if expression is not None:
                fields[prefix + leaf] = expression
    given = part.get("report") or {}
    for key in REQUIRED:
        if key not in given:
            part.fault("report", key, "missing")
    if not ({"text", "category"} & given.keys()):
        part.fault("report", "text", "missing, and category too: one of them is needed")
    return fields


def _closing(part: Document, tables: Mapping[str, CodeTable]) -> Closing | None:
    table = part.get("closing", keys=("at", "status", "closed"))
    if table is None:
        return None
    at = part.expression("closing", "at", table.get("at"), tables)
    status = part.expression("closing", "status", table["status"], tables) if "status" in table else None
    closed = table.get("closed", [])
    if not isinstance(closed, list) or not all(isinstance(one, str) for one in closed):
        part.fault("closing", "closed", "a list of texts")
        closed = []
    if ("status" in table) != bool(closed):
        part.fault("closing", "closed", "status and closed belong together")
    return None if at is None else Closing(at, status, frozenset(closed))


def _deadline(part: Document, tables: Mapping[str, CodeTable]) -> DeadlineColumns | None:
    table = part.get("deadline", keys=("due", "unit", "flag", "late", "in_time"))
    if table is None:
        return None
    read = {
        key: part.expression("deadline", key, table[key], tables) if key in table else None
        for key in ("due", "unit", "flag")
    }
    values: dict[str, frozenset[str]] = {}
    for key in ("late", "in_time"):
        given = table.get(key, [])
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            part.fault("deadline", key, "a list of texts")
            given = []
        values[key] = frozenset(given)
    if "due" not in table:
        part.fault("deadline", "due", "missing")
    if ("flag" in table) != bool(values["late"]):
        part.fault("deadline", "flag", "flag and late belong together")
    due = read["due"]
    return None if due is None else DeadlineColumns(due, read["unit"], read["flag"], values["late"], values["in_time"])
