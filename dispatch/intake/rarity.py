"""How rare a few characters are in what a city's people write: what hardly anybody else writes names a place, an object or a party."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log

# Runs of characters that are counted.
LENGTHS = (2, 3)


def runs(text: str, length: int) -> frozenset[str]:
    """Every run of `length` characters of a text that has no gap in it."""
    found = (text[i : i + length] for i in range(len(text) - length + 1))
    return frozenset(run for run in found if " " not in run)


@dataclass(frozen=True, slots=True)
class Rarity:
    """In how many of `texts` texts each run of characters stands; those that stand in one only are left out."""

    texts: int
    counts: Mapping[str, int] = field(repr=False)

    def of(self, run: str) -> float:
        """The logarithm of one in how many texts has it; a run that was never met counts as met once."""
        return log((self.texts + 1) / (self.counts.get(run, 1) + 0.5))


def counted(texts: Iterable[str]) -> Rarity:
    """The rarity of runs in texts in their plain form (`words.spaced`)."""
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        for length in LENGTHS:
            counts.update(runs(text, length))
    return Rarity(total, {run: count for run, count in counts.items() if count > 1})
