"""The cutter: one community's boundary into square cells.

The lattice is laid out in degrees with the metres per degree of the boundary's middle latitude. A square is therefore
true to size there and its width is off by the change of the cosine towards the edges: at 31°N 0.01 % for each
kilometre north or south, 1 cm on 100 m. Its own lattice for each community keeps cells inside one community, which is
what the code of a cell says.
"""

from math import ceil, inf

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon

from gridmap.cells import Cell
from gridmap.codes import LAST_SEQUENCE, cell_code
from gridmap.errors import BadBoundary, BadSize, TooManyCells
from gridmap.metres import areas_m2, metres_per_degree, mid_latitude
from gridmap.shapes import Shape, validity_faults

# A piece of less than this share of a full square is no place to send anyone: it joins a neighbour.
SLIVER_SHARE = 0.02
POLYGON = 3


def cut(boundary: Shape, size_m: float, prefix: str) -> list[Cell]:
    """Cells of `size_m` metres that cover a boundary in WGS-84 degrees exactly and without overlap, in order of code.

    Squares are clipped to the boundary; what the clipping leaves in several pieces becomes several cells. Pieces
    under 2 % of a square join the neighbour with the longest common border. Codes are `prefix` (12 digits) and a
    sequence, numbered west to east within a row and the rows north to south. Raises `BadSize`, `BadBoundary` (empty
    or invalid), `BadCode`, and `TooManyCells` above 999.
    """
    if not 0 < size_m < inf:
        raise BadSize(size_m)
    for fault in validity_faults(boundary):
        raise BadBoundary(prefix, fault.detail)
    latitude = mid_latitude(np.array([boundary], dtype=object))
    east, north = metres_per_degree(latitude)
    # Clipping only ever adds pieces, and slivers are the only ones that vanish: more surface than this cannot fit.
    estimate = int(boundary.area * east * north / (size_m**2 * (1 + SLIVER_SHARE * 8)))
    if estimate > LAST_SEQUENCE:
        raise TooManyCells(prefix, estimate, size_m, LAST_SEQUENCE)

    pieces, rows = _clip(boundary, size_m / east, size_m / north)
    pieces, rows = _join_slivers(pieces, rows, SLIVER_SHARE * size_m**2, latitude)
    if len(pieces) > LAST_SEQUENCE:
        raise TooManyCells(prefix, len(pieces), size_m, LAST_SEQUENCE)
    bounds = shapely.bounds(pieces)
    order = np.lexsort((-bounds[:, 3], bounds[:, 0], rows))
    return [
        Cell(cell_code(prefix, sequence), f"{sequence:03d}网格", prefix, pieces[index])
        for sequence, index in enumerate(order, 1)
    ]


def _clip(boundary: Shape, width: float, height: float) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """The polygons in which the lattice divides the boundary, and the row of each, counted from the north."""
    west, south, east, north = boundary.bounds
    # Every line of the lattice is computed once, so that neighbours share it to the last bit.
    x = west + width * np.arange(ceil((east - west) / width) + 1)
    y = north - height * np.arange(ceil((north - south) / height) + 1)
    row, column = (index.ravel() for index in np.indices((len(y) - 1, len(x) - 1)))
    squares = shapely.box(x[column], y[row + 1], x[column + 1], y[row])

    shapely.prepare(boundary)
    met = shapely.intersects(boundary, squares)
    squares, row = squares[met], row[met]
    whole = shapely.covers(boundary, squares)
    squares[~whole] = shapely.intersection(squares[~whole], boundary)
    pieces, square_of = shapely.get_parts(squares, return_index=True)
    solid = (shapely.get_type_id(pieces) == POLYGON) & ~shapely.is_empty(pieces)
    return pieces[solid], row[square_of[solid]]


def _join_slivers(
    pieces: NDArray[np.object_], rows: NDArray[np.intp], least_m2: float, latitude: float
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Unite each piece below `least_m2` with the neighbour of the longest common border; islands stay."""
    pieces, sizes = pieces.copy(), areas_m2(pieces, latitude)
    alive = np.ones(len(pieces), dtype=bool)
    waiting = set(np.flatnonzero(sizes < least_m2).tolist())
    while waiting:
        sliver = min(waiting, key=lambda index: (sizes[index], index))
        waiting.remove(sliver)
        near = np.flatnonzero(alive & shapely.intersects(pieces, pieces[sliver]))
        near = near[near != sliver]
        common = shapely.length(shapely.intersection(pieces[near], pieces[sliver]))
        if not near.size or not common.max() > 0:
            continue
        host = int(near[common.argmax()])
        united = shapely.union(pieces[host], pieces[sliver])
        if not isinstance(united, Polygon):
            continue
        pieces[host], sizes[host] = united, sizes[host] + sizes[sliver]
        alive[sliver] = False
        if sizes[host] >= least_m2:
            waiting.discard(host)
    return pieces[alive], rows[alive]
