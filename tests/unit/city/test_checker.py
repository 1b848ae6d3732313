"""The checker names file, line and field of whatever is wrong, and all of it at once."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from shapely.geometry import mapping

from dispatch.city.files import CONFIG
from dispatch.city.model import City
from dispatch.city.read import read_city
from sla.errors import Fault

from .conftest import DAY


class Breakage(NamedTuple):
    """One way to break the demo city: the first `old` in `file` becomes `new`, and the fault is in that line."""

    case: str
    file: str
    old: str
    new: str
    field: str
    problem: str


def breakages() -> list[Breakage]:
    with Path(__file__).with_name("breakages.csv").open(encoding="utf-8", newline="") as table:
        _, *rows = csv.reader(table, delimiter="|", quoting=csv.QUOTE_NONE)
    return [Breakage(*row) for row in rows]


def faults_of(folder: Path) -> list[Fault]:
    city, faults = read_city(folder, day=DAY)
    assert (city is None) == bool(faults)
    return faults


def said(faults: list[Fault], file: str, line: int, field: str, problem: str) -> bool:
    return any((each.file, each.line, each.field) == (file, line, field) and problem in each.problem for each in faults)


def replace(path: Path, old: str, new: str) -> int:
    """Replaces the first `old`; the line it stood on."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text.split(old)[0].count("\n") + 1


def change_area(folder: Path, code: str, change: Callable[[dict[str, Any]], None]) -> int:
    """Changes one feature of the areas; the line it stands on."""
    path = folder / "areas.geojson"
    lines = path.read_text("utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines) if f'"code":"{code}"' in line)
    feature = json.loads(lines[number].rstrip(","))
    change(feature)
    lines[number] = json.dumps(feature, ensure_ascii=False) + ("," if lines[number].endswith(",") else "")
    path.write_text("\n".join(lines), "utf-8")
    return number + 1


def write_cells(folder: Path, *cells: tuple[str, str, Any]) -> None:
    """A `cells.geojson` of (code, area, polygon), one to a line."""
    features = [
        {"type": "Feature", "properties": {"code": code, "name": code, "area": area}, "geometry": mapping(polygon)}
        for code, area, polygon in cells
    ]
    text = ",\n".join(map(json.dumps, features))
    (folder / "cells.geojson").write_text(f'{{"type":"FeatureCollection","features":[\n{text}\n]}}', "utf-8")


@pytest.mark.parametrize("breakage", breakages(), ids=lambda each: each.case)
def test_one_thing_broken_is_named_with_file_and_line(folder: Path, breakage: Breakage) -> None:
    line = replace(folder / breakage.file, breakage.old, breakage.new)
    faults = faults_of(folder)
    assert said(faults, breakage.file, line, breakage.field, breakage.problem), "\n".join(map(str, faults))


def test_the_whole_city_has_no_fault(folder: Path) -> None:
    assert faults_of(folder) == []


def test_all_things_broken_are_named_at_once(folder: Path) -> None:
    """One breakage per file, as those of one file can hide each other."""
    broken = list({each.file: each for each in breakages() if each.file not in ("city.toml", "areas.geojson")}.values())
    lines = [replace(folder / each.file, each.old, each.new) for each in broken]
    faults = faults_of(folder)
    assert len(broken) == 11
    for each, line in zip(broken, lines, strict=True):
        assert said(faults, each.file, line, each.field, each.problem), each
    assert faults == sorted(faults, key=lambda fault: (fault.file, fault.line, fault.field, fault.problem))


@pytest.mark.parametrize("file", ["city.toml", "units.csv", "areas.geojson", "subjects.csv", "duty.csv", "returns.csv"])
def test_a_missing_file_is_one_fault(folder: Path, file: str) -> None:
    (folder / file).unlink()
    own = [fault for fault in faults_of(folder) if fault.file == file]
    assert own == [Fault(file, 1, "", "file missing")]


@pytest.mark.parametrize("file", ["units.csv", "duty.csv", "returns.csv", "subjects.csv"])
def test_a_table_without_rows_is_named(folder: Path, file: str) -> None:
    path = folder / file
    path.write_text(path.read_text("utf-8").splitlines()[0], "utf-8")
    assert said(faults_of(folder), file, 1, "", "has no rows")


@pytest.mark.parametrize("file", ["city.toml", "units.csv", "areas.geojson", "subjects.csv"])
def test_a_file_in_another_encoding_is_named(folder: Path, file: str) -> None:
    path = folder / file
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))
    assert any(fault.file == file for fault in faults_of(folder))


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        ("\nplanned,", "\nfunding,", "code", "funding: is also on line"),
        (",A matter left over from the past", ",", "en", "is empty"),
        ("history,历史遗留问题", "history,", "name", "is empty"),
        ("code,name,en", "code,name,english", "en", "column missing"),
    ],
)
def test_a_faulty_reason_why_a_matter_is_unsolved_is_named(
    folder: Path, old: str, new: str, field: str, problem: str
) -> None:
    shutil.copy(CONFIG / "unsolved.csv", folder)
    line = replace(folder / "unsolved.csv", old, new) + old.startswith("\n")
    assert said(faults_of(folder), "unsolved.csv", line, field, problem)


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert faults_of(folder) == []


