"""The grid map: cell, area and neighbours of a point."""

import numpy as np
import pytest
import shapely

from gridmap.areas import Area, AreaTree
from gridmap.cells import Cell
from gridmap.index import GridMap
from gridmap.metres import metres_per_degree

WIDE = 0.001
COMMUNITY = "110101001001"
AREAS = AreaTree(
    [
        Area("110101001", "街道", None, 3, shapely.box(116, 39, 116.02, 39.02)),
        Area(COMMUNITY, "社区", "110101001", 4, shapely.box(116, 39, 116.01, 39.01)),
    ]
)


def square(code: str, column: int, row: int, wide: float = WIDE) -> Cell:
    west, south = 116 + column * WIDE, 39 + row * WIDE
    return Cell(code, code, COMMUNITY, shapely.box(west, south, west + wide, south + wide))


CELLS = [square("c", 0, 0), square("a", 1, 0), square("b", 0, 1), square("d", 1, 1)]
MAP = GridMap(3, AREAS, CELLS)


def test_a_point_inside_one_cell_is_in_it() -> None:
    fix = MAP.fix(116.0005, 39.0005)
    assert fix.cell is CELLS[0]
    assert fix.area == COMMUNITY
    assert fix.near == ()
    assert MAP.version == 3


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ((CELLS[0].polygon.bounds[2], 39.0005), "a"),
        ((116.0005, CELLS[0].polygon.bounds[3]), "b"),
        ((CELLS[0].polygon.bounds[2], CELLS[0].polygon.bounds[3]), "a"),
        ((116.0, 39.0), "c"),
        ((CELLS[3].polygon.bounds[2], CELLS[3].polygon.bounds[3]), "d"),
    ],
)
def test_a_border_belongs_to_the_lowest_code_among_equal_squares(point: tuple[float, float], code: str) -> None:
    cell = MAP.fix(*point).cell
    assert cell is not None
    assert cell.code == code
    assert MAP.cells[MAP.fix_many(np.array([point]))[0]].code == code


def test_the_smaller_cell_wins_before_the_lower_code() -> None:
    inner = Cell("z", "z", COMMUNITY, shapely.box(116.0002, 39.0002, 116.0008, 39.0008))
    grid = GridMap(1, AREAS, [*CELLS, inner])
    assert grid.fix(116.0005, 39.0005).cell is inner
    assert grid.fix(116.0002, 39.0005).cell is inner
    assert grid.fix(116.00015, 39.0005).cell is CELLS[0]
    assert grid.fix(116.0005, 39.0005).near == ("c",)


def test_cells_within_the_margin_are_shown_and_those_beyond_are_not() -> None:
    east, north = metres_per_degree(39 + WIDE)
    border = CELLS[0].polygon.bounds[2]
    assert MAP.fix(border - 14.9 / east, 39.0005).near == ("a",)
    assert MAP.fix(border - 15.1 / east, 39.0005).near == ()
    assert MAP.fix(border - 14.9 / east, CELLS[0].polygon.bounds[3] - 14.9 / north).near == ("a", "b")
    assert MAP.fix(border - 10 / east, CELLS[0].polygon.bounds[3] - 10 / north).near == ("a", "b", "d")
    assert GridMap(1, AREAS, CELLS, border_m=60).fix(116.0005, 39.0005).near == ("a", "b")


def test_outside_every_cell_the_area_polygons_answer() -> None:
    assert MAP.fix(116.005, 39.005).area == COMMUNITY
    assert MAP.fix(116.015, 39.015).area == "110101001"
    nowhere = MAP.fix(0.0, 0.0)
    assert (nowhere.cell, nowhere.area, nowhere.near) == (None, None, ())


def test_just_outside_the_cells_they_are_near() -> None:
    east, _ = metres_per_degree(39 + WIDE)
    fix = MAP.fix(116 - 10 / east, 39.0005)
    assert fix.cell is None
    assert fix.near == ("c",)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_nowhere(value: float) -> None:
    for point in ((value, 39.0005), (116.0005, value)):
        fix = MAP.fix(*point)
        assert (fix.cell, fix.area, fix.near) == (None, None, ())
        assert MAP.fix_many(np.array([point])).tolist() == [-1]


def test_a_cell_of_several_parts_is_found_in_each_and_not_in_its_hole() -> None:
    hole = shapely.box(116.001, 39.001, 116.002, 39.002).exterior
    ring = shapely.Polygon(shapely.box(116, 39, 116.003, 39.003).exterior, [hole])
    grid = GridMap(
        1, AREAS, [Cell("m", "m", COMMUNITY, shapely.MultiPolygon([ring, shapely.box(116.01, 39, 116.011, 39.001)]))]
    )
    points = np.array(
        [[116.0005, 39.0005], [116.0105, 39.0005], [116.0015, 39.0015], [116.001, 39.0015], [116.006, 39.0005]]
    )
    assert grid.fix_many(points).tolist() == [0, 0, -1, 0, -1]
    assert [grid.fix_cell(*point) for point in points.tolist()] == [0, 0, -1, 0, -1]


def test_a_map_without_cells_still_knows_areas() -> None:
    grid = GridMap(1, AREAS, [])
    assert grid.fix(116.005, 39.005).area == COMMUNITY
    assert grid.fix_cell(0.0, 0.0) == -1
    assert grid.fix_many(np.array([[0.0, 0.0]])).tolist() == [-1]


def test_no_points_give_no_answers() -> None:
    assert MAP.fix_many(np.empty((0, 2))).tolist() == []
