"""`dispatch backtest locate`, as a city would try it on its own points."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from shapely.geometry import box

from dispatch.cli import main
from gridmap.crs import convert

WEST, EAST = "西城区", "东城区"
POINTS = "x,y,district\n116.005,33.005,西城区\n116.015,33.005,东城区\n0,0,西城区\nnowhere,33.005,\n117,33,东城区\n"


def districts(path: Path, crs: str = "wgs84", **properties: str) -> Path:
    """Two districts side by side, drawn in a system of coordinates."""
    features = []
    for code, name, west in (("990101", WEST, 116.0), ("990102", EAST, 116.01)):
        ring = [convert(lon, lat, "wgs84", crs) for lon, lat in box(west, 33.0, west + 0.01, 33.01).exterior.coords]  # type: ignore[arg-type]
        given = {"adcode": code, "name": name, **properties}
        features.append(
            {"type": "Feature", "properties": given, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def run(areas: Path, points: Path, out: Path, *more: str) -> Result:
    given = ("--areas", areas, "--points", points, "--lon", "x", "--lat", "y", "--out", out, *more)
    return CliRunner().invoke(main, ["backtest", "locate", *map(str, given)])


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def test_every_point_gets_its_row_in_order_and_nothing_where_it_lies_in_no_district(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(POINTS, "utf-8")
    result = run(districts(tmp_path / "a.geojson"), tmp_path / "p.csv", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert rows(tmp_path / "out.csv") == [
        ["row", "adcode", "name"],
        ["0", "990101", WEST],
        ["1", "990102", EAST],
        ["2", "", ""],
        ["3", "", ""],
        ["4", "", ""],
    ]
    assert "0.500" in result.output


def test_polygons_and_points_are_each_read_in_their_own_system(tmp_path: Path) -> None:
    # GCJ-02 lies some 500 m off: the first point would lie in the east if it were taken as it stands, the second in neither.
    lon, lat = convert(116.0085, 33.005, "wgs84", "gcj02")
    (tmp_path / "p.csv").write_text(f"x,y\n{lon},{lat}\n116.002,33.005\n", "utf-8")
    areas, out = districts(tmp_path / "a.geojson", "gcj02"), tmp_path / "out.csv"
    assert run(areas, tmp_path / "p.csv", out, "--areas-crs", "gcj02", "--points-crs", "gcj02").exit_code == 0
    assert rows(out)[1] == ["0", "990101", WEST]
    assert run(areas, tmp_path / "p.csv", out, "--areas-crs", "gcj02").exit_code == 0
    assert rows(out)[2] == ["1", "990101", WEST]
    assert run(areas, tmp_path / "p.csv", out).exit_code == 0
    assert rows(out)[2] == ["1", "", ""]


@pytest.mark.parametrize(
    ("areas", "says"),
    [
        ("{}", "is no GeoJSON"),
        ('{"features": []}', "has none"),
        ('{"features": [{"properties": {"name": "x"}, "geometry": null}]}', "need adcode and name"),
        ('{"features": [{"properties": {"adcode": "1", "name": "x"}, "geometry": null}]}', "line 1: geometry"),
    ],
)
def test_a_faulty_file_of_districts_is_named_with_its_feature(tmp_path: Path, areas: str, says: str) -> None:
    (tmp_path / "a.geojson").write_text(areas, "utf-8")
    (tmp_path / "p.csv").write_text(POINTS, "utf-8")
    result = run(tmp_path / "a.geojson", tmp_path / "p.csv", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert "a.geojson" in result.output
    assert says in result.output


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a,y\n1,2\n", "utf-8")
    result = run(districts(tmp_path / "a.geojson"), tmp_path / "p.csv", tmp_path / "out.csv")
    assert "p.csv, line 1: x is no column" in result.output


def test_measured_points_lie_in_the_district_that_is_told_of_them(tmp_path: Path) -> None:
    data = Path(__file__).resolve().parents[4] / "shared" / "data" / "shanghai"
    if not data.is_dir():
        pytest.skip("the measuring data shanghai is not beside the project")
    result = CliRunner().invoke(
        main,
        [
            *("backtest", "locate", "--areas", str(data / "districts_gcj02.geojson"), "--areas-crs", "gcj02"),
            *("--points", str(data / "poi.csv"), "--lon", "lon_wgs84", "--lat", "lat_wgs84"),
            *("--out", str(tmp_path / "out.csv")),
        ],
    )
    assert result.exit_code == 0, result.output
    true = [row["district"] for row in csv.DictReader((data / "poi.csv").read_text("utf-8-sig").splitlines())]
    said = [row[2] for row in rows(tmp_path / "out.csv")[1:]]
    assert sum(a == b for a, b in zip(true, said, strict=True)) / len(true) >= 0.999
