"""Which places a text may mean, by two kinds of evidence.

| evidence | from                                                                | says                      |
|----------|---------------------------------------------------------------------|---------------------------|
| of rows  | its roads, numbers, parts, towns and runs, by how rare each is       | which places are like it   |
| of areas | the same, by how far each stands in one area more than in the others | in which area it lies      |

A place weighs exp(sum of both): what is said of no place near, as a road that is not in the gazetteer, still tells the area. A text that
is the whole name or address of places means these, and all of them alike.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridmap.gazetteer.index import ADDRESS, NAME, NO_ROWS, PART, ROAD, TOWN, TRUNK, Index, Numbers, Rows, apart, marks
from gridmap.gazetteer.reading import Said, runs

# What more places have than this share says nothing of one; in a small gazetteer a few may share anything.
COMMON: Final = 0.1
FEW: Final = 20
# Places on two roads farther apart than this, in metres, are at no crossing; of long roads so many places are looked at.
CROSSING_M: Final = 800.0
LOOKED_AT: Final = 400
# Of likely places so many are weighed.
TOP: Final = 100
# A name that stands in a text counts by its length, up to so many characters and from so many on.
LONG: Final = 10
SHORT: Final = 3


@dataclass(frozen=True, slots=True)
class Weights:
    """What each kind of key weighs, as evidence of rows and of areas; runs go by their length."""

    rows: Mapping[str, float]
    areas: Mapping[str, float]


# Chosen on places held out from one city's gazetteer; near these values little changes.
WEIGHTS: Final = Weights(
    rows={"1": 0.0, "2": 0.05, "3": 0.1, ROAD: 1.0, TRUNK: 0.4, PART: 1.0, TOWN: 0.5},
    areas={"1": 0.2, "2": 0.1, "3": 0.3, ROAD: 0.2, TRUNK: 0.2, PART: 0.5, TOWN: 2.0},
)
NUMBER: Final = 8.0
# A number this much farther off than the nearest weighs half.
REACH: Final = 20.0
CHARACTER: Final = 0.5
CROSSING: Final = 6.0
WITHIN: Final = 6.0
SHARPNESS: Final = 1.5
# So many places of no area are added to each key's, so that one place alone proves nothing.
SMOOTH: Final = 0.3


@dataclass(frozen=True, slots=True)
class Likely:
    """The likeliest places, best first: rows, what each weighs, together 1, how much speaks for each, and what share of the text does.

    `whole` where the text is their name or address, for which its length speaks; `meeting` are the places nearest to a crossing.
    """

    rows: NDArray[np.int64]
    shares: Numbers
    like: Numbers
    told: Numbers
    whole: bool = False
    meeting: tuple[int, int] | None = None


def likeliest(said: Said, index: Index, areas: Collection[str]) -> Likely | None:
    """Weighs places against what was said; None where no place has anything of it. `areas` are those in which it lies."""
    whole = np.union1d(index.rows(NAME + said.key), index.rows(ADDRESS + said.key)).astype(np.int64)
    if len(whole):
        length, ones = np.full(len(whole), float(len(said.key))), np.ones(len(whole))
        return _ranked(whole, length, ones, _inside(index, areas)[whole], whole=True)
    like, told, by_area = _evidence(said, index)
    like += _numbers(said, index)
    meeting = _meeting(said, index) if said.crossing else None
    if meeting:
        like[list(meeting)] += CROSSING
    rows = np.flatnonzero(like > 0)
    if not len(rows):
        return None
    both = like[rows] + by_area[index.area_of[rows]] + _inside(index, areas)[rows]
    if len(rows) > TOP:
        kept = np.argpartition(-both, TOP)[:TOP]
        rows, both = rows[kept], both[kept]
    both += [CHARACTER * _contained(said, index, row) for row in rows.tolist()]
    return _ranked(rows, like[rows] / index.most, told[rows], both, meeting=meeting)


def _ranked(
    rows: NDArray[np.int64],
    like: Numbers,
    told: Numbers,
    both: Numbers,
    *,
    whole: bool = False,
    meeting: tuple[int, int] | None = None,
) -> Likely:
    order = np.argsort(-both, kind="stable")[:TOP]
    shares = np.exp(SHARPNESS * (both[order] - both[order[0]]))
    return Likely(rows[order], shares / shares.sum(), like[order], told[order], whole, meeting)


def _inside(index: Index, areas: Collection[str]) -> Numbers:
    if not areas:
        return np.zeros(len(index.entries))
    return np.where(index.within(areas), WITHIN, -WITHIN)


def _evidence(said: Said, index: Index) -> tuple[Numbers, Numbers, Numbers]:
    """Of each row, as it is and as a share of what a place could have; and of each area: the logarithm of how much likelier it is."""
    count, areas = len(index.entries), len(index.areas)
    most, possible = max(COMMON * count, FEW), 0.0
    found: list[Rows] = []
    of_rows, of_areas = [], []
    named, run_of = marks(said), runs(said.plain)
    there = index.known_of(run_of)
    # Runs that no place has say only how little of the text is known: they are counted, not looked up.
    for size, times in Counter(map(len, run_of - there)).items():
        possible += WEIGHTS.rows[str(size)] * index.rarity(0) * times
    for key in (*named, *there):
        rows = index.rows(key)
        if len(rows) <= most:
            kind = key[0] if key in named else str(len(key))
            weight = WEIGHTS.rows[kind] * index.rarity(len(rows))
            possible += weight
            if len(rows):
                found.append(rows)
                of_rows.append(weight)
                of_areas.append(WEIGHTS.areas[kind])
    if not found:
        return np.zeros(count), np.zeros(count), np.zeros(areas)
    lengths = np.array([len(rows) for rows in found])
    all_rows = np.concatenate(found)
    like = np.bincount(all_rows, np.repeat(of_rows, lengths), count).astype(np.float64)
    cells = np.repeat(np.arange(len(found)) * areas, lengths) + index.area_of[all_rows]
    table = np.bincount(cells, minlength=len(found) * areas).reshape(len(found), areas)
    # As if all areas had equally many places: a large one is no likelier for being large.
    rate = table * (count / areas / index.sizes) + SMOOTH / areas
    by_area: Numbers = np.array(of_areas) @ np.log(rate / (lengths[:, None] + SMOOTH))
    return like, like / max(possible, 1e-9), by_area


def _numbers(said: Said, index: Index) -> Numbers:
    """Evidence for places on a road that is named with a number: the nearer theirs the more."""
    like = np.zeros(len(index.entries))
    for road in said.roads:
        listed = index.numbers.get(road.name)
        if road.number is not None and listed is not None:
            gap = abs(listed[:, 0] - road.number)
            near = NUMBER * (1 + gap.min() / REACH) / (1 + gap / REACH)
            np.maximum.at(like, listed[:, 1], near)
    return like


def _contained(said: Said, index: Index, row: int) -> int:
    """How many characters of a place's whole name or address stand in the text."""
    wholes = (*index.names[row], index.addresses[row])
    return max((min(len(whole), LONG) for whole in wholes if len(whole) >= SHORT and whole in said.plain), default=0)


def _meeting(said: Said, index: Index) -> tuple[int, int] | None:
    """The places nearest each other on the first two roads that are named, if they are near."""
    roads = list(dict.fromkeys(road.name for road in said.roads))[:2]
    one, other = ([index.rows(ROAD + road)[:LOOKED_AT] for road in roads] + [NO_ROWS, NO_ROWS])[:2]
    if not len(one) or not len(other):
        return None
    distances = apart(index.plane[one], index.plane[other])
    first, second = np.unravel_index(distances.argmin(), distances.shape)
    return (int(one[first]), int(other[second])) if distances[first, second] <= CROSSING_M else None
