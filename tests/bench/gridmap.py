"""Point to cell: the grid map beside shapely's STRtree, in one process, on the same cells and points.

The peer is used as well as its documentation knows how: built once, asked with `predicate="covered_by"`, in bulk with
one array of points. Both sides start from coordinates, because that is what a report brings; the peer is also shown
with points made beforehand, and what it returns is all cells that cover the point, where ours is the one cell after
the tie-break. Every answer is checked before it is timed.

Run it as `python -m tests.bench.gridmap`.
"""

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.areas import Area, AreaTree
from gridmap.cells import Cell
from gridmap.index import GridMap

SIDE = 224
SINGLE, BULK, REPEATS = 5_000, 200_000, 5
Row = dict[str, Any]


def run() -> list[Row]:
    """Rows of {name, ours, peer, ratio, unit}; a ratio above 1 means that ours is faster, or smaller."""
    before = resident_mb()
    cells, polygons = city(SIDE)
    made = resident_mb()
    grid = GridMap(1, AreaTree([Area("110101001001", "社区", None, 5, shapely.box(116, 39, 117, 40))]), cells)
    built = resident_mb()
    tree = shapely.STRtree(polygons)
    west, south, east, north = shapely.total_bounds(polygons)
    points = np.random.default_rng(7).uniform((west, south), (east, north), (BULK, 2))
    check(grid, tree, points)

    few: list[tuple[float, float]] = [(lon, lat) for lon, lat in points[:SINGLE].tolist()]
    ready = [shapely.Point(point) for point in few]
    many = shapely.points(points)
    single, raw, raw_ready, full = per_second(
        SINGLE,
        lambda: [grid.fix_cell(lon, lat) for lon, lat in few],
        lambda: [tree.query(shapely.Point(lon, lat), predicate="covered_by") for lon, lat in few],
        lambda: [tree.query(point, predicate="covered_by") for point in ready],
        lambda: [grid.fix(lon, lat) for lon, lat in few],
    )
    bulk, raw_bulk, raw_bulk_ready = per_second(
        BULK,
        lambda: grid.fix_many(points),
        lambda: tree.query(shapely.points(points), predicate="covered_by"),
        lambda: tree.query(many, predicate="covered_by"),
    )
    size = f"{len(cells):,} cells"
    return [
        row(f"single, {size}", single, raw, "points/s"),
        row(f"single, {size}, peer's points ready-made", single, raw_ready, "points/s"),
        row(f"single with area and border margin, {size}", full, raw, "points/s"),
        row(f"bulk, {size}", bulk, raw_bulk, "points/s"),
        row(f"bulk, {size}, peer's points ready-made", bulk, raw_bulk_ready, "points/s"),
        {
            "name": f"resident with {size}",
            "ours": resident_mb(),
            "peer": 400.0,
            "ratio": 400 / resident_mb(),
            "unit": "MB",
        },
        {
            "name": "of which the map",
            "ours": built - made,
            "peer": made - before,
            "ratio": None,
            "unit": "MB (peer: cells)",
        },
    ]


def city(side: int) -> tuple[list[Cell], NDArray[np.object_]]:
    """A sheared and wavy lattice of about 100 m, so that no border runs along an axis."""
    u, v = np.meshgrid(np.arange(side + 1), np.arange(side + 1))
    lon = 116 + u * 0.00117 + v * 0.0002 + 0.0002 * np.sin(v / 3)
    lat = 39 + v * 0.0009 + u * 0.00005 + 0.0002 * np.sin(u / 5)
    corners = np.stack([lon, lat], axis=-1)
    rings = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2).reshape(-1, 4, 2)
    polygons = np.asarray(shapely.polygons(rings))
    cells = [Cell(f"{110101001001000 + i}", f"{i}", "110101001001", polygon) for i, polygon in enumerate(polygons)]
    return cells, polygons


def check(grid: GridMap, tree: shapely.STRtree, points: NDArray[np.float64]) -> None:
    """Stop unless single, bulk and peer give the same cell for every point."""
    which, cell = tree.query(shapely.points(points), predicate="covered_by")
    expected = np.full(len(points), -1)
    expected[which] = cell
    bulk = grid.fix_many(points)
    single = [grid.fix_cell(lon, lat) for lon, lat in points[:SINGLE].tolist()]
    if not (np.array_equal(bulk, expected) and single == expected[:SINGLE].tolist()):
        raise AssertionError("the grid map and the tree disagree")


def per_second(operations: int, *works: Callable[[], object]) -> list[float]:
    """Operations per second of each work, the best of several rounds in which all take turns."""
    best = [float("inf")] * len(works)
    gc.disable()
    for _ in range(REPEATS):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[number] = min(best[number], time.perf_counter() - start)
    gc.enable()
    return [operations / seconds for seconds in best]


def row(name: str, ours: float, peer: float, unit: str) -> Row:
    """One line of the table."""
    return {"name": name, "ours": ours, "peer": peer, "ratio": ours / peer, "unit": unit}


def resident_mb() -> float:
    """Resident memory of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    for line in run():
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}×"
        print(f"{line['name']:<60} {line['ours']:>12,.0f} {line['peer']:>12,.0f} {ratio:>8}  {line['unit']}")
