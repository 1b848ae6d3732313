"""Areas (区域): the administrative polygons of a city, a tree of up to five levels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridmap.errors import BrokenAreas, UnknownArea
from gridmap.metres import areas_m2, mid_latitude
from gridmap.raster import Raster
from gridmap.shapes import Shape, validity_faults

AreaProblem = Literal["duplicate_code", "unknown_parent", "cycle", "level_not_below_parent", "invalid_polygon"]


@dataclass(frozen=True, slots=True)
class Area:
    """One area; `level` grows downwards, 1 the whole city, 5 the smallest. The polygon is in WGS-84 degrees."""

    code: str
    name: str
    parent: str | None
    level: int
    polygon: Shape


@dataclass(frozen=True, slots=True)
class AreaFault:
    """What is wrong with one area, for a checker that lists every fault at once."""

    code: str
    problem: AreaProblem
    detail: str


class AreaTree:
    """Immutable tree of areas that also knows which of them a point lies in."""

    def __init__(self, areas: Iterable[Area]) -> None:
        """Link and index the areas; raises `BrokenAreas` with every fault when they form no tree."""
        listed = tuple(areas)
        if faults := tree_faults(listed):
            raise BrokenAreas(faults)
        self.areas: Mapping[str, Area] = MappingProxyType({area.code: area for area in listed})
        self._paths = {code: tuple(_upwards(code, self.areas)) for code in self.areas}
        self._codes = tuple(self.areas)
        self._raster = Raster([area.polygon for area in listed], _deepest_first(listed))

    def path(self, code: str) -> tuple[str, ...]:
        """The code and its ancestors, most specific first; raises `UnknownArea`."""
        try:
            return self._paths[code]
        except KeyError:
            raise UnknownArea(code) from None

    def locate(self, lon: float, lat: float) -> str | None:
        """Code of the deepest area that covers a WGS-84 point, None outside.

        Borders belong to the area; ties go to the smallest area, then to the lowest code.
        """
        index = self._raster.first(lon, lat)
        return self._codes[index] if index >= 0 else None

    def __contains__(self, code: object) -> bool:
        return code in self.areas

    def locate_many(self, points: NDArray[np.float64]) -> list[str | None]:
        """`locate` of each row of `points`, shape (n, 2), longitude first."""
        return [self._codes[index] if index >= 0 else None for index in self._raster.first_many(points).tolist()]


def area_faults(areas: Iterable[Area]) -> list[AreaFault]:
    """Every fault of the tree and of the polygons."""
    listed = tuple(areas)
    return tree_faults(listed) + [
        AreaFault(area.code, "invalid_polygon", fault.detail)
        for area in listed
        for fault in validity_faults(area.polygon)
    ]


def tree_faults(areas: Iterable[Area]) -> list[AreaFault]:
    """Codes used twice, unknown parents, levels that do not grow downwards, areas that are their own ancestors."""
    faults = []
    by_code: dict[str, Area] = {}
    for area in areas:
        if area.code in by_code:
            faults.append(AreaFault(area.code, "duplicate_code", area.name))
        by_code.setdefault(area.code, area)
    for area in by_code.values():
        if area.parent is None:
            continue
        parent = by_code.get(area.parent)
        if parent is None:
            faults.append(AreaFault(area.code, "unknown_parent", area.parent))
        elif area.code in (circle := _upwards(area.parent, by_code)):
            faults.append(
                AreaFault(area.code, "cycle", " → ".join([area.code, *circle[: circle.index(area.code) + 1]]))
            )
        elif area.level <= parent.level:
            faults.append(AreaFault(area.code, "level_not_below_parent", f"{area.level} under {parent.level}"))
    return faults


def _upwards(code: str, areas: Mapping[str, Area]) -> list[str]:
    """The code and its ancestors, up to the root, an unknown parent, or a code that came already."""
    path: list[str] = []
    step: str | None = code
    while step is not None and step in areas and step not in path:
        path.append(step)
        step = areas[step].parent
    return path


def _deepest_first(areas: tuple[Area, ...]) -> NDArray[np.intp]:
    polygons = np.array([area.polygon for area in areas], dtype=object)
    size = np.round(areas_m2(polygons, mid_latitude(polygons)), 2)
    return np.lexsort((np.array([area.code for area in areas]), size, np.array([-area.level for area in areas])))
