"""A city folder learned from the first part of Boston's own history: cells, districts, units, duty book.

Nothing later than the training rows goes in: a type that first occurs afterwards is no category of this city.
"""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from connectors.history.expressions import slug

Row = Mapping[str, str]
# What the city writes where it knows no point.
UNKNOWN_POINT = ("42.3594", "-71.0587")
TRAINING_SHARE = 0.8
CELL_M = 250.0
METRES_PER_DEGREE = 111_320.0
CITY = "9902"

SETTINGS = """name = "Boston"
code = "9902"
time_zone = "America/New_York"
[desk]
hotline = "hotline"
dispatch = "dispatch"
fallback = "fallback"
outside = "outside"
[automatic]
locate = true
classify = true
match = true
route = true
[matching]
radius_m = 60
days = 30
attach = 0.80
suggest = 0.55
[cells]
size_m = 250
[[codes]]
branch = "event"
version = "2011"
file = "types.csv"
current = true
"""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Squares over the extent of the real points, by column and row from the south-west corner; degrees WGS-84."""

    west: float
    south: float
    width: float
    height: float
    columns: int
    rows: int

    def of(self, row: Row) -> tuple[int, int]:
        """The square of a row's point."""
        lon, lat = float(row["longitude"]), float(row["latitude"])
        return (
            min(int((lon - self.west) / self.width), self.columns - 1),
            min(int((lat - self.south) / self.height), self.rows - 1),
        )

    def square(self, column: int, row: int) -> shapely.Polygon:
        """A square as a polygon; neighbours share their corners exactly."""
        lon, lat = (
            [round(self.west + (column + n) * self.width, 7) for n in (0, 1)],
            [round(self.south + (row + n) * self.height, 7) for n in (0, 1)],
        )
        return shapely.box(lon[0], lat[0], lon[1], lat[1])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The history as it stands, in time order."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Rows in the form in which they were read."""
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def has_point(row: Row) -> bool:
    """Whether the row has a point of its own."""
    return (row["latitude"], row["longitude"]) != UNKNOWN_POINT


def split(rows: Sequence[dict[str, str]]) -> tuple[Sequence[dict[str, str]], Sequence[dict[str, str]]]:
    """The rows a city is learned from, and the later ones it is judged on."""
    cut = int(len(rows) * TRAINING_SHARE)
    return rows[:cut], rows[cut:]


def district_of(row: Row) -> str:
    """The police district as two digits and perhaps a letter; empty where none was written."""
    written = row["pwd_district"].strip()
    return written.zfill(2) if written.isdigit() else written


def majority(rows: Iterable[Row], *columns: str) -> dict[tuple[str, ...], str]:
    """The most frequent queue by type and, if asked for, district."""
    counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[tuple(district_of(row) if c == "pwd_district" else row[c] for c in columns)][row["queue"]] += 1
    return {key: queues.most_common(1)[0][0] for key, queues in counts.items()}


def look_up(training: Sequence[Row], judged: Sequence[Row]) -> float:
    """Share of rows whose queue a look-up by type and the district as the city itself gave it names."""
    near, wide = majority(training, "type", "pwd_district"), majority(training, "type")
    right = [near.get((r["type"], district_of(r)), wide.get((r["type"],))) == r["queue"] for r in judged]
    return sum(right) / len(right)


def build_city(rows: Sequence[dict[str, str]], folder: Path) -> None:
    """Writes the city's files; the boundary is the extent of the real points."""
    folder.mkdir()
    training, _ = split(rows)
    lattice = _lattice([row for row in rows if has_point(row)])
    labels = _labels(training, lattice)
    codes = {name: f"{CITY}{number:02d}" for number, name in enumerate(sorted(set(labels.values())), 1)}
    (folder / "city.toml").write_text(SETTINGS)
    _write_places(folder, lattice, labels, codes)
    _write_units(folder, sorted({row["queue"] for row in training}))
    types = sorted({row["type"] for row in training})
    _table(folder / "types.csv", "code,name,routes", [(slug(name), name, "by_place") for name in types])
    _table(folder / "returns.csv", "code,name,proposes_unit", [("not_our_duty", "not ours", "yes")])
    placed = [{**row, "pwd_district": labels[lattice.of(row)]} for row in training if has_point(row)]
    near, wide = majority(placed, "type", "pwd_district"), majority(training, "type")
    rules = [(slug(kind), codes[district], slug(queue)) for (kind, district), queue in sorted(near.items())]
    rules += [(slug(kind), "", slug(queue)) for (kind,), queue in sorted(wide.items())]
    numbered = [(f"R{number:05d}", *rule) for number, rule in enumerate(rules)]
    _table(folder / "duty.csv", "rule,category,area,lead", numbered)


def _lattice(rows: Sequence[Row]) -> Lattice:
    lons, lats = [float(row["longitude"]) for row in rows], [float(row["latitude"]) for row in rows]
    west, south, east, north = min(lons), min(lats), max(lons), max(lats)
    height = round(CELL_M / METRES_PER_DEGREE, 7)
    width = round(CELL_M / METRES_PER_DEGREE / cos(radians((south + north) / 2)), 7)
    return Lattice(west, south, width, height, int((east - west) / width) + 1, int((north - south) / height) + 1)


def _labels(training: Sequence[Row], lattice: Lattice) -> dict[tuple[int, int], str]:
    """The district of each square: that of most training points in it, without any that of the nearest with some."""
    seen: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for row in training:
        if has_point(row) and district_of(row):
            seen[lattice.of(row)][district_of(row)] += 1
    known = {square: names.most_common(1)[0][0] for square, names in sorted(seen.items())}
    places, names = np.array(list(known)), list(known.values())
    labels = {}
    for square in [(c, r) for c in range(lattice.columns) for r in range(lattice.rows)]:
        distances = ((places - np.array(square)) ** 2).sum(axis=1)
        labels[square] = known.get(square) or names[int(distances.argmin())]
    return labels


def _write_places(
    folder: Path, lattice: Lattice, labels: Mapping[tuple[int, int], str], codes: Mapping[str, str]
) -> None:
    squares = {place: lattice.square(*place) for place in labels}
    areas = [_feature(shapely.union_all(list(squares.values())), code=CITY, name="Boston", level=1)]
    for name, code in codes.items():
        union = shapely.union_all([squares[place] for place, label in labels.items() if label == name])
        areas.append(_feature(union, code=code, name=f"District {name}", parent=CITY, level=2))
    cells = [
        _feature(squares[place], code=f"{codes[label]}{number:09d}", name=f"{number}", area=codes[label])
        for number, (place, label) in enumerate(labels.items(), 1)
    ]
    for name, features in (("areas", areas), ("cells", cells)):
        (folder / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _feature(shape: BaseGeometry, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": mapping(shape)}


def _write_units(folder: Path, queues: Sequence[str]) -> None:
    desks = [("city", "Boston", "", 1, "government", CITY)]
    desks += [(code, code, "city", 1, "dispatch", CITY) for code in ("dispatch", "fallback", "outside")]
    desks.append(("hotline", "hotline", "city", 1, "hotline", CITY))
    units = [(slug(queue), queue, "city", 1, "department", "") for queue in queues]
    _table(folder / "units.csv", "code,name,parent,level,kind,area", [*desks, *units])


def _table(path: Path, heading: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heading.split(","))
        writer.writerows(rows)