def test_gaps_in_the_duty_book_are_named_where_the_category_stands(folder: Path) -> None:
    duty = folder / "duty.csv"
    lines = [line for line in duty.read_text("utf-8").splitlines() if ",E04," not in line and ",S15," not in line]
    duty.write_text("\n".join(lines), "utf-8")
    faults = faults_of(folder)
    nomads = (folder / "events-2013.csv").read_text("utf-8").split("E0401,")[0].count("\n") + 1
    assert said(
        faults, "events-2013.csv", nomads, "code", "E0401 无照经营游商: only the fallback answers in 990101001001"
    )
    assert any(fault.problem.startswith("S150101 ") and "no place" in fault.problem for fault in faults)
    assert not any(fault.problem.startswith(("E0496 ", "E0101 ", "S150301 ")) for fault in faults)


def test_a_rule_that_has_expired_leaves_a_gap(folder: Path) -> None:
    replace(folder / "duty.csv", "S14,,,,,", "S14,,,,2026-12-01,")
    assert any(fault.problem.startswith("S140201 ") for fault in faults_of(folder))


def test_an_open_ring_is_named(folder: Path) -> None:
    line = change_area(folder, "990101001002", lambda area: area["geometry"]["coordinates"][0].pop())
    assert said(faults_of(folder), "areas.geojson", line, "geometry", "open_ring")


def test_a_ring_that_crosses_itself_is_named(folder: Path) -> None:
    def cross(area: dict[str, Any]) -> None:
        ring = area["geometry"]["coordinates"][0]
        ring[1], ring[5] = ring[5], ring[1]

    line = change_area(folder, "990101001002", cross)
    assert said(faults_of(folder), "areas.geojson", line, "geometry", "invalid")


def test_communities_that_overlap_are_named(folder: Path) -> None:
    areas = json.loads((folder / "areas.geojson").read_text("utf-8"))["features"]
    (other,) = (area["geometry"] for area in areas if area["properties"]["code"] == "990101001001")
    line = change_area(folder, "990101001002", lambda area: area.update(geometry=other))
    assert said(faults_of(folder), "areas.geojson", line, "geometry", "990101001002 overlaps 990101001001")


def test_an_area_outside_its_parent_is_named(folder: Path) -> None:
    line = change_area(folder, "990101001002", lambda area: area["properties"].update(parent="990104001"))
    assert said(faults_of(folder), "areas.geojson", line, "geometry", "lies partly outside 990104001")


def test_a_community_too_large_for_its_cells_is_named(folder: Path) -> None:
    replace(folder / "city.toml", "size_m = 900", "size_m = 20")
    assert any(fault.file == "areas.geojson" and "cannot be cut" in fault.problem for fault in faults_of(folder))


def test_cells_of_its_own_are_taken_as_they_are(folder: Path, demo: City) -> None:
    cells = [(cell.code, cell.area, cell.polygon) for cell in demo.map.cells[:20]]
    write_cells(folder, *cells)
    city, faults = read_city(folder, day=DAY)
    assert faults == []
    assert city is not None
    assert [cell.code for cell in city.map.cells] == [code for code, *_ in cells]


