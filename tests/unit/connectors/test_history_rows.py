"""Rows of a city's history become reports, and whatever cannot be read is named."""

import csv
import gzip
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from connectors.history.document import MappingFaults
from connectors.history.expressions import slug
from connectors.history.layout import UnreadableHistory
from connectors.history.mapping import check_mapping, read_mapping
from connectors.history.rows import HistoryRow, RowFault, read_history, stream_rows

MAPPING = """
[file]
kind = "csv"
encoding = "gb18030"
delimiter = ";"
[time]
zone = "America/New_York"
formats = ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d"]
[coordinates]
none = [[116.0, 33.0]]
[report]
channel = "'old-hotline'"
external_id = "编号"
received_at = "opened"
category = "lookup('codes', 类别)"
title = "strip(类别)"
text = "words('，', [类别, 地址])"
callback_required = "lookup('yes', 回访)"
[report.location]
lon = "lon"
lat = "lat"
crs = "'gcj02'"
address = "地址"
[report.caller]
name = "join('', [姓, '女士'])"
[report.attributes]
source = "slug(来源)"
[closing]
at = "closed"
status = "状态"
closed = ["办结"]
[tables.codes]
file = "codes.csv"
key = "old"
value = "new"
[tables.yes]
rows = { "是" = "true", "否" = "false" }
"""
HEADING = ["编号", "opened", "类别", "地址", "回访", "lon", "lat", "姓", "来源", "状态", "closed"]
GOOD = [
    "1",
    "2026-01-05 08:00:00",
    "路灯",
    "青石路",
    "是",
    "116.5",
    "33.2",
    "陈",
    "Call (In)",
    "办结",
    "2026-01-06 08:00:00",
]


def changed(**cells: str) -> list[str]:
    return [cells.get(name, cell) for name, cell in zip(HEADING, GOOD, strict=True)]


def mapping_file(folder: Path, text: str = MAPPING) -> Path:
    (folder / "codes.csv").write_text("old,new\n路灯,C0137\n", encoding="utf-8")
    path = folder / "m.toml"
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(folder: Path, *rows: list[str]) -> list[HistoryRow]:
    with (folder / "h.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file, delimiter=";").writerows([HEADING, *rows])
    return list(stream_rows(folder / "h.csv", read_mapping(mapping_file(folder))))


def test_a_whole_row_becomes_a_report_in_the_wire_form(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, GOOD)
    assert row.report == {
        "channel": "old-hotline",
        "external_id": "1",
        "received_at": "2026-01-05T08:00:00-05:00",
        "category": "C0137",
        "title": "路灯",
        "text": "路灯，青石路",
        "callback_required": True,
        "location": {"lon": 116.5, "lat": 33.2, "crs": "gcj02", "address": "青石路"},
        "caller": {"name": "陈女士"},
        "attributes": {"source": "call-in"},
    }
    assert row.closed_at == datetime(2026, 1, 6, 8, 0, tzinfo=ZoneInfo("America/New_York"))
    assert (row.line, row.faults, row.unmapped) == (2, (), None)


@pytest.mark.parametrize(
    ("cells", "key", "problem"),
    [
        ({"opened": "yesterday"}, "received_at", "time formats"),
        ({"opened": ""}, "received_at", "missing"),
        ({"编号": " "}, "external_id", "missing"),
        ({"lon": "east"}, "location.lon", "float"),
        ({"lat": "nan"}, "location.lat", "finite"),
        ({"closed": "?"}, "closing.at", "time formats"),
        ({"closed": ""}, "closing.at", "closed without a time"),
        ({"状态": "在办"}, "closing.at", "open row"),
        ({"closed": "2026-01-04 08:00:00"}, "closing.at", "before it was received"),
    ],
)
def test_a_bad_cell_is_named_and_the_row_is_kept(tmp_path: Path, cells: dict[str, str], key: str, problem: str) -> None:
    rows = rows_of(tmp_path, changed(**cells), GOOD)
    assert len(rows) == 2
    (fault,) = rows[0].faults
    assert fault.key == key
    assert problem in fault.problem
    assert rows[0].unmapped == (key if key in ("received_at", "external_id") else None)
    assert rows[1].faults == ()


def test_a_default_point_is_no_point_and_the_address_stays(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, changed(lon="116.0000", lat="33.0"))
    assert row.report["location"] == {"address": "青石路"}
    (row,) = rows_of(tmp_path, changed(lon="", lat="33.2", 地址=""))
    assert "location" not in row.report


def test_a_local_time_that_occurs_twice_is_the_first_and_one_that_does_not_exist_is_shifted(tmp_path: Path) -> None:
    twice, never = rows_of(
        tmp_path, changed(opened="2025-11-02 01:30:00"), changed(opened="2025-03-09 02:30:00", 编号="2")
    )
    assert twice.report["received_at"] == "2025-11-02T01:30:00-04:00"
    assert twice.faults == ()
    assert never.report["received_at"] == "2025-03-09T03:30:00-04:00"
    assert never.faults == (RowFault("received_at", "no such local time, shifted forward", "2025-03-09 02:30:00"),)


def test_cells_beyond_the_columns_and_unknown_bytes_are_named(tmp_path: Path) -> None:
    rows_of(tmp_path, GOOD)
    with (tmp_path / "h.csv").open("ab") as file:
        file.write(";".join([*GOOD, "extra"]).encode("gb18030") + b"\r\n" + ";".join(GOOD).encode("gb18030")[:-1])
        file.write(b"\xff\r\n1;2026/01/05\r\n")
    rows = list(stream_rows(tmp_path / "h.csv", read_mapping(tmp_path / "m.toml")))
    assert [row.line for row in rows] == [2, 3, 4, 5]
    assert rows[1].faults[0].problem == "12 cells under 11 columns"
    assert rows[2].faults[0].problem == "bytes that the encoding does not know"
    assert rows[3].faults[0].problem == "2 cells under 11 columns"
    assert rows[3].report["received_at"] == "2026-01-05T00:00:00-05:00"


def test_history_is_read_in_time_order_with_untimed_rows_last(tmp_path: Path) -> None:
    rows_of(
        tmp_path,
        changed(编号="b"),
        changed(编号="x", opened=""),
        changed(编号="a", opened="2026/01/01"),
        changed(编号="c"),
    )
    rows = read_history(tmp_path / "h.csv", read_mapping(tmp_path / "m.toml"))
    assert [row.report["external_id"] for row in rows] == ["a", "b", "c", "x"]


def test_lines_are_counted_over_cells_with_line_breaks(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, changed(地址="青石路\n三号"), GOOD)
    assert [row.line for row in rows] == [2, 4]


def test_gzip_and_xlsx_read_the_same_as_csv(tmp_path: Path) -> None:
    (plain,) = rows_of(tmp_path, GOOD)
    (tmp_path / "h.csv.gz").write_bytes(gzip.compress((tmp_path / "h.csv").read_bytes()))
    packed = read_mapping(mapping_file(tmp_path, MAPPING.replace('kind = "csv"', 'kind = "csv.gz"')))
    assert list(stream_rows(tmp_path / "h.csv.gz", packed)) == [plain]

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADING)
    sheet.append([1, datetime(2026, 1, 5, 8, 0), *GOOD[2:5], 116.5, 33.2, *GOOD[7:]])  # noqa: DTZ001  cells have no zone
    book.save(tmp_path / "h.xlsx")
    table = read_mapping(mapping_file(tmp_path, MAPPING.replace('kind = "csv"', 'kind = "xlsx"')))
    assert list(stream_rows(tmp_path / "h.xlsx", table)) == [plain]


