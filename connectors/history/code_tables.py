"""The code tables (码表) of a mapping: given in the file itself or in a CSV (UTF-8) beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.history.document import Document
from connectors.history.expressions import CodeTable
from connectors.history.layout import Layout, UnreadableHistory, lines_of


def read_code_tables(part: Document, folder: Path) -> dict[str, CodeTable]:
    """Every code table by its name; what is wrong goes to the faults of the document."""
    tables: dict[str, CodeTable] = {}
    for name in part.get("tables") or {}:
        where = f"tables.{name}"
        table = part.get("tables", name, keys=("rows", "file", "key", "value", "default"))
        if table is None:
            continue
        default = part.text(table, where, "default") if "default" in table else None
        if ("rows" in table) == ("file" in table):
            part.fault(where, "rows", "either rows or file")
            values: dict[str, str] = {}
        elif "rows" in table:
            values = _rows_given(part, where, table["rows"])
        else:
            values = _rows_beside(part, where, table, folder)
        tables[name] = CodeTable(values, default)
    return tables


def _rows_given(part: Document, where: str, rows: object) -> dict[str, str]:
    if isinstance(rows, dict) and all(isinstance(value, str) for value in rows.values()):
        return rows
    part.fault(where, "rows", "a table of texts")
    return {}


def _rows_beside(part: Document, where: str, table: Mapping[str, Any], folder: Path) -> dict[str, str]:
    file, key, value = (part.text(table, where, name) for name in ("file", "key", "value"))
    if not (file and key and value):
        return {}
    try:
        lines = [cells for _, cells in lines_of(folder / file, Layout("csv"))]
    except UnreadableHistory as error:
        part.fault(where, "file", str(error))
        return {}
    heading = lines[0] if lines else []
    for name, column in (("key", key), ("value", value)):
        if column not in heading:
            part.fault(where, name, f"{file} has no column {column}")
            return {}
    at_key, at_value = heading.index(key), heading.index(value)
    return {row[at_key].strip(): row[at_value].strip() for row in lines[1:] if len(row) > max(at_key, at_value)}
