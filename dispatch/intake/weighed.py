"""Words made ready to be compared: which runs a message has, and how rare each is. Made once, whatever it is compared with.

Messages of a city are short: a comparison asks whether some dozen runs stand among some dozen others, which sets answer faster than
arrays. What only some comparisons ask for is made when it is first asked for.
"""

from bisect import bisect_left
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from dispatch.intake.rarity import NO_RUN, Rarity, signed
from dispatch.intake.words import RUN_BYTES, WAYS, Words, keys_of, unpacked

# By so many runs a case is found again. One that stands in one of twenty texts or more leads to too many.
LEADING: Final = 64
COMMON: Final = 3.0


class Title(NamedTuple):
    """The runs of a title in its order, and how rare each is; NO_RUN, over a gap, weighs nothing."""

    twos: list[int]
    threes: list[int]
    rare_twos: list[float]
    rare_threes: list[float]


class Weighed:
    """Words with how rare each of their runs is."""

    def __init__(self, said: Words, rarity: Rarity) -> None:
        parts = (said.twos, said.title_twos, said.title_threes, *(whole for _, whole in said.names))
        first, middle, end, *ends = accumulate(len(part) // RUN_BYTES for part in parts)
        every = keys_of(b"".join(parts))
        rare = rarity.of(every)
        self._said, self._every, self._threes = said, every, memoryview(said.threes).cast("I")
        self._keys, self._rare = every.tolist(), rare.tolist()
        self._first, self._middle = first, middle
        self.mass = float(rare[:first] @ rare[:first])
        self.twos = frozenset(self._keys[:first])
        self.title = Title(
            self._keys[first:middle], self._keys[middle:end], self._rare[first:middle], self._rare[middle:end]
        )
        # Of each thing that it names the runs of two, and how rare the rarest of its longest ones is.
        self.names = [
            (keys_of(pairs).tolist(), max(self._rare[begin:until]))
            for (pairs, _), begin, until in zip(said.names, (end, *ends), ends, strict=False)
        ]
        self.asks = said.asks

    def has_three(self, run: int) -> bool:
        """Whether it has a run of three. Few are asked for: those whose runs of two it has."""
        at = bisect_left(self._threes, run)
        return at < len(self._threes) and self._threes[at] == run

    @cached_property
    def squares(self) -> dict[int, float]:
        """Of each run of two how rare it is, squared: together they make the mass."""
        return {run: rare * rare for run, rare in zip(self._keys[: self._first], self._rare, strict=False)}

    @cached_property
    def title_once(self) -> dict[int, float]:
        """The runs of two of the title, each once, and how rare."""
        found = dict(zip(self.title.twos, self.title.rare_twos, strict=True))
        found.pop(NO_RUN, None)
        return found

    @cached_property
    def title_mass(self) -> float:
        """How rare the runs of two of the title are together."""
        return sum(self.title_once.values())

    @cached_property
    def ways(self) -> list[int]:
        """The runs by which it is found again, as the database keeps them."""
        return signed(self._said.ways)

    @cached_property
    def leading(self) -> dict[int, float]:
        """The rarest of these, by which cases about the same matter are looked for, and how rare each is."""
        of_way = dict(zip(signed(self._every[self._middle :]), self._rare[self._middle :], strict=True))
        of_way.pop(NO_RUN, None)
        ways = of_way if len(of_way) <= WAYS else self.ways
        rarest = sorted((-of_way[way], way) for way in ways if of_way[way] >= COMMON)
        return {way: -weight for weight, way in rarest[:LEADING]}


@lru_cache(maxsize=2_048)
def kept(words: bytes, rarity: Rarity) -> Weighed:
    """What `words.packed` made, weighed: a case is compared with many reports, batch after batch."""
    return Weighed(unpacked(words), rarity)
