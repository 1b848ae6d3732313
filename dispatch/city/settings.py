"""`city.toml`: the name of the city, its desks, switches, thresholds, work calendar, cells and code tables."""

import re
import tomllib
from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from dispatch.city.calendars import CalendarSection, GroupSection
from dispatch.city.categories import Branch
from dispatch.city.model import Automatic, Casework, Desk, FileRules, Indicators, Locating, Matching, Retention
from dispatch.city.tables import decode
from sla.errors import Fault
from sla.limits import Dialect

FILE: Final = "city.toml"

_HEADER: Final = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?")
_FIELD: Final = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")
_PLACE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)")


class CellsSection(Struct, frozen=True):
    size_m: Annotated[float, Meta(gt=0)]
    border_m: Annotated[float, Meta(ge=0)] = 15.0


class CodeTable(Struct, frozen=True):
    """One code table: branch and version of its rows, and the dialect in which its limits read a bare 小时 or 天."""

    branch: Branch
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,20}$")]
    file: Annotated[str, Meta(pattern=r"^[\w.-]+\.csv$")]
    current: bool
    dialect: Dialect | None = None


class Settings(Struct, frozen=True):
    name: Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    code: str
    time_zone: str
    desk: Desk
    automatic: Automatic
    matching: Matching
    cells: CellsSection
    codes: tuple[CodeTable, ...]
    calendar: CalendarSection = CalendarSection()
    groups: tuple[GroupSection, ...] = ()
    locating: Locating = Locating()
    casework: Casework = Casework()
    indicators: Indicators = Indicators()
    files: FileRules = FileRules()
    retention: Retention = Retention()


def read_settings(data: bytes, faults: list[Fault]) -> Settings | None:
    """The settings, or None when anything in them is wrong."""
    text = decode(FILE, data, faults)
    if text is None:
        return None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        faults.append(Fault(FILE, line, "", f"is not TOML: {_PLACE.sub('', str(error))}"))
        return None
    found = [Fault(FILE, line_of(text, path), path, problem) for path, problem in _problems(document, Settings, "")]
    if not found:
        settings = msgspec.convert(document, Settings)
        found += _table_faults(settings.codes, text)
    faults += found
    return None if found else settings


def line_of(text: str, path: str) -> int:
    """The line of `field`, `section.field` or `section[n].field`; without it that of the section, else 1."""
    section, _, field = path.rpartition(".")
    best, here, counts = 1, "", {"": 0}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[1]
            counts[name] = counts.get(name, -1) + 1
            here = f"{name}[{counts[name]}]" if line.lstrip().startswith("[[") else name
            if here in (path, section) or name == path:
                best = number
        elif here == section and (match := _FIELD.match(line)) and match[1] == field:
            return number
    return best


def _table_faults(tables: tuple[CodeTable, ...], text: str) -> Iterator[Fault]:
    """There are tables, each branch has one current, and each table its own file."""
    if not tables:
        yield Fault(FILE, line_of(text, "codes"), "codes", "names no table")
    current: dict[str, str] = {}
    files: set[str] = set()
    for index, table in enumerate(tables):
        if table.current and (first := current.setdefault(table.branch, table.file)) != table.file:
            path = f"codes[{index}].current"
            yield Fault(FILE, line_of(text, path), path, f"{first} is current for {table.branch} already")
        if table.file in files:
            path = f"codes[{index}].file"
            yield Fault(FILE, line_of(text, path), path, f"{table.file} is named twice")
        files.add(table.file)
    for branch in sorted({table.branch for table in tables} - current.keys()):
        yield Fault(FILE, line_of(text, "codes"), "codes", f"no table of {branch} is current")


def _problems(value: Any, type_: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path and problem of everything in a TOML value that does not fit its type."""
    if isinstance(type_, type) and issubclass(type_, Struct):
        if not isinstance(value, dict):
            yield path, "must be a section"
            return
        fields = {field.name: field for field in msgspec.structs.fields(type_)}
        for name in value.keys() - fields.keys():
            yield _join(path, name), "is unknown"
        for name, field in fields.items():
            if name in value:
                yield from _problems(value[name], field.type, _join(path, name))
            elif field.required:
                yield _join(path, name), "is missing"
    elif get_origin(type_) is tuple and isinstance(value, list):
        for index, each in enumerate(value):
            yield from _problems(each, get_args(type_)[0], f"{path}[{index}]" if isinstance(each, dict) else path)
    else:
        try:
            msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            yield path, str(error)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
