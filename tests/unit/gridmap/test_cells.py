"""Cells that overlap."""

import pytest
import shapely

from gridmap.cells import Cell, overlaps
from gridmap.metres import metres_per_degree


def cell(code: str, west: float, south: float, east: float, north: float) -> Cell:
    return Cell(code, code, "110101001001", shapely.box(west, south, east, north))


def test_cells_that_share_only_a_border_do_not_overlap() -> None:
    row = [cell(str(i), 116 + i / 1000, 39, 116 + (i + 1) / 1000, 39.001) for i in range(5)]
    assert overlaps(row) == []
    assert overlaps([]) == []


def test_an_overlap_is_reported_once_with_its_surface() -> None:
    cells = [
        cell("b", 116, 39, 116.001, 39.001),
        cell("a", 116.0005, 39, 116.002, 39.001),
        cell("c", 117, 39, 117.1, 39.1),
    ]
    [(one, other, surface)] = overlaps(cells)
    east, north = metres_per_degree(39.05)
    assert (one, other) == ("a", "b")
    assert surface == pytest.approx(0.0005 * east * 0.001 * north, rel=1e-6)


def test_a_cell_inside_another_and_the_same_cell_twice_overlap() -> None:
    cells = [
        cell("a", 116, 39, 116.01, 39.01),
        cell("b", 116.002, 39.002, 116.004, 39.004),
        cell("c", 116, 39, 116.01, 39.01),
    ]
    assert [(one, other) for one, other, _ in overlaps(cells)] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_border_drawn_some_millimetres_apart_is_no_overlap() -> None:
    assert overlaps([cell("a", 116, 39, 116.001, 39.001), cell("b", 116.00099999, 39, 116.002, 39.001)]) == []
