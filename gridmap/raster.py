"""A raster (栅格) over polygons: most points find their polygon by one look into an array.

The extent is divided into square buckets, about sixteen to a polygon. A bucket that no border passes and at most one
polygon covers has its answer written in it. Every other bucket lists the few parts that reach into it, best first,
and the first that covers the point is the answer, by the same exact predicate that a search over all polygons would
use. The answers are therefore those of brute force, borders and corners included; only the work differs.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from gridmap.shapes import Shape

BUCKETS_PER_PART = 16
LEAST_BUCKETS = 4096
# Marks a bucket as touched by a border that passes within this share of its side, far more than rounding and far less
# than matters.
MARGIN = 1e-6
# How many parts or bucket centres are worked on at once while building: bounds the memory, not the result.
CHUNK = 16384
OUTSIDE = -1
Indices = NDArray[np.int32]


class Raster:
    """Immutable index over polygons; `first` and `first_many` may be called from several threads at once."""

    __slots__ = (
        "_answers",
        "_answers_view",
        "_candidates",
        "_candidates_view",
        "_columns",
        "_east",
        "_north",
        "_owners",
        "_owners_view",
        "_parts",
        "_per_degree",
        "_rows",
        "_south",
        "_starts",
        "_starts_view",
        "_west",
    )

    def __init__(self, polygons: Sequence[Shape] | NDArray[np.object_], best_first: NDArray[np.intp]) -> None:
        """Index valid `polygons`; where several cover a point, the first in `best_first` (their indices) wins."""
        shapes = np.array(polygons, dtype=object)[best_first]
        parts, shape_of = shapely.get_parts(shapes, return_index=True)
        self._parts = parts
        self._owners: Indices = best_first[shape_of].astype(np.int32)
        self._west, self._south, self._east, self._north = _bounds(parts)
        width, height = self._east - self._west, self._north - self._south
        side = float(np.sqrt(width * height / max(LEAST_BUCKETS, BUCKETS_PER_PART * len(parts))))
        self._per_degree = 1 / side
        self._columns = int(width * self._per_degree) + 1
        self._rows = int(height * self._per_degree) + 1
        self._fill(side)
        self._answers_view = self._answers.data
        self._starts_view = self._starts.data
        self._candidates_view = self._candidates.data
        self._owners_view = self._owners.data
        # A prepared polygon completes its index at the first question; asked here, it is read-only afterwards.
        shapely.prepare(parts)
        bounds = shapely.bounds(parts)
        shapely.intersects_xy(parts, bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1))

    def first(self, lon: float, lat: float) -> int:
        """Index of the best polygon that covers the point, -1 where none does (also for NaN)."""
        if not (self._west <= lon <= self._east and self._south <= lat <= self._north):
            return OUTSIDE
        row, column = int((lat - self._south) * self._per_degree), int((lon - self._west) * self._per_degree)
        answer: int = self._answers_view[row * self._columns + column]
        if answer >= OUTSIDE:
            return answer
        listed = OUTSIDE - 1 - answer
        for part in self._candidates_view[self._starts_view[listed] : self._starts_view[listed + 1]]:
            if shapely.intersects_xy(self._parts[part], lon, lat):
                return int(self._owners_view[part])
        return OUTSIDE

    def first_many(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """`first` of each row of `points`, shape (n, 2), longitude first."""
        lon, lat = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
        inside = (lon >= self._west) & (lon <= self._east) & (lat >= self._south) & (lat <= self._north)
        found = np.full(len(points), OUTSIDE, dtype=np.int64)
        found[inside] = self._answers[self._buckets(lon[inside], lat[inside])]

        open_ = np.flatnonzero(found < OUTSIDE)
        listed = OUTSIDE - 1 - found[open_]
        found[open_] = OUTSIDE
        candidate, end = self._starts[listed], self._starts[listed + 1]
        while open_.size:
            part = self._candidates[candidate]
            hit = shapely.intersects_xy(self._parts[part], lon[open_], lat[open_])
            found[open_[hit]] = self._owners[part[hit]]
            candidate = candidate + 1
            left = ~hit & (candidate < end)
            open_, candidate, end = open_[left], candidate[left], end[left]
        return found

    def around(self, lon: float, lat: float, wide: float, high: float) -> set[int]:
        """Indices of all polygons within `wide` degrees of longitude and `high` of latitude, and perhaps a few more."""
        first_column = max(int((lon - wide - self._west) * self._per_degree), 0)
        last_column = min(int((lon + wide - self._west) * self._per_degree), self._columns - 1)
        first_row = max(int((lat - high - self._south) * self._per_degree), 0)
        last_row = min(int((lat + high - self._south) * self._per_degree), self._rows - 1)
        found = set()
        for row in range(first_row, last_row + 1):
            begin = row * self._columns
            for answer in self._answers_view[begin + first_column : begin + last_column + 1]:
                if answer < OUTSIDE:
                    listed = OUTSIDE - 1 - answer
                    parts = self._candidates_view[self._starts_view[listed] : self._starts_view[listed + 1]]
                    found.update([self._owners_view[part] for part in parts])
                elif answer != OUTSIDE:
                    found.add(answer)
        return found

    def _buckets(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        column = ((lon - self._west) * self._per_degree).astype(np.int64)
        row = ((lat - self._south) * self._per_degree).astype(np.int64)
        return row * self._columns + column

    def _fill(self, side: float) -> None:
        crossing, covering = self._crossing(side), self._covering(side)
        bucket, part = np.divmod(_distinct(np.concatenate([crossing, covering])), len(self._parts) or 1)
        first = np.flatnonzero(_is_new(bucket))
        reached, count = bucket[first], np.diff(first, append=len(bucket))
        plain = count == 1
        plain[np.searchsorted(reached, crossing // (len(self._parts) or 1))] = False

        self._answers: Indices = np.full(self._rows * self._columns, OUTSIDE, dtype=np.int32)
        self._answers[reached[plain]] = self._owners[part[first[plain]]]
        listed = ~plain
        self._answers[reached[listed]] = OUTSIDE - 1 - np.arange(np.count_nonzero(listed))
        self._starts: Indices = np.concatenate([[0], np.cumsum(count[listed])]).astype(np.int32)
        self._candidates: Indices = part[np.repeat(listed, count)].astype(np.int32)

    def _crossing(self, side: float) -> NDArray[np.int64]:
        """bucket × parts + part, for each bucket that the border of a part passes."""
        keys = [np.empty(0, dtype=np.int64)]
        for start in range(0, len(self._parts), CHUNK):
            rings, part = shapely.get_rings(self._parts[start : start + CHUNK], return_index=True)
            # Pieces shorter than a side reach into at most two columns and two rows, so the corners of their boxes
            # name every bucket.
            points, ring = shapely.get_coordinates(shapely.segmentize(rings, side * 0.9), return_index=True)
            along = ring[1:] == ring[:-1]
            begin, end, part = points[:-1][along], points[1:][along], part[ring[:-1][along]] + start
            origin, far = (self._west, self._south), (self._east, self._north)
            low = np.clip(np.minimum(begin, end) - side * MARGIN, origin, far)
            high = np.clip(np.maximum(begin, end) + side * MARGIN, origin, far)
            corners = [self._buckets(x[:, 0], y[:, 1]) for x in (low, high) for y in (low, high)]
            keys.append(_distinct((np.stack(corners) * len(self._parts) + part).ravel()))
        return np.concatenate(keys)

    def _covering(self, side: float) -> NDArray[np.int64]:
        """bucket × parts + part, for each part that covers the centre of a bucket."""
        tree = shapely.STRtree(self._parts)
        keys = [np.empty(0, dtype=np.int64)]
        for start in range(0, self._rows * self._columns, CHUNK):
            bucket = np.arange(start, min(start + CHUNK, self._rows * self._columns))
            row, column = np.divmod(bucket, self._columns)
            centres = shapely.points(self._west + (column + 0.5) * side, self._south + (row + 0.5) * side)
            which, part = tree.query(centres, predicate="covered_by")
            keys.append(bucket[which] * len(self._parts) + part)
        return np.concatenate(keys)


def _bounds(parts: NDArray[np.object_]) -> tuple[float, float, float, float]:
    if not len(parts):
        return 0.0, 0.0, 1.0, 1.0
    west, south, east, north = (float(edge) for edge in shapely.total_bounds(parts))
    return west, south, east, north


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    # Sorting beats the hash table of np.unique by far on millions of integers.
    keys = np.sort(keys)
    return keys[_is_new(keys)]


def _is_new(ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.concatenate([np.ones(min(len(ordered), 1), dtype=np.bool_), ordered[1:] != ordered[:-1]])
