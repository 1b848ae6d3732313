"""The shipped mappings over the real files, where they are present: every row mapped, no fault."""

from pathlib import Path

import pytest

from connectors.history.mapping import read_mapping
from connectors.history.rows import HistoryRow, read_history


def history(config: pytest.Config, name: str, file: str) -> list[HistoryRow]:
    path = config.rootpath.parent / "shared" / "data" / file
    if not path.exists():
        pytest.skip(f"the measuring data {file} is not beside the project")
    return read_history(path, read_mapping(Path(config.rootpath, "config", "mappings", f"{name}.toml")))


def test_every_boston_row_is_mapped(pytestconfig: pytest.Config) -> None:
    rows = history(pytestconfig, "boston", "boston/cases.csv.gz")
    assert len(rows) == 31_828
    assert [row for row in rows if row.faults or row.unmapped] == []
    assert len({row.report["external_id"] for row in rows}) == 31_828
    assert len({row.report["category"] for row in rows}) == 129
    assert sum("lon" in row.report.get("location", {}) for row in rows) == 31_828 - 2_462
    assert sum(row.closed_at is not None for row in rows) == 30_081
    assert rows[0].report["received_at"] == "2011-07-01T01:32:33-04:00"
    assert all(row.report["text"] for row in rows)


def test_every_message_is_mapped_without_a_place_or_a_number(pytestconfig: pytest.Config) -> None:
    rows = history(pytestconfig, "messages", "messages/stream.csv")
    assert len(rows) == 3_961
    assert [row for row in rows if row.faults or row.unmapped] == []
    fields = {"channel", "external_id", "received_at", "title", "text", "caller"}
    assert all(row.report.keys() == fields and row.report["caller"].keys() == {"name"} for row in rows)


def test_every_pingshan_row_is_mapped(pytestconfig: pytest.Config) -> None:
    rows = history(pytestconfig, "pingshan", "pingshan/cases.csv")
    assert len(rows) == 6_000
    assert [row for row in rows if row.faults or row.unmapped] == []
    assert all(row.report["category"] and row.report["location"]["address"] for row in rows)
