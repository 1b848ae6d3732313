"""Cases with a place and no words, learned from the pairs that people named (查重): one pass in time order, and a model from it.

A case that nobody named is no verified negative. What is learned is therefore how likely people are to name a pair, and that is
what ranks: nobody should read a belief as the share of cases that are repeats.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from dispatch.intake.allowance import Allowance, Share
from dispatch.intake.locate import on_earth, tile_of, tiles_near
from dispatch.intake.located import Located, LocatedModel, Near, Reach, best, near, settle
from dispatch.intake.streets import address
from dispatch.learning import tables

# The point that the city of these columns writes where it knows none.
UNPLACED: Final = (-71.0587, 42.3594)
COLUMNS: Final = ("case_enquiry_id", "open_dt", "closed_dt", "type", "location", "latitude", "longitude")
KIN: Final = "reason"
# Pairs further apart are slips of the pen.
NAMED_M: Final = 500.0


class Named(NamedTuple):
    """A pair that people named: the case that was opened later, and the one before it."""

    later: str
    earlier: str


class Judged(NamedTuple):
    """What was said of a case: the earlier one believed most and the belief; flagged where it is named."""

    case: Located
    earlier: Located | None
    belief: float
    flagged: bool


def read_cases(path: Path, names: tables.Names = tables.NO_NAMES) -> list[Located]:
    """Cases in time order. Raises FaultyTable; the kin is the column `reason` where the file has one."""
    columns = (*COLUMNS, *((KIN,) if tables.has(path, KIN, names) else ()))
    found, known = list[Located](), set[str]()
    for line, row in tables.rows(path, columns, names):
        case = _case(path.name, line, row)
        if case.key in known:
            raise tables.FaultyTable(path.name, line, COLUMNS[0], f"{case.key} stood before")
        if found and case.opened_at < found[-1].opened_at:
            raise tables.FaultyTable(path.name, line, "open_dt", "is before that of the line above; sort by it")
        known.add(case.key)
        found.append(case)
    return found


def _case(file: str, line: int, row: Mapping[str, str]) -> Located:
    def read(column: str, kind: Callable[[str], Any], needed: bool) -> Any:
        if not row[column].strip() and not needed:
            return None
        try:
            return kind(row[column].strip())
        except ValueError:
            raise tables.FaultyTable(file, line, column, f"{row[column] or 'nothing'} cannot be read") from None

    lon, lat = read("longitude", float, False), read("latitude", float, False)
    if lon is None or lat is None or not on_earth(lon, lat) or (lon, lat) in (UNPLACED, (0.0, 0.0)):
        lon = lat = None
    return Located(
        key=row["case_enquiry_id"], kind=row["type"], kin=row.get(KIN, ""), opened_at=read("open_dt", _instant, True),
        closed_at=read("closed_dt", _instant, False), lon=lon, lat=lat, address=address(row["location"]),
    )  # fmt: skip


def _instant(text: str) -> datetime:
    """A time; one without offset is read as it stands, which serves for differences."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_named(path: Path, cases: Sequence[Located], names: tables.Names = tables.NO_NAMES) -> list[Named]:
    """The pairs of which both cases are there, each once. Raises FaultyTable; leaves out what lies further apart than 500 m."""
    order = {case.key: place for place, case in enumerate(cases)}
    measured = tables.has(path, "distance_m", names)
    found: dict[Named, None] = {}
    for line, row in tables.rows(path, ("dup_case", "ref_case", *(("distance_m",) if measured else ())), names):
        one, other = row["dup_case"], row["ref_case"]
        if one == other:
            raise tables.FaultyTable(path.name, line, "ref_case", f"{one} is named for itself")
        try:
            far = measured and float(row["distance_m"] or 0) > NAMED_M
        except ValueError:
            raise tables.FaultyTable(path.name, line, "distance_m", f"{row['distance_m']} is no number") from None
        if one in order and other in order and not far:
            found[Named(*sorted((one, other), key=lambda key: -order[key]))] = None
    return list(found)


