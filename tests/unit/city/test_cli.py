"""The commands as a person at a terminal meets them."""

import json
from pathlib import Path

from click.testing import CliRunner
from shapely.geometry import shape

from dispatch.city.cli import city

from .conftest import DEMO


def test_check_of_a_whole_city_says_what_it_holds() -> None:
    result = CliRunner().invoke(city, ["check", str(DEMO)])
    assert result.exit_code == 0, result.output
    assert "no faults" in result.output
    assert "57 areas (区域)" in result.output


def test_check_of_a_faulty_city_lists_the_faults_and_fails(folder: Path) -> None:
    (folder / "returns.csv").write_text("code,name,proposes_unit\nbusy,忙,[b]no[/b]\n", "utf-8")
    (folder / "duty.csv").unlink()
    result = CliRunner().invoke(city, ["check", str(folder)])
    assert result.exit_code == 1
    assert "duty.csv:1" in result.output
    assert "returns.csv:2" in result.output
    assert "[b]no[/b]" in result.output


def test_help_shows_an_example() -> None:
    for command in ("check", "grid"):
        assert "dispatch city " + command in CliRunner().invoke(city, [command, "--help"]).output


def test_grid_cuts_a_boundary(tmp_path: Path) -> None:
    feature = json.loads((DEMO / "areas.geojson").read_text("utf-8"))["features"][-1]
    boundary, out = tmp_path / "boundary.geojson", tmp_path / "cells.geojson"
    boundary.write_text(json.dumps(feature), "utf-8")
    args = ["--boundary", str(boundary), "--size", "100", "--prefix", "990104003004", "--out", str(out)]
    result = CliRunner().invoke(city, ["grid", *args])
    assert result.exit_code == 0, result.output
    cells = json.loads(out.read_text("utf-8"))["features"]
    assert [cell["properties"]["code"] for cell in cells[:2]] == ["990104003004001", "990104003004002"]
    total = sum(shape(cell["geometry"]).area for cell in cells)
    assert abs(total / shape(feature["geometry"]).area - 1) < 1e-9


def test_grid_says_why_it_cannot(tmp_path: Path) -> None:
    boundary = tmp_path / "boundary.geojson"
    boundary.write_text('{"type":"Polygon","coordinates":[[[116,33],[116.1,33],[116,33.1]]]}', "utf-8")
    args = ["--boundary", str(boundary), "--prefix", "990104003004", "--out", str(tmp_path / "cells.geojson")]
    result = CliRunner().invoke(city, ["grid", *args])
    assert result.exit_code == 1
    assert "open_ring" in result.output
    result = CliRunner().invoke(city, ["grid", *args[:2], "--prefix", "12", *args[4:]])
    assert result.exit_code == 1
