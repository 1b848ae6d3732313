"""From likely places to candidates: a point each, why, and the signs by which it is believed.

| why        | the point is                                                                    |
|------------|-----------------------------------------------------------------------------------|
| `name`     | that of a place whose name or alias is the text, or stands in it                   |
| `address`  | that of a place whose address is the text, or stands in it                         |
| `crossing` | half-way between the nearest places on both roads                                  |
| `number`   | on the road between the next lower and the next higher number                      |
| `road`     | in the middle of the places on the road                                            |
| `list`     | in the middle of the places with the same parts                                    |
| `words`    | in the middle of the places with the rarest words in common                        |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, log1p
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from gridmap.gazetteer.belief import Signs
from gridmap.gazetteer.index import ROAD, Index, Numbers, apart
from gridmap.gazetteer.reading import Said
from gridmap.gazetteer.search import SHORT, Likely

Why = Literal["name", "address", "crossing", "number", "road", "list", "words"]
# A candidate is right if it lies so near, in metres; to the middle of places those farther off than FAR_M are alike.
NEAR_M: Final = 300.0
FAR_M: Final = 1_500.0
# Two candidates of one area lie farther apart than this.
APART_M: Final = 1_000.0
# Farther off than this a road of the same name is another road.
SAME_ROAD_M: Final = 3_000.0
SAME_M: Final = 50.0
LEAST_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Guess:
    """A point in metres of the index's plane, the row that it rests on most, why, its kind, and its signs."""

    row: int
    point: Numbers
    why: Why
    kind: str
    signs: Signs


def guesses(said: Said, likely: Likely, index: Index, limit: int) -> Iterator[Guess]:
    """At most `limit`: the point of the likeliest area first; then what is likeliest of the rest."""
    areas, points = index.area_of[likely.rows], index.plane[likely.rows]
    left = np.ones(len(likely.rows), dtype=np.bool_)
    given: list[Numbers] = []
    while len(given) < limit and left.any():
        shares_left = np.bincount(areas[left], likely.shares[left], len(index.areas))
        area = int(shares_left.argmax())
        if shares_left[area] < LEAST_SHARE:
            return
        own = np.flatnonzero(left & (areas == area))
        distances = apart(points[own], points[own])
        off = np.minimum(distances, FAR_M) @ likely.shares[own]
        middle = int(off.argmin())
        around = distances[middle] <= APART_M
        best = int(own[np.argmax(likely.shares[own] * around)])
        spread = float(off[middle] / likely.shares[own].sum())
        guess = _guess(
            said, likely, index, best, points[own[middle]], float(likely.shares[areas == area].sum()), spread
        )
        left[own[around]] = False
        # The same number of a road that runs through two areas is one place.
        if all(np.linalg.norm(guess.point - before) > SAME_M for before in given):
            given.append(guess.point)
            yield guess


def _guess(said: Said, likely: Likely, index: Index, best: int, middle: Numbers, area: float, spread: float) -> Guess:
    row = int(likely.rows[best])
    why = _why(said, likely, index, row)
    point, gap = _point(said, likely, index, row, middle, why)
    near = likely.shares[np.linalg.norm(index.plane[likely.rows] - point, axis=1) <= NEAR_M].sum()
    signs = Signs(
        _odds(area),
        _odds(float(near)),
        log1p(spread / 100),
        log1p(gap),
        log1p(likely.like[best]),
        _odds(float(likely.told[best])),
    )
    return Guess(row, point, why, _kind(said, likely, index, row, why), signs)


def _kind(said: Said, likely: Likely, index: Index, row: int, why: Why) -> str:
    """What is believed alike. A whole address with a number is that of one house; two characters in common are no name."""
    if likely.whole:
        numbered = why == "address" and any(road.number is not None for road in said.roads)
        return "same number" if numbered else f"same {why}"
    if why == "words" and not index.shares(row, said.plain, 3):
        return "two characters"
    return why


def _why(said: Said, likely: Likely, index: Index, row: int) -> Why:
    name, address = index.names[row], index.addresses[row]
    if likely.whole:
        return "name" if said.key in name else "list" if len(said.parts) > 1 else "address"
    if len(said.parts) > 1:
        return "list"
    if any(len(each) >= SHORT and each in said.plain for each in name):
        return "name"
    if len(address) >= SHORT and address in said.plain:
        return "address"
    if likely.meeting and row in likely.meeting:
        return "crossing"
    on = [road for road in said.roads if row in index.rows(ROAD + road.name)]
    if any(road.number is not None and road.name in index.numbers for road in on):
        return "number"
    return "road" if on else "words"


def _point(said: Said, likely: Likely, index: Index, row: int, middle: Numbers, why: Why) -> tuple[Numbers, int]:
    """The point of a candidate, and how many numbers off the nearest known one is."""
    point, gap = middle, 0
    if why == "number":
        point, gap = _between(said, index, row, middle) or (middle, 0)
    elif why == "crossing" and likely.meeting:
        point = index.plane[list(likely.meeting)].mean(axis=0)
    # Of a place whose own address says `100 m east of …` the point is that of the place.
    if said.offset and why in ("name", "crossing") and not likely.whole:
        point = point + np.array(said.offset)
    return point, gap


def _between(said: Said, index: Index, row: int, middle: Numbers) -> tuple[Numbers, int] | None:
    """The point of a number on the road of a place, from the numbers of that road near by."""
    for road in said.roads:
        listed = index.numbers.get(road.name)
        if road.number is None or listed is None or row not in index.rows(ROAD + road.name):
            continue
        there = listed[np.linalg.norm(index.plane[listed[:, 1]] - middle, axis=1) <= SAME_ROAD_M]
        below, above = there[there[:, 0] <= road.number, 0], there[there[:, 0] >= road.number, 0]
        ends = [int(number) for number in (*below[-1:], *above[:1])]
        if ends:
            return _on_the_way(road.number, ends[0], ends[-1], index, there)
    return None


def _on_the_way(number: int, low: int, high: int, index: Index, listed: NDArray[np.int32]) -> tuple[Numbers, int]:
    start, end = (index.plane[listed[listed[:, 0] == each, 1]].mean(axis=0) for each in (low, high))
    gap = min(abs(number - low), abs(high - number))
    if low == high:
        return start, gap
    if np.linalg.norm(end - start) > SAME_ROAD_M:
        return (start if number - low <= high - number else end), gap
    return start + (number - low) / (high - low) * (end - start), gap


def _odds(share: float) -> float:
    """Logarithm of the odds, within ±4."""
    return log((share + 0.02) / (1.02 - min(share, 1.0)))