def test_faulty_cells_are_named(folder: Path, demo: City) -> None:
    (code, area, polygon), (other, _, _) = ((cell.code, cell.area, cell.polygon) for cell in demo.map.cells[:2])
    write_cells(
        folder,
        (code, area, polygon),
        (other, area, polygon),
        (code, area, polygon),
        ("99010100100", "990109001001", polygon),
        ("990104001001001", "990104001001", polygon),
    )
    faults = faults_of(folder)
    assert said(faults, "cells.geojson", 3, "geometry", f"{other} overlaps {code} by")
    assert said(faults, "cells.geojson", 4, "code", f"{code}: is also on line 2")
    assert said(faults, "cells.geojson", 5, "code", "is not 15 digits")
    assert said(faults, "cells.geojson", 5, "area", "990109001001: no such area")
    assert said(faults, "cells.geojson", 6, "geometry", "lies partly outside 990104001001")


def test_policies_and_ladder_of_the_city_are_checked(folder: Path) -> None:
    (folder / "policies.toml").write_text('[[policy]]\nid = "a"\nclock = "close"\nlimit = "5天"\nmode = "hours8"\n')
    (folder / "ladder.toml").write_text('[[step]]\nlevel = 0\nat = "80%"\ncolour = "pink"\nwho = "owner"\n')
    faults = faults_of(folder)
    assert said(faults, "policies.toml", 4, "limit", "can mean natural or working time")
    assert said(faults, "ladder.toml", 4, "colour", "pink")


def test_a_policy_for_an_unknown_category_is_named(folder: Path) -> None:
    policy = '[[policy]]\nid = "a"\nclock = "close"\ncategory = "E77"\nlimit = "5wd"\nmode = "hours8"\n'
    (folder / "policies.toml").write_text(policy)
    assert said(faults_of(folder), "policies.toml", 1, "category", "E77: no such category")


def test_successors_must_be_there_and_what_they_replace_must_not(folder: Path) -> None:
    (folder / "successors.csv").write_text("kind,code,successor\nunit,parks,gardens\nunit,gas,nobody\n", "utf-8")
    faults = faults_of(folder)
    assert said(faults, "successors.csv", 3, "successor", "nobody: no such unit")
    assert said(faults, "successors.csv", 3, "code", "gas: is still a unit")
    assert not any(fault.line == 2 for fault in faults)


def test_a_policy_for_an_area_that_does_not_exist_is_named(folder: Path) -> None:
    text = (CONFIG / "policies.toml").read_text("utf-8")
    (folder / "policies.toml").write_text(
        text + '\n[[policy]]\nid = "far"\nclock = "close"\narea = "990199"\nlimit = "3wd"\nmode = "day_end"\n', "utf-8"
    )
    line = text.count("\n") + 2
    assert said(faults_of(folder), "policies.toml", line, "area", "990199: no such area")


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        ("邻里纠纷 邻里矛盾", "邻里纠纷、邻里矛盾", "words", "邻里纠纷、邻里矛盾"),
        ("邻里纠纷 邻里矛盾", "邻 邻里矛盾", "words", "length >= 2"),
        ("邻里纠纷 邻里矛盾", "邻里纠纷 民间借贷", "words", "民间借贷: is also on line"),
        ("邻里纠纷 邻里矛盾", "邻里噪音 邻里矛盾", "unless", "噪音: stands in 邻里噪音, which never speaks then"),
        ("劳动 工资", "劳动;工资", "unless", "劳动;工资"),
        ("broken_off,通话中断,end,,,,,,", "broken_off,通话中断,end,,,,,违建,", "unless", "speaks against nothing"),
        ("silent,无声电话,end,,,,,,", "silent,无声电话,end,,,,没有声音,,", "words", "silent: only reject and refer are suggested"),
        (",5\n", ",一百\n", "under_yuan", "'一百'"),
        (",5\n", ",0\n", "under_yuan", "> 0.0"),
    ],
)  # fmt: skip
def test_words_that_cannot_suggest_an_ending_are_named(
    folder: Path, old: str, new: str, field: str, problem: str
) -> None:
    shutil.copy(CONFIG / "endings.csv", folder)
    line = replace(folder / "endings.csv", old, new)
    faults = faults_of(folder)
    assert said(faults, "endings.csv", line, field, problem), "\n".join(map(str, faults))


def test_endings_without_words_are_a_table_too(folder: Path) -> None:
    rows = [line.split(",") for line in (CONFIG / "endings.csv").read_text("utf-8").splitlines()]
    (folder / "endings.csv").write_text("\n".join(",".join(row[:6]) for row in rows), "utf-8")
    assert faults_of(folder) == []
