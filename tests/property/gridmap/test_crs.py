"""The inverses of the offsets, all over China."""

from hypothesis import given
from hypothesis import strategies as st

from gridmap.crs import CRS, convert, in_offset_box, to_wgs84
from gridmap.metres import metres_per_degree

# One hundredth of a degree inside the box, because the offset jumps on its edge.
longitudes, latitudes = st.floats(73.67, 135.04), st.floats(3.87, 53.54)
shifted: st.SearchStrategy[CRS] = st.sampled_from(["gcj02", "bd09"])


@given(longitudes, latitudes, shifted)
def test_there_and_back_is_under_one_centimetre(lon: float, lat: float, crs: CRS) -> None:
    back_lon, back_lat = to_wgs84(*convert(lon, lat, "wgs84", crs), crs)
    east, north = metres_per_degree(lat)
    assert abs(back_lon - lon) * east < 0.01
    assert abs(back_lat - lat) * north < 0.01


@given(longitudes, latitudes)
def test_the_shift_is_never_more_than_a_kilometre(lon: float, lat: float) -> None:
    assert in_offset_box(lon, lat)
    moved_lon, moved_lat = convert(lon, lat, "wgs84", "gcj02")
    east, north = metres_per_degree(lat)
    assert ((moved_lon - lon) * east) ** 2 + ((moved_lat - lat) * north) ** 2 < 1000**2
