"""Coordinate systems against published points."""

import numpy as np
import pytest

from gridmap.crs import CRS, convert, to_wgs84

# The same input taken as WGS-84, as GCJ-02 and as BD-09, with the outcome of the common open-source converter.
VECTORS = [
    (
        (116.404, 39.915),
        (116.41024449916938, 39.91640428150164),
        (116.41036949371029, 39.92133699351022),
        (116.39762729119315, 39.90865673957631),
    ),
    (
        (121.473701, 31.230416),
        (121.47822405739267, 31.22847374224698),
        (121.48023840790201, 31.236350800982365),
        (121.46719613101034, 31.22435801798287),
    ),
    (
        (104.066541, 30.572269),
        (104.06904597951714, 30.569814587450697),
        (104.07300542574244, 30.578319637165702),
        (104.06010550299388, 30.566119020009662),
    ),
    (
        (113.264385, 23.129112),
        (113.26971458288735, 23.126435336538538),
        (113.27081796617938, 23.135340412528762),
        (113.25793116796865, 23.122979416443872),
    ),
]
EXACT = 1e-10
# That converter inverts BD-09 in one step, which leaves up to 13 cm; ours goes on until it is under 1 cm.
ONE_STEP = 1.3e-6


@pytest.mark.parametrize(("point", "gcj02", "bd09", "back"), VECTORS)
def test_offsets_are_those_of_the_published_points(
    point: tuple[float, float], gcj02: tuple[float, float], bd09: tuple[float, float], back: tuple[float, float]
) -> None:
    assert convert(*point, "wgs84", "gcj02") == pytest.approx(gcj02, rel=0, abs=EXACT)
    assert convert(*point, "gcj02", "bd09") == pytest.approx(bd09, rel=0, abs=EXACT)
    assert convert(*point, "bd09", "gcj02") == pytest.approx(back, rel=0, abs=ONE_STEP)
    assert to_wgs84(*gcj02, "gcj02") == pytest.approx(point, rel=0, abs=EXACT)


@pytest.mark.parametrize("crs", ["wgs84", "cgcs2000"])
def test_cgcs2000_is_taken_as_wgs84(crs: CRS) -> None:
    assert to_wgs84(116.404, 39.915, crs) == (116.404, 39.915)
    assert convert(116.404, 39.915, crs, "gcj02") == convert(116.404, 39.915, "wgs84", "gcj02")


@pytest.mark.parametrize("point", [(73.65, 39.0), (135.06, 39.0), (100.0, 3.85), (100.0, 53.56), (-71.06, 42.36)])
def test_gcj02_does_not_shift_outside_its_box(point: tuple[float, float]) -> None:
    assert convert(*point, "wgs84", "gcj02") == point
    assert to_wgs84(*point, "gcj02") == point


@pytest.mark.parametrize("point", [(73.66, 39.0), (135.05, 39.0), (100.0, 3.86), (100.0, 53.55)])
def test_gcj02_shifts_on_the_edge_of_its_box(point: tuple[float, float]) -> None:
    assert convert(*point, "wgs84", "gcj02") != point


def test_arrays_give_what_single_points_give() -> None:
    lon = np.array([116.404, 121.473701, -71.06, 135.2])
    lat = np.array([39.915, 31.230416, 42.36, 30.0])
    ways: list[tuple[CRS, CRS]] = [("wgs84", "bd09"), ("bd09", "wgs84"), ("gcj02", "wgs84")]
    for source, target in ways:
        together = np.stack(convert(lon, lat, source, target), axis=1)
        alone = [convert(x, y, source, target) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)
