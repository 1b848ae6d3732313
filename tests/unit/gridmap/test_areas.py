"""The tree of areas."""

import numpy as np
import pytest
import shapely

from gridmap.areas import Area, AreaTree, area_faults, tree_faults
from gridmap.errors import BrokenAreas, UnknownArea


def area(code: str, parent: str | None, level: int, *box: float) -> Area:
    return Area(code, f"区域{code}", parent, level, shapely.box(*(box or (116, 39, 117, 40))))


CITY = area("1101", None, 1, 116, 39, 118, 40)
WEST = area("110101", "1101", 2, 116, 39, 117, 40)
EAST = area("110102", "1101", 2, 117, 39, 118, 40)
STREET = area("110101001", "110101", 3, 116, 39, 116.5, 39.5)


def test_a_path_goes_from_the_most_specific_upwards() -> None:
    tree = AreaTree([STREET, CITY, EAST, WEST])
    assert tree.path("110101001") == ("110101001", "110101", "1101")
    assert tree.path("1101") == ("1101",)
    with pytest.raises(UnknownArea, match="'110199'"):
        tree.path("110199")


def test_a_point_is_in_the_deepest_area_borders_included() -> None:
    tree = AreaTree([CITY, WEST, EAST, STREET])
    points = {
        (116.2, 39.2): "110101001",
        (116.5, 39.5): "110101001",
        (116.7, 39.7): "110101",
        (117.0, 39.5): "110101",
        (118.0, 40.0): "110102",
        (118.1, 39.5): None,
        (float("nan"), 39.5): None,
    }
    assert {point: tree.locate(*point) for point in points} == points
    assert tree.locate_many(np.array(list(points))) == list(points.values())


def test_a_tree_of_no_areas_is_nowhere() -> None:
    assert AreaTree([]).locate(0.5, 0.5) is None
    assert AreaTree([]).locate_many(np.array([[0.5, 0.5]])) == [None]


def test_every_fault_is_reported_at_once() -> None:
    bow = Area("6", "六", None, 1, shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))
    areas = [area("1", None, 1), area("1", None, 1), area("2", "9", 2), area("3", "4", 2), area("4", "3", 2)]
    found = area_faults([*areas, area("5", "1", 1), bow])
    assert [(fault.code, fault.problem, fault.detail) for fault in found] == [
        ("1", "duplicate_code", "区域1"),
        ("2", "unknown_parent", "9"),
        ("3", "cycle", "3 → 4 → 3"),
        ("4", "cycle", "4 → 3 → 4"),
        ("5", "level_not_below_parent", "1 under 1"),
        ("6", "invalid_polygon", "Self-intersection[0.5 0.5]"),
    ]


def test_an_area_under_a_circle_is_not_called_a_circle() -> None:
    areas = [area("3", "4", 2), area("4", "3", 3), area("5", "3", 4), area("6", "6", 1)]
    assert [fault.code for fault in tree_faults(areas) if fault.problem == "cycle"] == ["3", "4", "6"]


def test_a_broken_tree_is_refused_with_its_faults() -> None:
    with pytest.raises(BrokenAreas) as caught:
        AreaTree([area("2", "9", 2)])
    assert caught.value.faults == tree_faults([area("2", "9", 2)])
