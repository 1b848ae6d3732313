"""The grid map (网格图): which cell and which area a point is in.

A `GridMap` is one immutable version of a city's areas and cells. It is replaced by assigning a new one to the
reference that readers use; a reader that took the old one finishes with the old one. A point on a border belongs to
every cell it borders on; the answer is the cell of the smallest area in m², rounded to 0.01 m², and among equals the
one with the lowest code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.areas import AreaTree
from gridmap.cells import Cell
from gridmap.metres import areas_m2, metres_per_degree, mid_latitude
from gridmap.raster import Raster


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a point is: its cell, its lowest known area, and the sorted codes of other cells within the margin."""

    cell: Cell | None
    area: str | None
    near: tuple[str, ...]


class GridMap:
    """Areas and cells of one version. Points are WGS-84 degrees; threads may share a map."""

    def __init__(self, version: int, areas: AreaTree, cells: Sequence[Cell], border_m: float = 15.0) -> None:
        """Index the cells, whose polygons must be valid. `border_m` is how near in metres another cell is shown too.

        The margin is measured on a plane scaled at the middle latitude of the map: within 1 % for a city 1° high at
        31°N.
        """
        self.version = version
        self.areas = areas
        self.cells = tuple(cells)
        self.border_m = border_m
        polygons = np.array([cell.polygon for cell in self.cells], dtype=object)
        latitude = mid_latitude(polygons)
        self.bounds = _bounds(areas)
        self._codes = [cell.code for cell in self.cells]
        self._area_of = {cell.code: cell.area for cell in self.cells}
        sizes = np.round(areas_m2(polygons, latitude), 2)
        self._raster = Raster(polygons, np.lexsort((np.array(self._codes), sizes)))
        self._east, self._north = metres_per_degree(latitude)
        self._plane = shapely.transform(polygons, lambda degrees: degrees * (self._east, self._north))

    def fix(self, lon: float, lat: float) -> Fix:
        """Cell, area and neighbours of a point; outside every cell the area polygons are asked for the area."""
        index = self.fix_cell(lon, lat)
        near = self._near(lon, lat, index)
        if index < 0:
            return Fix(None, self.areas.locate(lon, lat), near)
        cell = self.cells[index]
        return Fix(cell, cell.area, near)

    def areas_of(self, cells: Sequence[str]) -> frozenset[str]:
        """The areas in which these cells lie; codes of no cell of this map are passed over."""
        return frozenset(self._area_of[code] for code in cells if code in self._area_of)

    def fix_cell(self, lon: float, lat: float) -> int:
        """Index into `cells` of the cell that covers a point, -1 outside all of them and for what is no number."""
        return self._raster.first(lon, lat)

    def fix_many(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """`fix_cell` of each row of `points`, shape (n, 2), longitude first."""
        return self._raster.first_many(points)

    def _near(self, lon: float, lat: float, own: int) -> tuple[str, ...]:
        if not (isfinite(lon) and isfinite(lat)):
            return ()
        around = self._raster.around(lon, lat, self.border_m / self._east, self.border_m / self._north)
        around.discard(own)
        if not around:
            return ()
        others = list(around)
        point = shapely.points(lon * self._east, lat * self._north)
        within = shapely.dwithin(self._plane[others], point, self.border_m).tolist()
        return tuple(sorted(self._codes[index] for index, near in zip(others, within, strict=True) if near))


def _bounds(areas: AreaTree) -> tuple[float, float, float, float]:
    """West, south, east and north of all areas in degrees; without any, a box that holds no point."""
    if not areas.areas:
        return inf, inf, -inf, -inf
    west, south, east, north = shapely.total_bounds([area.polygon for area in areas.areas.values()]).tolist()
    return west, south, east, north