class Window:
    """The cases of late, by tile and by street; what has left the reach is dropped on the way."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._days, self._closed = timedelta(days=reach.days), timedelta(days=reach.closed_days)
        self._by_tile: dict[int, list[Located]] = defaultdict(list)
        self._by_street: dict[str, list[Located]] = defaultdict(list)

    def found(self, case: Located, akin: Callable[[Located, Located], bool]) -> list[Near]:
        """The earlier cases that may be meant, oldest first: near, or on a common street where a point is missing."""
        there: dict[str, Near] = {}
        if case.lon is not None and case.lat is not None:
            for tile in tiles_near(case.lon, case.lat, self._reach.metres):
                for earlier in self._live(self._by_tile, tile, case.opened_at):
                    if akin(case, earlier):
                        each = near(case, earlier)
                        if each.metres is not None and each.metres <= self._reach.metres:
                            there[earlier.key] = each
        for street in sorted(case.address.streets):
            for earlier in self._live(self._by_street, street, case.opened_at):
                if (case.lon is None or earlier.lon is None) and akin(case, earlier):
                    there[earlier.key] = Near(earlier, None)
        return sorted(there.values(), key=lambda each: each.case.opened_at)

    def add(self, case: Located) -> None:
        """Makes a case findable."""
        if case.lon is not None and case.lat is not None:
            self._by_tile[tile_of(case.lon, case.lat)].append(case)
        for street in case.address.streets:
            self._by_street[street].append(case)

    def _live(self, held: dict[Any, list[Located]], key: int | str, at: datetime) -> list[Located]:
        if key not in held:
            return []
        held[key] = [
            each for each in held[key]
            if at - each.opened_at <= self._days and not (each.closed_at and at - each.closed_at >= self._closed)
        ]  # fmt: skip
        return held[key]


def met(cases: Iterable[Located], model: LocatedModel) -> Iterator[tuple[Located, list[Near]]]:
    """Each case with the earlier ones that may be meant, in one pass."""
    window = Window(model.reach)
    for case in cases:
        found = window.found(case, model.akin)
        settle(case, found)
        yield case, found
        window.add(case)


def judge(cases: Iterable[Located], model: LocatedModel, share: Share) -> Iterator[Judged]:
    """What is said of each case, from nothing but what was known when it was opened."""
    allowance = Allowance(share, model.usual)
    for case, found in met(cases, model):
        yield told(model, case, found, allowance)


def told(model: LocatedModel, case: Located, found: Sequence[Near], allowance: Allowance) -> Judged:
    """What is said of a case beside the earlier ones that may be meant; counted in the allowance."""
    earlier, belief = best(model, case, found)
    flagged = earlier is not None and belief > allowance.asked()
    allowance.note(belief, flagged)
    return Judged(case, earlier, belief, flagged)


def gatherings(judged: Iterable[Judged], hours: float) -> list[tuple[str, int, int]]:
    """Matters that gather repeats: the first case, its repeats by whatever chain, the most within so many hours; largest first."""
    first: dict[str, str] = {}
    times: dict[str, list[datetime]] = defaultdict(list)
    for each in judged:
        if each.flagged and each.earlier is not None:
            root = first.setdefault(each.case.key, first.get(each.earlier.key, each.earlier.key))
            times[root].append(each.case.opened_at)
    found = [(root, len(opened), _most_within(opened, timedelta(hours=hours))) for root, opened in times.items()]
    return sorted(found, key=lambda each: (-each[2], -each[1], each[0]))


def _most_within(opened: Sequence[datetime], span: timedelta) -> int:
    """The most of these instants, ascending, that lie within a span."""
    start, most = 0, 0
    for end, at in enumerate(opened):
        while at - opened[start] > span:
            start += 1
        most = max(most, end - start + 1)
    return most
