"""Whether two address texts name one place, partly the same, or different places (地址比对).

A model is a sum of small decision trees over the signs. All questions of all trees are asked at once: a node that answers "more" rules out
the leaves to its left, and the first leaf that remains in each tree is its answer.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridmap.address_signs import signs
from gridmap.address_sketch import Rarity, Sketch

SAME: Final = "same"
LABELS: Final = ("different", "partial", SAME)
# Leaves of a tree are bits of one number.
LEAVES: Final = 16
_FIRST: Final = np.zeros(1 << LEAVES, np.int64)
for _bit in range(LEAVES):
    _FIRST[1 << _bit] = _bit


@dataclass(frozen=True)
class Trees:
    """For each node its sign, the most that goes left, and the leaves that remain where it goes right; tree after tree.

    `nodes` is how many nodes each tree has, at least one. The trees take turns among LABELS; `values` are their leaves from the left.
    """

    nodes: Sequence[int]
    signs: Sequence[int]
    most: Sequence[float]
    remain: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True)
class AddressModel:
    """`rarity` is packed text, `start` a number for each of LABELS before any tree, `tilt` what beliefs are multiplied with to decide."""

    rarity: str
    trees: Trees
    start: Sequence[float]
    tilt: Sequence[float]

    @cached_property
    def rare(self) -> Rarity:
        """The rarity with which texts are sketched for this model."""
        return Rarity(zlib.decompress(base64.b64decode(self.rarity)))

    def sketch(self, text: str) -> Sketch:
        """A text made ready for `judge`."""
        return Sketch(text, self.rare)

    def judge(self, one: Sketch, other: Sketch) -> tuple[str, float]:
        """One of LABELS, and how far `same` is believed, 0 to 1, of what was said and what it is held against."""
        beliefs = self.beliefs(signs(one, other))
        return LABELS[int((beliefs * self.tilt).argmax())], float(beliefs[-1])

    def beliefs(self, found: Sequence[float]) -> NDArray[np.float64]:
        """How far each of LABELS is believed of a pair with these signs; they add up to 1."""
        asked, most, remain, firsts, leaves, values = self._tables
        more = np.array(found)[asked] > most
        left = np.bitwise_and.reduceat(np.where(more, remain, np.uint16(0xFFFF)), firsts)
        answers = values[leaves + _FIRST[left & (~left + np.uint16(1))]]
        sums = answers.reshape(-1, len(LABELS)).sum(0) + self.start
        shares = np.exp(sums - sums.max())
        return np.asarray(shares / shares.sum(), np.float64)

    @cached_property
    def _tables(self) -> tuple[NDArray[np.int64], ...]:
        nodes = np.array(self.trees.nodes, np.int64)
        firsts = np.concatenate([[0], np.cumsum(nodes)[:-1]])
        leaves = np.concatenate([[0], np.cumsum(nodes + 1)[:-1]])
        return (
            np.array(self.trees.signs, np.int64), np.array(self.trees.most), np.array(self.trees.remain, np.uint16),
            firsts, leaves, np.array(self.trees.values),
        )  # fmt: skip


def packed(rarity: Rarity) -> str:
    """A rarity as text for a model."""
    return base64.b64encode(zlib.compress(rarity.slots, 9)).decode()
