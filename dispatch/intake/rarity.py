"""How rare a few characters are in what a city's people write: what hardly anybody else writes names a place, an object or a party.

A run is two or three characters beside each other; it goes by a number of 32 bits, so that texts are compared without being kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]
# Stands for what is no run: a gap lies in it.
NO_RUN: Final = 0
NONE: Final[Keys] = np.zeros(0, np.uint32)
_SECOND, _THIRD, _MIX = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xD1B54A32D192ED03),
    np.uint64(0xD6E8FEB86659FD93),
)
_SHIFT: Final = np.uint64(32)
_GAP: Final = ord(" ")


def runs(text: str) -> tuple[Keys, Keys]:
    """The runs of two and of three that start at each character of a text in its plain form; NO_RUN where one has a gap."""
    code = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    if len(code) < 2:
        return NONE, NONE
    gap = code == _GAP
    twos = code[:-1] * _MIX + code[1:] * _SECOND
    threes = twos[:-1] + code[2:] * _THIRD
    broken = gap[:-1] | gap[1:]
    return _numbered(twos, broken), _numbered(threes, broken[:-1] | gap[2:])


def runs_of_each(texts: Sequence[str]) -> Iterator[tuple[Keys, Keys]]:
    """The runs of each of several plain texts, read in one pass."""
    twos, threes = runs(" ".join(texts))
    begin = 0
    for length in map(len, texts):
        yield twos[begin : begin + max(0, length - 1)], threes[begin : begin + max(0, length - 2)]
        begin += length + 1


def _numbered(mixed: npt.NDArray[np.uint64], broken: npt.NDArray[np.bool_]) -> Keys:
    keys = (((mixed ^ (mixed >> _SHIFT)) * _MIX) >> _SHIFT).astype(np.uint32) | np.uint32(1)
    keys[broken] = NO_RUN
    return keys


def distinct(keys: Keys) -> Keys:
    """Each run once, ascending."""
    ordered = np.sort(keys)
    kept = ordered != NO_RUN
    kept[1:] &= ordered[1:] != ordered[:-1]
    once: Keys = ordered[kept]
    return once


def signed(keys: Keys) -> list[int]:
    """Runs as the database keeps them: its integers have a sign."""
    found: list[int] = np.ascontiguousarray(keys).view(np.int32).tolist()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """In how many of `texts` texts each run stands, as the logarithm of one in how many; runs of one text only are left out."""

    texts: int
    keys: Keys = field(repr=False)
    values: Weights = field(repr=False)

    @property
    def most(self) -> float:
        """How rare what stands in one text only is; nothing is rarer."""
        return log((self.texts + 1) / 1.5)

    def of(self, keys: Keys) -> Weights:
        """For each run how rare it is; one that was never met counts as met once, and NO_RUN weighs nothing."""
        unknown = np.float32(self.most)
        if not len(self.keys):
            return np.where(keys == NO_RUN, np.float32(0), unknown)
        at = self.keys.searchsorted(keys)
        found: Weights = self.values.take(at, mode="clip")
        found[self.keys.take(at, mode="clip") != keys] = unknown
        found[keys == NO_RUN] = 0
        return found


def counted(texts: Iterable[tuple[Keys, Keys]]) -> Rarity:
    """The rarity of runs from the distinct runs of two and three of each text."""
    every = [np.concatenate(each) for each in texts]
    keys, counts = np.unique(np.concatenate([*every, NONE]), return_counts=True)
    often = counts > 1
    values = np.log((len(every) + 1) / (counts[often] + 0.5)).astype(np.float32)
    return Rarity(len(every), keys[often], values)
