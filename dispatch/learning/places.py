"""How far a gazetteer's candidates are to be believed, learned from its own places: each third is held out once and asked for (地名库置信度)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import log
from typing import Final

import numpy as np

from dispatch.intake.locate import metres
from gridmap.gazetteer import Entry, Gazetteer
from gridmap.gazetteer.belief import Beliefs, Linear, Signs
from gridmap.gazetteer.places import NEAR_M

PARTS: Final = 3
# Of the places that people name, one in so many and one is taken to stand in the gazetteer.
KNOWN: Final = 3
# A kind that was asked for less often than this has no weights of its own.
ENOUGH: Final = 200
# How strongly weights are held back.
HELD_BACK: Final = 1.0
NO_SIGNS: Final = Signs(0, 0, 0, 0, 0, 0)
# For a gazetteer that is asked for signs only.
PLAIN: Final = Beliefs({"": Linear(NO_SIGNS, 0)}, {"": Linear(NO_SIGNS, 0)})


@dataclass(frozen=True, slots=True)
class Asked:
    """A first candidate: its kind and signs, whether its point is near, whether its area is right."""

    kind: str
    signs: Signs
    near: bool
    there: bool


def part_of(name: str, address: str, parts: int = PARTS) -> int:
    """The part into which a place falls: always the same one for a name with its address."""
    return int(sha256(f"{name}\t{address}".encode()).hexdigest()[:8], 16) % parts


def learn(entries: Sequence[Entry], areas: Mapping[str, str] | None = None) -> Beliefs:
    """Chances from the first candidates for names and addresses, of places held out and of a few that were left in."""
    found = [each for part in range(PARTS) for each in _asked(entries, areas, part)]
    return Beliefs(_tables(found, lambda each: each.near), _tables(found, lambda each: each.there))


def _asked(entries: Sequence[Entry], areas: Mapping[str, str] | None, part: int) -> Iterator[Asked]:
    left = [entry for entry in entries if part_of(entry.name, entry.address) != part]
    held = [entry for entry in entries if part_of(entry.name, entry.address) == part]
    gazetteer = Gazetteer(left, PLAIN, areas)
    ways = np.random.default_rng(part)
    for entry in [*held, *(left[place] for place in ways.permutation(len(left))[: len(held) // KNOWN].tolist())]:
        for text in (entry.name, entry.address):
            for found in gazetteer.find(text, limit=1):
                far = metres(found.lon, found.lat, entry.lon, entry.lat)
                yield Asked(found.kind, found.signs, far <= NEAR_M, found.area == entry.area)


def _tables(found: Sequence[Asked], right: Callable[[Asked], bool]) -> dict[str, Linear]:
    """Weights for each kind that was asked for often enough, and under "" for all together."""
    kinds: dict[str, list[Asked]] = {"": list(found)}
    for each in found:
        kinds.setdefault(each.kind, []).append(each)
    return {
        kind: _fitted([each.signs for each in listed], [right(each) for each in listed])
        for kind, listed in sorted(kinds.items())
        if not kind or len(listed) >= ENOUGH
    }


def _fitted(signs: Sequence[Signs], right: Sequence[bool]) -> Linear:
    # Imported here: whoever only serves or judges does without it.
    from sklearn.linear_model import LogisticRegression

    if len(set(right)) < 2:
        share = (sum(right) + 1) / (len(right) + 2)
        return Linear(NO_SIGNS, log(share / (1 - share)))
    model = LogisticRegression(C=HELD_BACK, max_iter=3_000).fit(np.array(signs), np.array(right))
    return Linear(Signs(*model.coef_[0].tolist()), float(model.intercept_[0]))
