"""Neighbouring communities of any shape, cut into cells."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.cells import overlaps
from gridmap.grid import SLIVER_SHARE, cut
from gridmap.metres import areas_m2, metres_per_degree

LATITUDE = 31.0
EAST, NORTH = metres_per_degree(LATITUDE)


def communities(seed: int) -> list[shapely.Polygon]:
    """Four neighbours of about 600 m that meet in crooked borders without an axis-parallel line."""
    random = np.random.default_rng(seed)
    points = shapely.MultiPoint(random.uniform(-600, 600, (4, 2)))
    frame = shapely.Polygon(random.uniform(500, 700, (12, 1)) * np.stack([np.cos(TURN), np.sin(TURN)], axis=1))
    parts = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame))
    pieces = [piece for part in parts for piece in shapely.get_parts(shapely.intersection(part, frame)).tolist()]
    degrees = shapely.transform(
        np.array(pieces, dtype=object), lambda metres: metres / (EAST, NORTH) + (121.0, LATITUDE)
    )
    return [piece for piece in degrees.tolist() if piece.geom_type == "Polygon" and not piece.is_empty]


TURN = np.linspace(0, 2 * np.pi, 12, endpoint=False)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.floats(40, 200))
def test_cells_cover_their_communities_exactly_and_never_overlap(seed: int, size_m: float) -> None:
    everything = []
    for number, boundary in enumerate(communities(seed), 1):
        cells = cut(boundary, size_m, f"310101001{number:03d}")
        polygons = np.array([cell.polygon for cell in cells], dtype=object)
        assert shapely.is_valid(polygons).all()
        surface = areas_m2(polygons, LATITUDE)
        whole = areas_m2(np.array([boundary], dtype=object), LATITUDE)[0]
        assert abs(surface.sum() - whole) < 1e-3
        assert abs(shapely.union_all(polygons).area * EAST * NORTH - whole) < 1e-3
        assert len(cells) == 1 or surface.min() > SLIVER_SHARE * size_m**2 * 0.99 or touches_nothing(polygons)
        everything += cells
    assert overlaps(everything) == []
    assert len({cell.code for cell in everything}) == len(everything)


def touches_nothing(polygons: np.ndarray[tuple[int], np.dtype[np.object_]]) -> bool:
    smallest = int(shapely.area(polygons).argmin())
    others = np.delete(polygons, smallest)
    return not shapely.length(shapely.intersection(others, polygons[smallest])).any()
