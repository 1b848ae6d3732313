"""`dispatch backtest locate`: in which district each point of a file lies, beside what the file says."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.intake.locate import on_earth
from dispatch.learning import tables
from dispatch.learning.districts import read_districts
from gridmap.crs import CRS, OFFSETS, to_wgs84
from gridmap.index import GridMap

SYSTEM: Final = click.Choice(list(OFFSETS))


@click.command("locate")
@click.option("--areas", type=FILE, required=True, help="GeoJSON: polygons with adcode and name (区划).")
@click.option("--areas-crs", type=SYSTEM, default="wgs84", show_default=True, help="Of the polygons (区划坐标系).")
@click.option("--points", type=FILE, required=True, help="CSV, also .csv.gz; district or adcode for the figures (点).")
@click.option("--lon", required=True, metavar="COLUMN", help="Longitude in degrees (经度列).")
@click.option("--lat", required=True, metavar="COLUMN", help="Latitude in degrees (纬度列).")
@click.option("--points-crs", type=SYSTEM, default="wgs84", show_default=True, help="Of the points (点坐标系).")
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: row,adcode,name (结果).")
def locate(
    areas: Path, areas_crs: CRS, points: Path, lon: str, lat: str, points_crs: CRS, mapping: tables.Names, out: Path
) -> None:
    """Say in which district each point lies; nothing where it lies in none or is no point (定位回测).

    \b
    dispatch backtest locate --areas districts.geojson --areas-crs gcj02 --points poi.csv --lon lon_wgs84 --lat lat_wgs84 \\
        --points-crs wgs84 --out districts.csv
    """
    shown = Console(stderr=True)
    try:
        there = read_districts(areas, areas_crs)
        known = next((column for column in ("adcode", "district") if tables.has(points, column, mapping)), None)
        listed = [row for _, row in tables.rows(points, (lon, lat, *((known,) if known else ())), mapping)]
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    bar = track(listed, "located 定位", console=shown, disable=not shown.is_terminal)
    found = [area_of(row[lon], row[lat], points_crs, there) for row in bar]
    with tables.written(out, ("row", "adcode", "name")) as writer:
        for number, code in enumerate(found):
            writer.writerow((number, code or "", there.areas.areas[code].name if code else ""))
    console = Console()
    console.print(_figures([row[known] for row in listed] if known else [], _named(found, there, known), len(found)))


def area_of(lon: str, lat: str, crs: CRS, there: GridMap) -> str | None:
    """The code of the lowest area in which a point lies, None for what is none."""
    try:
        point = float(lon), float(lat)
    except ValueError:
        return None
    if not (isfinite(point[0]) and isfinite(point[1]) and on_earth(*point)) or point == (0, 0):
        return None
    return there.fix(*to_wgs84(*point, crs)).area


def _named(found: Sequence[str | None], there: GridMap, known: str | None) -> list[str]:
    if known == "district":
        return [there.areas.areas[code].name if code else "" for code in found]
    return [code or "" for code in found]


def _figures(true: Sequence[str], said: Sequence[str], rows: int) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of locating 定位回测")
    table.add_row("points 点", str(rows), "")
    table.add_row("in no district 区划外", str(sum(not each for each in said)), "")
    places = [n for n, label in enumerate(true) if label]
    if places:
        right = np.array([float(true[n] == said[n]) for n in places])
        add_figures(table, range(len(places)), {"right district 区划正确": lambda at: float(right[at].mean())})
        table.add_row("wrong 错误", str(int(len(right) - right.sum())), "")
    return table