def test_a_column_the_file_does_not_have_is_said_before_the_first_row(tmp_path: Path) -> None:
    rows_of(tmp_path, GOOD)
    mapping = read_mapping(mapping_file(tmp_path, MAPPING.replace('"closed"', '"colsed"')))
    with pytest.raises(MappingFaults, match=r"\[closing\] at: the file has no column colsed"):
        list(stream_rows(tmp_path / "h.csv", mapping))


def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    packed = read_mapping(mapping_file(tmp_path, MAPPING.replace('kind = "csv"', 'kind = "csv.gz"')))
    (tmp_path / "h.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(UnreadableHistory, match=r"h\.csv\.gz"):
        list(stream_rows(tmp_path / "h.csv.gz", packed))
    with pytest.raises(UnreadableHistory):
        list(stream_rows(tmp_path / "absent.csv", packed))


def test_every_fault_of_a_mapping_is_said_at_once_with_table_and_key(tmp_path: Path) -> None:
    text = (
        MAPPING.replace('encoding = "gb18030"', 'encoding = "gb9"')
        .replace('zone = "America/New_York"', 'zone = "Mars/Base"')
        .replace("none = [[116.0, 33.0]]", "none = [116.0]")
        .replace('external_id = "编号"', 'titel = "编号"')
        .replace("lookup('codes', 类别)", "lookup('cods', 类别)")
        .replace('title = "strip(类别)"', 'title = "stripp(类别)"')
        .replace('closed = ["办结"]', "")
        .replace('key = "old"', 'key = "odl"')
    )
    faults = {(fault.table, fault.key) for fault in check_mapping(mapping_file(tmp_path, text))}
    assert faults == {
        ("file", "encoding"),
        ("time", "zone"),
        ("coordinates", "none"),
        ("report", "titel"),
        ("report", "external_id"),
        ("report", "category"),
        ("report", "title"),
        ("closing", "closed"),
        ("tables.codes", "key"),
    }


@pytest.mark.parametrize("text", ["", "[file", "[file]\n[report]\n[extra]\n", "report = 1\nfile = 2\ntime = 3\n"])
def test_a_mapping_without_its_tables_is_a_list_of_faults(tmp_path: Path, text: str) -> None:
    assert check_mapping(mapping_file(tmp_path, text))
    with pytest.raises(MappingFaults, match=r"m\.toml is not a usable mapping"):
        read_mapping(tmp_path / "m.toml")


@pytest.mark.parametrize("name", ["boston", "messages", "pingshan"])
def test_the_mappings_that_are_shipped_are_good(name: str, pytestconfig: pytest.Config) -> None:
    assert check_mapping(pytestconfig.rootpath / "config" / "mappings" / f"{name}.toml") == ()


def test_a_slug_is_one_code_for_one_text() -> None:
    assert slug("New Sign  Crosswalk or Pavement Marking") == "new-sign-crosswalk-or-pavement-marking"
    assert slug("Missed Trash/Recycling (Bulk) ") == "missed-trash-recycling-bulk"
    assert slug("下水_井盖（破损）") == "下水-井盖-破损"
    assert slug("ＡＢ") == "ab"
    assert slug("—") == ""
