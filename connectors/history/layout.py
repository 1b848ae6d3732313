"""The file a history lies in: CSV, gzipped CSV or xlsx, read as lines of texts with their numbers."""

import csv
import gzip
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal, TextIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from connectors.errors import ConnectorError

Kind = Literal["csv", "csv.gz", "xlsx"]
KINDS: Final[tuple[Kind, ...]] = ("csv", "csv.gz", "xlsx")
UNDECODABLE: Final = "\ufffd"


class UnreadableHistory(ConnectorError):
    """{path} cannot be read as {kind}: {problem}"""

    def __init__(self, path: Path, kind: str, problem: str) -> None:
        super().__init__(path, kind, problem)
        self.path = path
        self.kind = kind
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file is written. `encoding` and `delimiter` belong to CSV, `sheet` to xlsx (None: the first)."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None


def lines_of(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Every line that is not blank with the number of its first physical line from 1, the heading included.

    Bytes that the encoding does not know become U+FFFD. Raises UnreadableHistory where the file itself is broken.
    """
    try:
        yield from _sheet_lines(path, layout) if layout.kind == "xlsx" else _csv_lines(path, layout)
    except (OSError, EOFError, csv.Error, zipfile.BadZipFile, InvalidFileException, KeyError) as error:
        raise UnreadableHistory(path, layout.kind, str(error)) from error


def _csv_lines(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    with _open_text(path, layout) as text:
        reader = csv.reader(text, delimiter=layout.delimiter)
        first_line = 1
        for cells in reader:
            if cells:
                yield first_line, cells
            first_line = reader.line_num + 1


def _open_text(path: Path, layout: Layout) -> TextIO:
    encoding = "utf-8-sig" if layout.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else layout.encoding
    if layout.kind == "csv.gz":
        return gzip.open(path, "rt", encoding=encoding, errors="replace", newline="")
    return path.open(encoding=encoding, errors="replace", newline="")


def _sheet_lines(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book[layout.sheet] if layout.sheet is not None else book.worksheets[0]
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = [_cell_text(value) for value in values]
            if any(cells):
                yield number, cells
    finally:
        book.close()


def _cell_text(value: object) -> str:
    """Date cells as `2018-02-08 09:30:00`, whole numbers without a fraction, empty cells as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
