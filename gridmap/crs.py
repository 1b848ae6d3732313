"""Coordinate systems met in Chinese city data, and the way between them.

| name       | what it is                                   | who gives it                     |
|------------|----------------------------------------------|----------------------------------|
| `wgs84`    | GPS                                          | devices, OpenStreetMap           |
| `cgcs2000` | the national frame; within 1 cm of WGS-84's ellipsoid, taken as equal | surveying, 城市管理 GIS |
| `gcj02`    | WGS-84 with a smooth offset of 300 to 600 m  | Gaode, Tencent                   |
| `bd09`     | GCJ-02 with a further offset of about 1 km   | Baidu                            |

GCJ-02 and BD-09 were never published; the constants are those in common use. The offset of GCJ-02 applies inside the
box lon 73.66..135.05, lat 3.86..53.55 only. Both inverses are found by iteration and are good to well under 1 cm,
except in the strip of about 600 m along that box's edge, where the offset itself jumps. Coordinates are degrees,
finite, longitude first; a pair of floats gives a pair of floats, a pair of equally long arrays a pair of arrays.
"""

import math
from math import pi
from types import ModuleType
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

CRS = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
Degrees = TypeVar("Degrees", float, NDArray[np.float64])

WEST, EAST, SOUTH, NORTH = 73.66, 135.05, 3.86, 53.55
# Krasovsky 1940, the ellipsoid on which the offset of GCJ-02 is defined.
SEMI_MAJOR_M = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
BAIDU_TURN = pi * 3000 / 180
BAIDU_EAST, BAIDU_NORTH = 0.0065, 0.006
# The offset changes by less than 1 % over its own length, so each round gains two digits: 600 m shrink below 1 µm in
# five.
ROUNDS = 5

# How many offsets lie between a system and WGS-84.
OFFSETS: dict[CRS, int] = {"wgs84": 0, "cgcs2000": 0, "gcj02": 1, "bd09": 2}


def to_wgs84(lon: Degrees, lat: Degrees, crs: CRS) -> tuple[Degrees, Degrees]:
    """The WGS-84 longitude and latitude of a point given in `crs`."""
    return convert(lon, lat, crs, "wgs84")


def convert(lon: Degrees, lat: Degrees, source: CRS, target: CRS) -> tuple[Degrees, Degrees]:
    """The longitude and latitude in `target` of a point given in `source`."""
    here, there = OFFSETS[source], OFFSETS[target]
    for offset in range(here, there):
        lon, lat = (_wgs84_to_gcj02, _gcj02_to_bd09)[offset](lon, lat)
    for offset in range(here, there, -1):
        lon, lat = (_gcj02_to_wgs84, _bd09_to_gcj02)[offset - 1](lon, lat)
    return lon, lat


def in_offset_box(lon: Any, lat: Any) -> Any:
    """Whether GCJ-02 shifts the point: a bool, or an array of them."""
    return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


def _wgs84_to_gcj02(lon: Any, lat: Any) -> tuple[Any, Any]:
    east, north = _gcj02_offset(lon, lat)
    return _inside_only(lon, lat, lon + east, lat + north)


def _gcj02_to_wgs84(lon: Any, lat: Any) -> tuple[Any, Any]:
    guess_lon, guess_lat = lon, lat
    for _ in range(ROUNDS):
        east, north = _gcj02_offset(guess_lon, guess_lat)
        guess_lon, guess_lat = lon - east, lat - north
    return _inside_only(lon, lat, guess_lon, guess_lat)


def _bd09_to_gcj02(lon: Any, lat: Any) -> tuple[Any, Any]:
    guess_lon, guess_lat = lon - BAIDU_EAST, lat - BAIDU_NORTH
    for _ in range(ROUNDS):
        back_lon, back_lat = _gcj02_to_bd09(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - back_lon, guess_lat + lat - back_lat
    return guess_lon, guess_lat


def _gcj02_to_bd09(lon: Any, lat: Any) -> tuple[Any, Any]:
    m = _mathematics(lon)
    radius = m.sqrt(lon * lon + lat * lat) + 0.00002 * m.sin(lat * BAIDU_TURN)
    angle = m.atan2(lat, lon) + 0.000003 * m.cos(lon * BAIDU_TURN)
    return radius * m.cos(angle) + BAIDU_EAST, radius * m.sin(angle) + BAIDU_NORTH


def _gcj02_offset(lon: Any, lat: Any) -> tuple[Any, Any]:
    """The offset in degrees at a WGS-84 point, by the formula alone, box or no box."""
    m = _mathematics(lon)
    x, y = lon - 105.0, lat - 35.0
    root = m.sqrt(abs(x))
    ripple = 20 * m.sin(6 * pi * x) + 20 * m.sin(2 * pi * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (ripple + _waves(m, x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (ripple + _waves(m, y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))) * 2 / 3

    phi = lat * (pi / 180)
    bulge = 1 - ECCENTRICITY_SQUARED * m.sin(phi) ** 2
    across = SEMI_MAJOR_M / m.sqrt(bulge) * m.cos(phi) * pi / 180
    along = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED) / (bulge * m.sqrt(bulge)) * pi / 180
    return east / across, north / along


def _waves(m: ModuleType, t: Any, *waves: tuple[int, float]) -> Any:
    return sum(height * m.sin(turns * pi * t) for height, turns in waves)


def _inside_only(lon: Any, lat: Any, moved_lon: Any, moved_lat: Any) -> tuple[Any, Any]:
    inside = in_offset_box(lon, lat)
    if isinstance(inside, np.ndarray):
        return np.where(inside, moved_lon, lon), np.where(inside, moved_lat, lat)
    return (moved_lon, moved_lat) if inside else (lon, lat)


def _mathematics(value: Any) -> ModuleType:
    # `math` is ten times faster on one number, numpy on many; the names needed here are the same in both.
    return np if isinstance(value, np.ndarray) else math
