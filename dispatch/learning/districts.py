"""The districts of a city from a file of polygons as others give it, as a grid map (区划图)."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from dispatch.learning.tables import FaultyTable
from gridmap.areas import Area, AreaTree
from gridmap.codes import area_level, is_area_code
from gridmap.crs import CRS, to_wgs84
from gridmap.index import GridMap
from gridmap.shapes import Shape, read_shape

CODES: Final = ("adcode", "code")


def read_districts(path: Path, crs: CRS) -> GridMap:
    """A map without cells from a GeoJSON FeatureCollection whose features have `adcode` (or `code`) and `name`, in degrees of `crs`.

    Raises FaultyTable naming the feature, counted from 1, in place of a line.
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8-sig"))["features"]
    except (ValueError, KeyError, TypeError) as fault:
        raise FaultyTable(path.name, 1, "the file", f"is no GeoJSON FeatureCollection: {fault}") from None
    areas: dict[str, Area] = {}
    for number, feature in enumerate(features, 1):
        area = _area(path.name, number, feature, crs)
        if area.code in areas:
            raise FaultyTable(path.name, number, "adcode", f"{area.code} stood before")
        areas[area.code] = area
    if not areas:
        raise FaultyTable(path.name, 1, "features", "has none")
    return GridMap(0, AreaTree(areas.values()), ())


def _area(file: str, number: int, feature: Any, crs: CRS) -> Area:
    properties = feature.get("properties") or {}
    code = next((str(properties[name]) for name in CODES if properties.get(name)), None)
    if code is None or not properties.get("name"):
        raise FaultyTable(file, number, "properties", "need adcode and name")
    shape, faults = read_shape(feature.get("geometry"))
    if shape is None:
        raise FaultyTable(file, number, "geometry", f"{faults[0].problem}: {faults[0].detail}")
    level = area_level(code) if is_area_code(code) else 1
    return Area(code, str(properties["name"]), None, level, _in_wgs84(shape, crs))


def _in_wgs84(shape: Shape, crs: CRS) -> Shape:
    def moved(degrees: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> Any:
        return np.column_stack(to_wgs84(degrees[:, 0], degrees[:, 1], crs))

    there: Shape = shapely.transform(shape, moved)
    return there
