"""Metres per degree on the WGS-84 ellipsoid.

A city is small enough to be measured on a plane: scaling degrees by the two radii of curvature at one latitude is
wrong by the change of the cosine over the extent, which at 31°N is 0.1 % for each 0.1° of latitude away from the
middle.
"""

from math import cos, pi, sin, sqrt

import numpy as np
import shapely
from numpy.typing import NDArray

SEMI_MAJOR_M = 6378137.0
ECCENTRICITY_SQUARED = 0.00669437999014


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length in metres of one degree of longitude and one of latitude, at `latitude` in degrees."""
    phi = latitude * pi / 180
    bulge = 1 - ECCENTRICITY_SQUARED * sin(phi) ** 2
    east = SEMI_MAJOR_M / sqrt(bulge) * cos(phi)
    north = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQUARED) / bulge**1.5
    return east * pi / 180, north * pi / 180


def areas_m2(polygons: NDArray[np.object_], latitude: float) -> NDArray[np.float64]:
    """Areas in square metres of lon/lat polygons, all scaled at one `latitude`."""
    east, north = metres_per_degree(latitude)
    return np.asarray(shapely.area(polygons) * east * north, dtype=np.float64)


def mid_latitude(polygons: NDArray[np.object_]) -> float:
    """The latitude half-way between the southernmost and the northernmost point of the polygons; 0 without polygons."""
    if not len(polygons):
        return 0.0
    _, south, _, north = shapely.total_bounds(polygons)
    return float((south + north) / 2)
