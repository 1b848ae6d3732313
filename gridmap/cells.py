"""Cells (单元网格): the smallest polygons of a city, and whether they lie apart from each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gridmap.metres import areas_m2, metres_per_degree, mid_latitude
from gridmap.shapes import Shape

# Borders drawn twice differ by rounding, and by centimetres between surveys; what is smaller than this is a border,
# not an overlap.
OVERLAP_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: code, name for people, code of its community or lowest area, polygon in WGS-84 degrees."""

    code: str
    name: str
    area: str
    polygon: Shape


def overlaps(cells: Sequence[Cell]) -> list[tuple[str, str, float]]:
    """Pairs of cells that share more than 1 m², as (code, code, shared area in m²), sorted by codes."""
    if not cells:
        return []
    polygons = np.array([cell.polygon for cell in cells], dtype=object)
    one, other = shapely.STRtree(polygons).query(polygons)
    one, other = one[one < other], other[one < other]

    # Neighbours in a row touch along a whole side: their boxes share no surface, which settles nearly all pairs
    # without geometry.
    bounds = shapely.bounds(polygons)
    low = np.maximum(bounds[one, :2], bounds[other, :2])
    high = np.minimum(bounds[one, 2:], bounds[other, 2:])
    latitude = mid_latitude(polygons)
    east, north = metres_per_degree(latitude)
    worth = np.prod(np.maximum(high - low, 0), axis=1) * east * north > OVERLAP_M2
    one, other = one[worth], other[worth]

    shared = areas_m2(shapely.intersection(polygons[one], polygons[other]), latitude)
    pairs = [
        (*sorted((cells[i].code, cells[j].code)), float(area))
        for i, j, area in zip(one, other, shared, strict=True)
        if area > OVERLAP_M2
    ]
    return sorted((a, b, area) for a, b, area in pairs)
