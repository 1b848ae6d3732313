"""A city's places and the texts that name them, as files of a history: `name,address,district` and a point in degrees (地名库与待解析文本)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dispatch.learning.tables import NO_NAMES, FaultyTable, Names, has, rows
from gridmap.crs import CRS, to_wgs84
from gridmap.gazetteer import Entry
from gridmap.index import GridMap

# The column is called so whatever system its degrees are of.
LON: Final = ("lon_wgs84", "lon")
LAT: Final = ("lat_wgs84", "lat")
TEXTS: Final = ("address", "text")


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to be placed, and where it is: known for the figures only."""

    text: str
    district: str
    point: tuple[float, float] | None


def read_entries(path: Path, crs: CRS, there: GridMap, names: Names = NO_NAMES) -> list[Entry]:
    """The places of a file in WGS-84; the district is that of the polygons where the file names none. Raises FaultyTable."""
    lon, lat = _column(path, LON, names), _column(path, LAT, names)
    given = ("district",) if has(path, "district", names) else ()
    aliases = ("aliases",) if has(path, "aliases", names) else ()
    found = []
    for line, row in rows(path, ("name", "address", lon, lat, *given, *aliases), names):
        point = to_wgs84(*_degrees(path, line, row, lon, lat), crs)
        code = there.fix(*point).area if not row.get("district") else None
        area = there.areas.areas[code].name if code else row.get("district", "")
        others = tuple(each for each in row.get("aliases", "").split("|") if each)
        found.append(Entry(row["name"], row["address"], area, *point, others))
    return found


def read_asked(path: Path, names: Names = NO_NAMES) -> list[Asked]:
    """The texts of a file, in order; `address` goes before `text`. Raises FaultyTable."""
    texts = [column for column in TEXTS if has(path, column, names)]
    if not texts:
        raise FaultyTable(path.name, 1, "address", "and text are no columns of this file; one is needed")
    lon, lat = (next((column for column in given if has(path, column, names)), None) for given in (LON, LAT))
    labels = [column for column in ("district", lon, lat) if column and has(path, column, names)]
    found = []
    for _, row in rows(path, (*texts, *labels), names):
        text = next((row[column] for column in texts if row[column]), "")
        found.append(Asked(text, row.get("district", ""), _point(row, lon, lat) if lon and lat else None))
    return found


def _point(row: dict[str, str], lon: str, lat: str) -> tuple[float, float] | None:
    try:
        return float(row[lon]), float(row[lat])
    except ValueError:
        return None


def _column(path: Path, ours: tuple[str, ...], names: Names) -> str:
    for column in ours:
        if has(path, column, names):
            return column
    raise FaultyTable(path.name, 1, " or ".join(ours), "is no column of this file")


def _degrees(path: Path, line: int, row: dict[str, str], lon: str, lat: str) -> tuple[float, float]:
    found = []
    for column, most in ((lon, 180), (lat, 90)):
        try:
            value = float(row[column])
        except ValueError:
            raise FaultyTable(path.name, line, column, f"{row[column] or 'nothing'} is no number") from None
        if not -most <= value <= most:
            raise FaultyTable(path.name, line, column, f"{row[column]} is no degree on earth")
        found.append(value)
    return found[0], found[1]
