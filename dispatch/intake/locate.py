"""Second step: where. Point → cell by `covers`; a point that cannot be right is set aside; no place at all is normal.

| given            | the place is                                                              |
|------------------|---------------------------------------------------------------------------|
| a point          | the point; an address that surely names another place is set aside          |
| words, no point  | that of the gazetteer, from the city's chance of being right on; else none, |
|                  | and what the words may mean is kept for a person                            |
| an area, no more | the area                                                                  |
"""

from dataclasses import dataclass
from math import cos, floor, radians
from typing import Literal

from dispatch.city.model import City
from dispatch.domain.reports import PlaceView
from dispatch.intake.read import Reading
from gridmap import crs
from gridmap.gazetteer import Candidate, disagreement

# Tiles are the neighbourhoods of matching: 0.004° of latitude is 445 m, and of longitude 300 m at 47.6° and more south of it,
# so a circle of up to 150 m touches at most four; further north, where tiles are narrower, six.
TILE_DEGREES = 0.004
METRES_PER_DEGREE = 111_320.0
# Where something is stands at the beginning of what people write, if it stands there at all: so many characters are read for it.
SAID = 200


@dataclass(frozen=True, slots=True)
class Place:
    """WGS-84 degrees where known; `areas` most specific first; `outside` when the point lies in no area of the city.

    `source` says what the place was taken from; `candidates` are what the words may mean, best first, where there was no point.
    """

    lon: float | None = None
    lat: float | None = None
    cell: str | None = None
    areas: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    outside: bool = False
    source: Literal["point", "address", "area", "none"] = "none"
    candidates: tuple[Candidate, ...] = ()

    @property
    def area(self) -> str | None:
        return self.areas[0] if self.areas else None

    @property
    def views(self) -> list[PlaceView]:
        """What the words may mean, as it is shown."""
        return [
            PlaceView(each.name, each.area, round(each.lon, 6), round(each.lat, 6), round(each.confidence, 3), each.why)
            for each in self.candidates
        ]


NOWHERE = Place()


def locate(reading: Reading, city: City) -> Place:
    """The place of a reading. A given area code counts where there is no usable point, and is compared where there is."""
    location = reading.report.location
    given = location.area_code if location else None
    if given is not None and given not in city.map.areas:
        reading.aside("location.area_code", given, "unknown_code", "not an area of this city")
        given = None
    point = _point(reading, city) if location else None
    if point is None:
        return _named(reading, city, given)
    lon, lat = point
    if not city.automatic.locate:
        return Place(lon, lat, areas=city.map.areas.path(given) if given else (), source="point")
    _compare(reading, city, lon, lat)
    fix = city.map.fix(lon, lat)
    if fix.area is None:
        areas = city.map.areas.path(given) if given else ()
        return Place(lon, lat, areas=areas, outside=given is None, source="point")
    areas = city.map.areas.path(fix.area)
    if given and given not in areas and fix.area not in city.map.areas.path(given):
        reading.aside("location.area_code", given, "disagrees", f"the point lies in {fix.area}")
    return Place(lon, lat, fix.cell.code if fix.cell else None, areas, fix.near, source="point")


def _named(reading: Reading, city: City, given: str | None) -> Place:
    """The place that the words name, if that is likely enough; what they may mean otherwise."""
    areas = city.map.areas.path(given) if given else ()
    words = _words(reading)
    if not words or not city.automatic.locate:
        return Place(areas=areas, source="area" if areas else "none")
    found = tuple(each for each in city.gazetteer.find(words, given) if each.confidence >= city.locating.suggest)
    if found and found[0].confidence >= city.locating.confidence:
        fix = city.map.fix(found[0].lon, found[0].lat)
        if fix.area is not None:
            cell, path = fix.cell.code if fix.cell else None, city.map.areas.path(fix.area)
            return Place(found[0].lon, found[0].lat, cell, path, fix.near, source="address", candidates=found)
    return Place(areas=areas, source="area" if areas else "none", candidates=found)


def _compare(reading: Reading, city: City, lon: float, lat: float) -> None:
    """An address that names a place far from the point is set aside; what else is said may well be of other places."""
    address = reading.report.location.address if reading.report.location else None
    apart = disagreement(city.gazetteer.find(address, limit=1), lon, lat) if address else None
    if apart is not None:
        reading.aside("location.address", address, "disagrees", f"the address and the point lie {apart:,.0f} m apart")


def _words(reading: Reading) -> str:
    """Where it is, in words: the address, else the beginning of what was said, without what is personal."""
    location = reading.report.location
    return (location.address if location else None) or reading.masked[:SAID]


def _point(reading: Reading, city: City) -> tuple[float, float] | None:
    location = reading.report.location
    assert location is not None
    lon, lat = location.lon, location.lat
    if lon is None and lat is None:
        return None
    raw = {"lon": lon, "lat": lat, "crs": location.crs}
    if lon is None or lat is None:
        reading.aside("location", raw, "incomplete", "a point needs both lon and lat")
        return None
    if lon == 0 and lat == 0:
        reading.aside("location", raw, "null_point", "0, 0 is what devices send when they do not know")
        return None
    if location.crs not in crs.OFFSETS:
        reading.aside("location.crs", raw, "unknown_code", "not one of wgs84, cgcs2000, gcj02, bd09")
        return None
    west, south, east, north = city.map.bounds
    if west <= lat <= east and south <= lon <= north and not (west <= lon <= east and south <= lat <= north):
        reading.aside("location", raw, "swapped", "longitude and latitude look exchanged")
        return None
    # At the edge of the world a point of another system may become none.
    point = crs.to_wgs84(lon, lat, location.crs) if on_earth(lon, lat) else (lon, lat)
    if not on_earth(*point):
        reading.aside("location", raw, "out_of_range", "not a point on earth")
        return None
    return float(point[0]), float(point[1])


def on_earth(lon: float, lat: float) -> bool:
    """Whether degrees are those of a point on earth."""
    return -180 <= lon <= 180 and -90 <= lat <= 90


def tile_of(lon: float, lat: float) -> int:
    """The tile of a point: row and column as one number."""
    return (floor((lat + 90) / TILE_DEGREES) << 20) | floor((lon + 180) / TILE_DEGREES)


def tiles_near(lon: float, lat: float, radius_m: float) -> list[int]:
    """The tiles that a circle of `radius_m` metres touches, ascending."""
    across, up = degrees(lat, radius_m)
    return sorted({tile_of(x, y) for x in (lon - across, lon, lon + across) for y in (lat - up, lat, lat + up)})


def degrees(lat: float, length_m: float) -> tuple[float, float]:
    """A length in metres as degrees of longitude and of latitude at this latitude."""
    up = length_m / METRES_PER_DEGREE
    return up / max(cos(radians(lat)), 0.01), up


def metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Distance in metres, good to a part in a thousand over the few hundred metres compared here."""
    north = (lat_a - lat_b) * METRES_PER_DEGREE
    east = (lon_a - lon_b) * METRES_PER_DEGREE * cos(radians((lat_a + lat_b) / 2))
    return float((north * north + east * east) ** 0.5)
