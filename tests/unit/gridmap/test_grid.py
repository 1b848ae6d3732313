"""The cutter."""

from itertools import pairwise

import numpy as np
import pytest
import shapely

from gridmap.errors import BadBoundary, BadCode, BadSize, TooManyCells
from gridmap.grid import cut
from gridmap.metres import areas_m2, metres_per_degree

PREFIX = "110101001001"
EAST, NORTH = metres_per_degree(39.0)


def box_m(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle in metres around 116°E 39°N."""
    return shapely.box(116 + west / EAST, 39 + south / NORTH, 116 + east / EAST, 39 + north / NORTH)


def sizes(cells: list[shapely.Geometry]) -> list[float]:
    return [float(size) for size in areas_m2(np.array(cells, dtype=object), 39.0)]


def test_cells_are_numbered_west_to_east_and_north_to_south() -> None:
    cells = cut(box_m(-150, -100, 150, 100), 100, PREFIX)
    assert [cell.code for cell in cells] == [f"{PREFIX}{n:03d}" for n in range(1, 7)]
    centres = [cell.polygon.centroid for cell in cells]
    assert centres[0].x < centres[1].x < centres[2].x
    assert all(upper.y > lower.y + 50 / NORTH for upper, lower in zip(centres[:3], centres[3:], strict=True))
    assert {cell.area for cell in cells} == {PREFIX}
    assert len({cell.name for cell in cells}) == 6


def test_a_square_has_the_size_asked_for() -> None:
    assert sizes([cell.polygon for cell in cut(box_m(-150, -100, 150, 100), 100, PREFIX)]) == pytest.approx(
        [10_000] * 6
    )


def test_the_last_column_is_what_is_left() -> None:
    left, right = cut(box_m(0, -50, 150, 50), 100, PREFIX)
    assert sizes([left.polygon, right.polygon]) == pytest.approx([10_000, 5_000])


def test_a_sliver_joins_its_neighbour_and_a_bit_more_does_not() -> None:
    assert len(cut(box_m(0, -50, 101.9, 50), 100, PREFIX)) == 1
    assert len(cut(box_m(0, -50, 102.1, 50), 100, PREFIX)) == 2


def test_the_sliver_of_a_corner_goes_along() -> None:
    [cell] = cut(box_m(0, -50.5, 101, 50.5), 100, PREFIX)
    assert sizes([cell.polygon]) == pytest.approx([101 * 101])
    assert cell.polygon.is_valid


def test_an_island_under_the_share_stays_a_cell() -> None:
    both = shapely.MultiPolygon([box_m(0, -50, 100, 50), box_m(130, -5, 140, 5)])
    assert sorted(sizes([cell.polygon for cell in cut(both, 100, PREFIX)])) == pytest.approx([100, 10_000])


def test_what_clipping_leaves_in_two_pieces_becomes_two_cells() -> None:
    gap = box_m(40, -50, 60, 40)
    arch = box_m(0, -50, 100, 50).difference(gap)
    assert isinstance(arch, shapely.Polygon)
    pieces = cut(arch, 70, PREFIX)
    assert all(cell.polygon.geom_type == "Polygon" for cell in pieces)
    assert len(pieces) == 5
    assert sum(sizes([cell.polygon for cell in pieces])) == pytest.approx(10_000 - 20 * 90)


def test_neighbours_in_a_row_share_their_border_to_the_bit() -> None:
    cells = cut(box_m(-450, -50, 450, 50), 100, PREFIX)
    assert all(left.polygon.bounds[2] == right.polygon.bounds[0] for left, right in pairwise(cells))


def test_more_than_999_cells_are_refused_before_they_are_cut() -> None:
    with pytest.raises(TooManyCells) as caught:
        cut(box_m(-2000, -2000, 2000, 2000), 1, PREFIX)
    assert caught.value.limit == 999


def test_one_cell_too_many_is_refused_and_the_last_that_fits_is_not() -> None:
    assert len(cut(box_m(0, -135, 370, 135), 10, PREFIX)) == 999
    with pytest.raises(TooManyCells, match="needs 1000 cells of 10 m"):
        cut(box_m(0, -125, 400, 125), 10, PREFIX)


@pytest.mark.parametrize("size", [0, -1, float("nan"), float("inf")])
def test_a_size_that_is_none_is_refused(size: float) -> None:
    with pytest.raises(BadSize):
        cut(box_m(0, 0, 100, 100), size, PREFIX)


def test_a_prefix_must_be_a_community() -> None:
    with pytest.raises(BadCode):
        cut(box_m(0, 0, 100, 100), 50, "110101")


@pytest.mark.parametrize("boundary", [shapely.Polygon(), shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])])
def test_an_empty_or_crossing_boundary_is_refused(boundary: shapely.Polygon) -> None:
    with pytest.raises(BadBoundary):
        cut(boundary, 100, PREFIX)
