"""An address text made ready to be compared with many: its tokens, how rare they are, and its elements by kind."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from zlib import crc32

from gridmap.addresses import Element, normalised, parse

PLACES: Final = ("community", "estate", "name")
COUNTS: Final = ("number", "building", "unit", "floor", "room", "phase")
# How much a number weighs: which one it is tells nothing of how rare the place is.
NUMBER: Final = 0.5
SLOTS: Final = 1 << 18
MOST: Final = 255
# What fewer texts have is no common word; and no name that few share is kept.
LEAST: Final = 5
_TOKEN: Final = re.compile(r"[0-9]+|[a-z]+|[^\W\d_]")
_COUNT: Final = re.compile(r"[0-9]+|[a-z]+")
_DIGITS: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Rarity:
    """How few address texts a character or a run of two is in, by numbered slots: no text can be read from it."""

    slots: bytes

    def of(self, token: str) -> float:
        """About 0 for what stands in every text, 1 for what stands in next to none."""
        return NUMBER if token.isdigit() else self.slots[_slot(token)] / MOST

    def of_pairs(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """The same of two tokens in a row."""
        slots = self.slots
        return {pair: slots[crc32((pair[0] + pair[1]).encode()) % SLOTS] / MOST for pair in pairs}


def counted(texts: Iterable[str]) -> Rarity:
    """The rarity in texts; a text that stands there twice counts once, and what fewer than LEAST texts have is as rare as can be."""
    counts: Counter[int] = Counter()
    different = {normalised(text) for text in texts}
    nothing = Rarity(bytes([MOST]) * SLOTS)
    for text in different:
        sketch = Sketch(text, nothing)
        counts.update({_slot(token) for token in sketch.singles} | {_slot(one + other) for one, other in sketch.pairs})
    slots, most = bytearray(nothing.slots), math.log(len(different) + 2)
    for slot, count in counts.items():
        if count >= LEAST:
            slots[slot] = round(MOST * math.log((len(different) + 1) / count) / most)
    return Rarity(bytes(slots))


def _slot(run: str) -> int:
    return crc32(run.encode()) % SLOTS


class Sketch:
    """What is compared of one address text. Whoever compares it with many makes it once."""

    def __init__(self, text: str, rarity: Rarity) -> None:
        address = parse(text)
        self.text = address.text.lower()
        self.elements = address.elements
        self.by_kind: defaultdict[str, list[Element]] = defaultdict(list)
        self.tokens: list[str] = []
        # For each token the place of its element.
        self.owners: list[int] = []
        for place, each in enumerate(self.elements):
            self.by_kind[each.kind].append(each)
            found = _TOKEN.findall(each.value if each.kind in COUNTS else each.text.lower())
            self.tokens += found
            self.owners += [place] * len(found)
        self.weights = [rarity.of(token) for token in self.tokens]
        self.weight_of = dict(zip(self.tokens, self.weights, strict=True))
        self.twos = list(pairwise(self.tokens))
        self.threes = list(zip(self.tokens, self.tokens[1:], self.tokens[2:], strict=False))
        self.singles, self.pairs, self.triples = frozenset(self.tokens), frozenset(self.twos), frozenset(self.threes)
        self.pair_weights = rarity.of_pairs(self.pairs)
        # Exact, so that the order in a set changes nothing.
        self.all_pairs = math.fsum(self.pair_weights.values())
        self.places = [each for each in self.elements if each.kind in PLACES]
        self.roads = [each.value for each in self.by_kind["road"]]
        self.rest = "".join(each.value for each in self.elements if each.kind in PLACES or each.kind == "phase")
        self.compact = "".join(self.tokens)
        self.sorted = "".join(sorted(self.compact))
        self._count()

    def _count(self) -> None:
        self.counts = {kind: [_COUNT.findall(each.value) for each in self.by_kind[kind]] for kind in (*COUNTS, "gate")}
        self.all_counts = [count for kind in COUNTS for found in self.counts[kind] for count in found]
        self.numbers = frozenset(self.all_counts).union(_DIGITS.findall(self.text))
        self.values = frozenset(each.value for kind in COUNTS for each in self.by_kind[kind])
        self.house_numbers = [int(n[0][:9]) for n in self.counts["number"] if n and n[0].isascii() and n[0].isdigit()]

    def weigh(self, text: str) -> float:
        """How rare a piece of this text is in all."""
        return sum(self.weight_of.get(sign, NUMBER) for sign in text)
