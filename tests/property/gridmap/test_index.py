"""The grid map against brute force over all cells, borders, corners and overlaps included."""

from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridmap.areas import AreaTree
from gridmap.cells import Cell
from gridmap.grid import cut
from gridmap.index import GridMap
from gridmap.metres import areas_m2, metres_per_degree, mid_latitude

BORDER_M = 15.0


def brute_force(cells: list[Cell], points: NDArray[np.float64]) -> list[int]:
    """The rule itself: of all cells that cover a point, the smallest in 0.01 m², then the lowest code."""
    polygons = np.array([cell.polygon for cell in cells], dtype=object)
    size = np.round(areas_m2(polygons, mid_latitude(polygons)), 2)
    answers = []
    for point in np.asarray(shapely.points(points)):
        covering = np.flatnonzero(shapely.covers(polygons, point)).tolist()
        answers.append(min(covering, key=lambda index: (size[index], cells[index].code), default=-1))
    return answers


def lattice(random: np.random.Generator, side: int) -> list[NDArray[np.float64]]:
    """Corners of side² four-sided cells that share them, each moved at random."""
    grid = np.stack(np.meshgrid(np.arange(side + 1.0), np.arange(side + 1.0)), axis=-1)
    grid += random.uniform(-0.35, 0.35, grid.shape)
    corners = grid * 0.001 + (116.0, 39.0)
    rings = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2)
    return list(rings.reshape(-1, 4, 2))


def tricky_points(random: np.random.Generator, polygons: Sequence[shapely.Geometry], count: int) -> NDArray[np.float64]:
    """Corners, points computed on sides, points a rounding step beside corners, and points anywhere about."""
    corners = shapely.get_coordinates(polygons)
    begin, end = corners[:-1], corners[1:]
    share = random.uniform(0, 1, (len(begin), 1))
    west, south, east, north = shapely.total_bounds(polygons)
    anywhere = random.uniform((west - 0.001, south - 0.001), (east + 0.001, north + 0.001), (count, 2))
    beside = np.nextafter(corners, random.uniform(0, 200, corners.shape))
    return np.concatenate([corners, (begin + end) / 2, begin + share * (end - begin), beside, anywhere])


def assert_agreement(cells: list[Cell], points: NDArray[np.float64]) -> None:
    grid = GridMap(1, AreaTree([]), cells, BORDER_M)
    expected = brute_force(cells, points)
    assert grid.fix_many(points).tolist() == expected
    assert [grid.fix_cell(lon, lat) for lon, lat in points.tolist()] == expected


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 7))
def test_crooked_cells_agree_with_brute_force(seed: int, side: int) -> None:
    random = np.random.default_rng(seed)
    polygons = np.asarray(shapely.polygons(lattice(random, side))).tolist()
    codes = random.permutation(len(polygons))
    cells = [Cell(f"{code:03d}", "", "", polygon) for code, polygon in zip(codes, polygons, strict=True)]
    assert_agreement(cells, tricky_points(random, polygons, 200))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_overlapping_and_scattered_cells_agree_with_brute_force(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    low = random.uniform((116, 39), (116.02, 39.02), (count, 2))
    high = low + 10 ** random.uniform(-5, -1.5, (count, 2))
    boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]).tolist()
    round_ones = shapely.buffer(shapely.points(low), random.uniform(1e-5, 5e-3, count)).tolist()
    polygons = [*boxes, *round_ones, shapely.MultiPolygon([shapely.box(117, 39, 117.01, 39.01), boxes[0]])]
    cells = [Cell(f"{code:03d}", "", "", polygon) for code, polygon in enumerate(polygons)]
    assert_agreement(cells, tricky_points(random, polygons, 200))


@pytest.mark.parametrize("size_m", [35.0, 100.0, 333.0])
def test_cut_squares_agree_with_brute_force_on_their_corners(size_m: float) -> None:
    random = np.random.default_rng(5)
    cells = cut(shapely.box(116.0, 39.0, 116.01, 39.006), size_m, "110101001001")
    polygons = [cell.polygon for cell in cells]
    assert_agreement(cells, tricky_points(random, polygons, 500))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 15.0, 80.0, 400.0]))
def test_near_cells_are_those_that_a_look_at_all_distances_finds(seed: int, border_m: float) -> None:
    random = np.random.default_rng(seed)
    polygons = np.array(shapely.polygons(lattice(random, 6)), dtype=object)
    cells = [Cell(f"{code:03d}", "", "", polygon) for code, polygon in enumerate(polygons)]
    grid = GridMap(1, AreaTree([]), cells, border_m)
    scale = metres_per_degree(mid_latitude(polygons))
    plane = shapely.transform(polygons, lambda degrees: degrees * scale)
    for lon, lat in random.uniform((115.997, 38.997), (116.01, 39.01), (60, 2)).tolist():
        distance = shapely.distance(plane, shapely.Point(lon * scale[0], lat * scale[1]))
        own = grid.fix_cell(lon, lat)
        expected = [cells[index].code for index in np.flatnonzero(distance <= border_m) if index != own]
        assert list(grid.fix(lon, lat).near) == expected
