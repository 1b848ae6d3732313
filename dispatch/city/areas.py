"""Areas (区域) and cells (单元网格) of a city, from its GeoJSON files or cut from its communities."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Final

from msgspec import Meta, Struct
from shapely import Polygon

from dispatch.city.features import Located, read_features
from dispatch.city.rows import Code, Name
from gridmap.areas import Area, AreaTree, tree_faults
from gridmap.cells import Cell, overlaps
from gridmap.codes import is_area_code, is_cell_code
from gridmap.errors import GridMapError
from gridmap.grid import cut
from gridmap.shapes import Shape
from sla.errors import Fault

AREAS: Final = "areas.geojson"
CELLS: Final = "cells.geojson"

# Borders of neighbouring levels are often drawn twice; more than this share of an area outside its parent is a mistake.
OUTSIDE_SHARE: Final = 0.001


class AreaProperties(Struct, frozen=True):
    code: Code
    name: Name
    level: Annotated[int, Meta(ge=1, le=5)]
    parent: str | None = None


class CellProperties(Struct, frozen=True):
    code: Code
    name: Name
    area: str


class AreaFile:
    """The areas of a city and the lines they stand on."""

    def __init__(self, data: bytes, faults: list[Fault]) -> None:
        """Read the file; every fault of its form and of the tree is added to `faults`."""
        before = len(faults)
        features = read_features(AREAS, data, AreaProperties, faults)
        self.areas = [_area(feature) for feature in features]
        self.lines = {feature.properties.code: feature.line for feature in features}
        for fault in tree_faults(self.areas):
            faults.append(
                Fault(AREAS, self.lines[fault.code], "code", f"{fault.code}: {fault.problem}: {fault.detail}")
            )
        faults += [
            Fault(AREAS, self.lines[area.code], "code", f"{area.code}: is not 2, 4, 6, 9 or 12 digits")
            for area in self.areas
            if not is_area_code(area.code)
        ]
        self.tree = AreaTree(self.areas) if len(faults) == before else None

    def lowest(self) -> list[Area]:
        """The areas that have none below them."""
        parents = {area.parent for area in self.areas}
        return [area for area in self.areas if area.code not in parents]

    def cut(self, size_m: float, faults: list[Fault]) -> list[Cell]:
        """The squares of every lowest area, named after it."""
        cells: list[Cell] = []
        for area in self.lowest():
            try:
                found = cut(area.polygon, size_m, area.code)
            except GridMapError as error:
                faults.append(Fault(AREAS, self.lines[area.code], "geometry", f"{area.code} cannot be cut: {error}"))
            else:
                cells += [replace(cell, name=f"{area.name}{cell.name}") for cell in found]
        return cells

    def misfits(self) -> Iterator[Fault]:
        """Areas of one level that overlap, and areas that leave their parent."""
        for level in sorted({area.level for area in self.areas}):
            same = [Cell(area.code, area.name, area.code, area.polygon) for area in self.areas if area.level == level]
            for one, other, shared in overlaps(same):
                yield Fault(AREAS, self.lines[other], "geometry", f"{other} overlaps {one} by {shared:.0f} m²")
        by_code = {area.code: area for area in self.areas}
        for area in self.areas:
            if area.parent and _outside(area.polygon, by_code[area.parent].polygon):
                yield Fault(AREAS, self.lines[area.code], "geometry", f"{area.code} lies partly outside {area.parent}")


def read_cells(data: bytes, tree: AreaTree, faults: list[Fault]) -> list[Cell]:
    """The cells that the city drew itself, with every fault: codes, areas, overlaps, cells outside their area."""
    cells: list[Cell] = []
    lines: dict[str, int] = {}
    for feature in read_features(CELLS, data, CellProperties, faults):
        code, area = feature.properties.code, feature.properties.area
        if not is_cell_code(code):
            faults.append(Fault(CELLS, feature.line, "code", f"{code}: is not 15 digits"))
        if code in lines:
            faults.append(Fault(CELLS, feature.line, "code", f"{code}: is also on line {lines[code]}"))
        if area not in tree.areas:
            faults.append(Fault(CELLS, feature.line, "area", f"{area}: no such area"))
        elif feature.shape and _outside(feature.shape, tree.areas[area].polygon):
            faults.append(Fault(CELLS, feature.line, "geometry", f"{code} lies partly outside {area}"))
        lines.setdefault(code, feature.line)
        if feature.shape:
            cells.append(Cell(code, feature.properties.name, area, feature.shape))
    faults += _cell_overlaps(cells, lines)
    return cells


def _cell_overlaps(cells: Sequence[Cell], lines: dict[str, int]) -> Iterator[Fault]:
    for one, other, shared in overlaps(cells):
        yield Fault(CELLS, lines[other], "geometry", f"{other} overlaps {one} by {shared:.0f} m²")


def _area(feature: Located[AreaProperties]) -> Area:
    given = feature.properties
    return Area(given.code, given.name, given.parent or None, given.level, feature.shape or Polygon())


def _outside(inner: Shape, outer: Shape) -> bool:
    return bool(inner.difference(outer).area > OUTSIDE_SHARE * inner.area)
