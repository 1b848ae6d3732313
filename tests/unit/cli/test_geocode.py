"""`dispatch backtest geocode`, as a city would try it on the texts of its own cases."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from gridmap.crs import convert
from tests.unit.cli.test_locate import EAST, WEST, districts, rows

PLACES = [
    ("槐花茶馆", "槐花路10号", WEST, 116.001, 33.001),
    ("槐花书店", "槐花路50号", WEST, 116.005, 33.001),
    ("柳营菜场", "柳营路8号", EAST, 116.012, 33.008),
    ("柳营小学", "柳营路88号", EAST, 116.018, 33.008),
]
ASKED = "address,district,lat_wgs84,lon_wgs84\n槐花路30号,西城区,33.001,116.003\n柳营小学,东城区,33.008,116.018\n无此地,西城区,33,116\n"


def gazetteer(path: Path, crs: str = "wgs84", district: bool = True) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "address", *(("district",) if district else ()), "lat_wgs84", "lon_wgs84"))
        for name, address, area, lon, lat in PLACES:
            x, y = convert(lon, lat, "wgs84", crs)  # type: ignore[arg-type]
            writer.writerow((name, address, *((area,) if district else ()), y, x))
    return path


def run(folder: Path, cases: str, *more: str, places: Path | None = None) -> Result:
    (folder / "c.csv").write_text(cases, "utf-8")
    given = {
        "--gazetteer": places or gazetteer(folder / "g.csv"),
        "--areas": districts(folder / "a.geojson"),
        "--cases": folder / "c.csv",
        "--out": folder / "out.csv",
    }
    return CliRunner().invoke(
        main, ["backtest", "geocode", *(str(each) for pair in given.items() for each in pair), *more]
    )


def test_every_text_gets_its_row_in_order_and_nothing_where_it_names_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, ASKED)
    assert result.exit_code == 0, result.output
    heading, number, name, nothing = rows(tmp_path / "out.csv")
    assert heading == ["row", "district", "lon", "lat", "confidence"]
    assert number[:4] == ["0", WEST, "116.003000", "33.001000"]
    assert name[:4] == ["1", EAST, "116.018000", "33.008000"]
    assert 0 < float(name[4]) <= 1
    assert nothing == ["2", "", "", "", ""]
    assert "0.667" in result.output


def test_labels_are_used_for_figures_only(tmp_path: Path) -> None:
    run(tmp_path, ASKED)
    told = rows(tmp_path / "out.csv")
    result = run(tmp_path, "text\n" + "".join(f"{line.split(',')[0]}\n" for line in ASKED.splitlines()[1:]))
    assert result.exit_code == 0, result.output
    assert rows(tmp_path / "out.csv") == told
    assert "right district" not in result.output


def test_the_points_of_the_gazetteer_are_read_in_their_own_system_and_given_in_wgs84(tmp_path: Path) -> None:
    run(tmp_path, ASKED, "--gazetteer-crs", "gcj02", places=gazetteer(tmp_path / "g2.csv", "gcj02"))
    assert rows(tmp_path / "out.csv")[2][1:4] == [EAST, "116.018000", "33.008000"]


def test_without_a_column_of_districts_the_polygons_tell_them(tmp_path: Path) -> None:
    run(tmp_path, ASKED, places=gazetteer(tmp_path / "g2.csv", district=False))
    assert [row[1] for row in rows(tmp_path / "out.csv")[1:]] == [WEST, EAST, ""]


@pytest.mark.parametrize(
    ("cases", "places", "says"),
    [
        ("words\nx\n", None, "c.csv, line 1: address and text are no columns"),
        (ASKED, "name,address,lat\nx,y,1\n", "g.csv, line 1: lon_wgs84 or lon is no column"),
        (ASKED, "name,address,lat,lon\nx,y,1,116\nx,y,north,116\n", "g.csv, line 3: lat north is no number"),
        (ASKED, "name,address,lat,lon\nx,y,116,33\n", "g.csv, line 2: lat 116 is no degree"),
    ],
)
def test_a_faulty_file_is_named_with_line_and_column(tmp_path: Path, cases: str, places: str | None, says: str) -> None:
    if places is not None:
        (tmp_path / "g.csv").write_text(places, "utf-8")
    result = run(tmp_path, cases, places=tmp_path / "g.csv" if places else None)
    assert result.exit_code == 1
    assert says in result.output


def test_beliefs_can_be_learned_from_the_gazetteer_itself(tmp_path: Path) -> None:
    shipped = run(tmp_path, ASKED)
    before = rows(tmp_path / "out.csv")
    learned = run(tmp_path, ASKED, "--learn")
    assert shipped.exit_code == learned.exit_code == 0, learned.output
    assert [row[:4] for row in rows(tmp_path / "out.csv")] == [row[:4] for row in before]
    assert rows(tmp_path / "out.csv") != before
