"""`dispatch backtest geocode`: where the texts of a file are, by a gazetteer, beside where they were."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dispatch.city.gazetteers import shipped_beliefs
from dispatch.cli_backtest import FILE, OUT, add_figures, mapping_option
from dispatch.cli_locate import SYSTEM
from dispatch.intake.locate import metres
from dispatch.learning import measures, tables
from dispatch.learning.districts import read_districts
from dispatch.learning.gazetteers import Asked, read_asked, read_entries
from dispatch.learning.places import learn
from gridmap.crs import CRS
from gridmap.gazetteer import Candidate, Gazetteer
from gridmap.gazetteer.places import NEAR_M
from gridmap.gazetteer.reading import key_of, plain

SHOWN: Final = 10
# As far off as a place on earth can be: where nothing was found.
NOWHERE_M: Final = 2e7
FROM: Final = (0.8, 0.9)


@click.command("geocode")
@click.option("--gazetteer", type=FILE, required=True, help="CSV: name,address,district,lat_wgs84,lon_wgs84 (地名库).")
@click.option("--gazetteer-crs", type=SYSTEM, default="wgs84", show_default=True, help="Of its points (地名库坐标系).")
@click.option("--areas", type=FILE, required=True, help="GeoJSON: polygons with adcode and name (区划).")
@click.option("--areas-crs", type=SYSTEM, default="wgs84", show_default=True, help="Of the polygons (区划坐标系).")
@click.option(
    "--cases", type=FILE, required=True, help="CSV: address or text; district and point for the figures (待解析文本)."
)
@click.option(
    "--learn", "learns", is_flag=True, help="Learn from the gazetteer itself how far to believe it (重学置信度)."
)
@mapping_option
@click.option("--out", type=OUT, required=True, help="CSV: row,district,lon,lat,confidence, WGS-84 (结果).")
def geocode(
    gazetteer: Path,
    gazetteer_crs: CRS,
    areas: Path,
    areas_crs: CRS,
    cases: Path,
    learns: bool,
    mapping: tables.Names,
    out: Path,
) -> None:
    """Say where each text is, and the chance that this is right within 300 m; nothing where it says nothing known (地址解析回测).

    \b
    dispatch backtest geocode --gazetteer poi.csv --areas districts.geojson --areas-crs gcj02 --cases new.csv --out places.csv
    """
    shown = Console(stderr=True)
    try:
        there = read_districts(areas, areas_crs)
        entries = read_entries(gazetteer, gazetteer_crs, there, mapping)
        asked = read_asked(cases, mapping)
    except tables.FaultyTable as fault:
        raise click.ClickException(str(fault)) from None
    names = {area.name: area.name for area in there.areas.areas.values()}
    with shown.status("indexing 建库"):
        beliefs = learn(entries, names) if learns else shipped_beliefs()
        known = Gazetteer(entries, beliefs, names)
    bar = track(asked, "placed 解析", console=shown, disable=not shown.is_terminal)
    found = [next(iter(known.find(case.text, limit=1)), None) for case in bar]
    with tables.written(out, ("row", "district", "lon", "lat", "confidence")) as writer:
        for number, each in enumerate(found):
            writer.writerow((number, *_cells(each)))
    console = Console()
    console.print(_figures(asked, found, {key_of(plain(entry.address)) for entry in entries}))
    console.print(_confused(asked, found))


def _cells(found: Candidate | None) -> tuple[str, str, str, str]:
    if found is None:
        return "", "", "", ""
    return found.area, f"{found.lon:.6f}", f"{found.lat:.6f}", f"{found.confidence:.6f}"


def _figures(asked: Sequence[Asked], found: Sequence[Candidate | None], known: Collection[str]) -> Table:
    table = Table("figure 指标", "value 值", "95 %", title="Backtest of geocoding 地址解析回测")
    table.add_row("texts 文本", str(len(asked)), "")
    table.add_row("nothing found 无结果", str(sum(each is None for each in found)), "")
    there = np.array([key_of(plain(case.text)) in known for case in asked], dtype=np.bool_)
    parts = {"all 全部": ~there | there, "address in the gazetteer 在库": there, "address not in it 不在库": ~there}
    for title, chosen in parts.items():
        pairs = [(asked[place], found[place]) for place in np.flatnonzero(chosen).tolist()]
        table.add_section()
        table.add_row(title, str(len(pairs)), "")
        _districts(table, [(case.district, each) for case, each in pairs if case.district])
        _points(table, [(case.point, each) for case, each in pairs if case.point])
    return table


def _districts(table: Table, pairs: Sequence[tuple[str, Candidate | None]]) -> None:
    if pairs:
        right = np.array([float(each is not None and each.area == district) for district, each in pairs])
        sure = np.array([each.area_confidence if each else 0.0 for _, each in pairs])
        figures = {"right district 区划正确": _mean(right), **_believed("district 区划", right, sure)}
        add_figures(table, range(len(pairs)), figures)


def _points(table: Table, pairs: Sequence[tuple[tuple[float, float], Candidate | None]]) -> None:
    if pairs:
        off = np.array([metres(each.lon, each.lat, *point) if each else NOWHERE_M for point, each in pairs])
        sure, near = (
            np.array([each.confidence if each else 0.0 for _, each in pairs]),
            (off <= NEAR_M).astype(np.float64),
        )
        figures: dict[str, measures.Figure] = {
            "median error in m 误差中位数": lambda at: float(np.median(off[at])),
            f"within {NEAR_M:.0f} m 米内": _mean(near),
        }
        add_figures(table, range(len(pairs)), {**figures, **_believed("point 点位", near, sure)})


def _believed(what: str, right: measures.Numbers, sure: measures.Numbers) -> dict[str, measures.Figure]:
    """What is right of all that is believed so far, how much that is, and how far beliefs are frequencies."""
    figures: dict[str, measures.Figure] = {}
    for least in FROM:
        figures[f"{what} sure from {least}: right 准确"] = _right_of(right, sure >= least)
        figures[f"{what} sure from {least}: share 覆盖"] = _mean((sure >= least).astype(np.float64))
    figures[f"{what} calibration error 校准误差"] = lambda at: measures.calibration_error(right[at], sure[at])
    return figures


def _mean(values: measures.Numbers) -> measures.Figure:
    return lambda at: float(values[at].mean())


def _right_of(right: measures.Numbers, chosen: NDArray[np.bool_]) -> measures.Figure:
    return lambda at: float(right[at][chosen[at]].mean()) if chosen[at].any() else 0.0


def _confused(asked: Sequence[Asked], found: Sequence[Candidate | None]) -> Table:
    table = Table("district 区划", "taken for 误为", "texts 文本", title="Most confused 最易混淆")
    wrong = Counter(
        (case.district, each.area if each else "–")
        for case, each in zip(asked, found, strict=True)
        if case.district and (each is None or each.area != case.district)
    )
    for (true, said), count in wrong.most_common(SHOWN):
        table.add_row(true, said, str(count))
    return table
