"""Polygons as they come in GeoJSON (RFC 7946), read with every fault of a geometry at once.

shapely closes an open ring in silence, so rings are judged before it sees them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeGuard

import shapely
from shapely.geometry import MultiPolygon, Polygon

# Beyond any coordinate or height on earth; NaN and infinity fail the comparison too.
FARTHEST = 1e9

Shape: TypeAlias = Polygon | MultiPolygon
ShapeProblem = Literal["no_polygon", "bad_coordinates", "too_few_points", "open_ring", "outside_the_earth", "invalid"]


@dataclass(frozen=True, slots=True)
class ShapeFault:
    """What is wrong with a geometry; `detail` says where: the ring, or the point of a self-intersection."""

    problem: ShapeProblem
    detail: str


def read_shape(geometry: Mapping[str, Any] | None) -> tuple[Shape | None, list[ShapeFault]]:
    """A polygon from a GeoJSON geometry in degrees, longitude first, and what is wrong with it.

    The polygon is None when any fault was found. Heights are dropped.
    """
    kind = geometry.get("type") if geometry else None
    coordinates = geometry.get("coordinates") if geometry else None
    polygons: object = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(str(kind))
    if not _is_list(polygons) or not polygons or not all(_is_list(rings) and rings for rings in polygons):
        return None, [ShapeFault("no_polygon", f"type {kind!r} with coordinates of another shape or none")]
    faults = [
        fault
        for number, rings in enumerate(polygons, 1)
        for index, ring in enumerate(rings)
        for fault in _ring_faults(ring, f"polygon {number} ring {index + 1}")
    ]
    if faults:
        return None, faults
    parts = [Polygon(*_shell_and_holes(rings)) for rings in polygons]
    shape: Shape = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    faults = validity_faults(shape)
    return (None if faults else shape), faults


def validity_faults(shape: Shape) -> list[ShapeFault]:
    """Self-intersections, crossing holes and the like (the OGC validity rules), with the place; empty when valid."""
    if shape.is_empty:
        return [ShapeFault("no_polygon", "empty")]
    return [] if shape.is_valid else [ShapeFault("invalid", str(shapely.is_valid_reason(shape)))]


def _ring_faults(ring: object, where: str) -> list[ShapeFault]:
    if not _is_list(ring) or not all(_is_position(position) for position in ring):
        return [ShapeFault("bad_coordinates", where)]
    faults = []
    if len(ring) < 4:
        faults.append(ShapeFault("too_few_points", f"{where}: {len(ring)}, needs 4"))
    if not ring or list(ring[0][:2]) != list(ring[-1][:2]):
        faults.append(ShapeFault("open_ring", where))
    if not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat, *_ in ring):
        faults.append(ShapeFault("outside_the_earth", where))
    return faults


def _shell_and_holes(rings: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    shell, *holes = ([position[:2] for position in ring] for ring in rings)
    return shell, holes


def _is_position(position: object) -> bool:
    return (
        _is_list(position)
        and len(position) >= 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < FARTHEST for n in position)
    )


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)
