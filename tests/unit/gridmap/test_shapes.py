"""Polygons read from GeoJSON, with every fault at once."""

from typing import Any

import pytest

from gridmap.shapes import read_shape, validity_faults

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
OPEN = SQUARE[:-1]
BOW = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]


def problems(geometry: Any) -> list[str]:
    shape, faults = read_shape(geometry)
    assert (shape is None) == bool(faults)
    return [fault.problem for fault in faults]


def test_a_polygon_with_a_hole_and_heights_is_read() -> None:
    hole = [[0.2, 0.2, 5], [0.2, 0.4, 5], [0.4, 0.4, 5], [0.2, 0.2, 5]]
    shape, faults = read_shape({"type": "Polygon", "coordinates": [SQUARE, hole]})
    assert faults == []
    assert shape is not None
    assert shape.area == pytest.approx(0.98)
    assert not shape.has_z


def test_a_multipolygon_is_read() -> None:
    far = [[lon + 5, lat] for lon, lat in SQUARE]
    shape, faults = read_shape({"type": "MultiPolygon", "coordinates": [[SQUARE], [far]]})
    assert faults == []
    assert shape is not None
    assert shape.area == pytest.approx(2)


def test_open_rings_are_found_although_the_library_would_close_them() -> None:
    assert problems({"type": "Polygon", "coordinates": [OPEN]}) == ["open_ring"]


def test_a_self_intersection_is_found_and_its_place_named() -> None:
    _, faults = read_shape({"type": "Polygon", "coordinates": [BOW]})
    assert [(fault.problem, fault.detail) for fault in faults] == [("invalid", "Self-intersection[0.5 0.5]")]


def test_all_faults_of_a_geometry_come_at_once() -> None:
    geometry = {
        "type": "MultiPolygon",
        "coordinates": [[OPEN, [[0, 0], [1, 1]]], [[[200, 0], *SQUARE[1:-1], [200, 0]]]],
    }
    assert problems(geometry) == ["open_ring", "too_few_points", "open_ring", "outside_the_earth"]


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {},
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": []},
        {"type": "MultiPolygon", "coordinates": [[]]},
        {"type": "Polygon", "coordinates": "x"},
        {"type": ["Polygon"], "coordinates": [SQUARE]},
    ],
)
def test_what_is_no_polygon_is_said_to_be_none(geometry: Any) -> None:
    assert problems(geometry) == ["no_polygon"]


@pytest.mark.parametrize(
    "position", [None, [1], ["1", "2"], [True, False], [float("nan"), 0], [float("inf"), 0], [10**400, 0]]
)
def test_positions_must_be_finite_numbers(position: Any) -> None:
    assert problems({"type": "Polygon", "coordinates": [[position, *SQUARE]]}) == ["bad_coordinates"]


def test_a_valid_shape_has_no_fault() -> None:
    shape, _ = read_shape({"type": "Polygon", "coordinates": [SQUARE]})
    assert shape is not None
    assert validity_faults(shape) == []
