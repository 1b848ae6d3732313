"""How alike two messages are: a few signs, each between messages a person would compare, and the belief that both are one matter.

| sign       | what it says                                                                        |
|------------|--------------------------------------------------------------------------------------|
| `rare`     | the eight rarest runs of three that both have, one of them in its title               |
| `shared`   | share of the shorter one's runs of two, by rarity, that the other has too             |
| `name`     | the rarest named thing of one that the other names                                    |
| `title`    | share of a title's runs of two, by rarity, that the other message has; the larger one  |
| `longest`  | the rarest stretch of a title that both have                                          |
| `asking`   | both ask something: what many ask is seldom one matter                                 |
| `elsewhere`| both name something, and neither what the other names                                  |
| `titles`   | share of a title's runs of two that the other message has; the mean of both titles     |

The signs are few on purpose: each more that was tried made the surest pairs less sure on messages not seen before. `titles` is there since
two affairs of one estate share its name: one title is found in the other message by it, hardly ever both.
"""

import re
from collections.abc import Iterable
from math import exp
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dispatch.intake.rarity import NO_RUN, NONE, Keys, Rarity, Weights, distinct, runs, signed
from dispatch.intake.words import Words, keys_of, spaced

SAME: Final = "same"
RAREST: Final = 8
# A stretch counts by its length up to so many characters.
LONG: Final = 6
# Part of a name that must be found for the name to be found.
FOUND: Final = 0.75
# Texts of fewer runs of two say too little to be compared.
FEWEST: Final = 8
# By so many runs a case is found again. One that stands in one of twenty texts or more leads to too many.
LEADING: Final = 64
COMMON: Final = 3.0
# A clause of so many runs of two says something, and is new where less than this share of them was said before.
SAYING: Final = 3
SAID: Final = 0.34
_CLAUSE: Final = re.compile(r"[^。！？!?；;，,\n]+")
Hits = npt.NDArray[np.bool_]


class Signs(NamedTuple):
    """What is compared of two messages, in the order in which a model weighs it."""

    rare: float
    shared: float
    name: float
    title: float
    longest: float
    asking: float
    elsewhere: float
    titles: float


class Linear(Struct, frozen=True):
    """A weight for each sign, and what is added to their sum."""

    weights: tuple[float, ...]
    bias: float

    def of(self, values: Iterable[float]) -> float:
        return self.bias + sum(weight * value for weight, value in zip(self.weights, values, strict=True))


class PairModel(Struct, frozen=True):
    """What was learned of pairs: signs less their `centre`, by their `scale`, weighed for `same` and for each label.

    From `sure` on hardly a pair that was not seen in training was anything but one matter; above 1 where none may be believed by itself.
    From `likely` on they are called the same, else by the likeliest of the other labels. A model that was learned before has `same` among
    its labels and weighs the first signs, as it did.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    same: Linear
    labels: dict[str, Linear]
    sure: float
    likely: float = 0.0

    def judge(self, found: Signs) -> tuple[str, float]:
        """The likeliest label, and the belief from 0 to 1 that both are one matter."""
        weighed = found[: len(self.centre)]
        values = [(each - centre) / scale for each, centre, scale in zip(weighed, self.centre, self.scale, strict=True)]
        belief = 1 / (1 + exp(-self.same.of(values)))
        if SAME not in self.labels and belief >= self.likely:
            return SAME, belief
        return max(self.labels, key=lambda name: self.labels[name].of(values)), belief


class Texts(NamedTuple):
    """By what messages are compared: the weights, and how rare what is in the city's messages."""

    pairs: PairModel
    rarity: Rarity
    version: str


class Likeness(NamedTuple):
    """What was found of two messages: the likeliest label, the belief that both are one matter, the share of rare words of the shorter one
    that the other has, and the share of all runs of two that both have."""

    label: str
    belief: float
    shared: float
    overlap: float


class Title(NamedTuple):
    """The runs of a title in its order, and how rare each is."""

    twos: Keys
    threes: Keys
    rare_twos: Weights
    rare_threes: Weights


class Weighed:
    """Words with how rare each of their runs is: made once, whatever they are compared with."""

    __slots__ = (
        "asks",
        "leading",
        "mass",
        "name_starts",
        "name_twos",
        "names",
        "rare_twos",
        "threes",
        "title",
        "twos",
        "ways",
    )

    def __init__(self, said: Words, rarity: Rarity) -> None:
        self.twos, self.threes = said.runs
        names = [(keys_of(pairs), keys_of(whole)) for pairs, whole in said.names]
        ways = said.ways
        parts = [self.twos, keys_of(said.title_twos), keys_of(said.title_threes), *(whole for _, whole in names), ways]
        every = rarity.of(np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])
        rare = [every[end - len(part) : end] for part, end in zip(parts, ends.tolist(), strict=True)]
        self.rare_twos = rare[0]
        self.mass = float(rare[0] @ rare[0])
        self.title = Title(parts[1], parts[2], rare[1], rare[2])
        self.names = [float(each.max()) for each in rare[3:-1]]
        self.name_twos = np.concatenate([NONE, *(pairs for pairs, _ in names)])
        self.name_starts = np.cumsum([0, *(len(pairs) for pairs, _ in names)])[:-1]
        self.asks = said.asks
        # As the database keeps them.
        self.ways = signed(ways)
        self.leading = _leading(self.ways, rare[-1])


def alike(one: Weighed, other: Weighed, texts: Texts) -> Likeness | None:
    """What two messages have in common; None if either says too little."""
    if min(len(one.twos), len(other.twos)) < FEWEST:
        return None
    both = _among(one.twos, other.twos)
    found, common = signs(one, other, both), int(both.sum())
    overlap = common / (len(one.twos) + len(other.twos) - common)
    return Likeness(*texts.pairs.judge(found), found.shared, overlap)


def unsaid(text: str, other: Weighed) -> list[tuple[int, int]]:
    """Where a text says what the other message does not: clauses, each from and up to a character, that have little in common with it."""
    found = []
    for clause in _CLAUSE.finditer(text):
        pairs = distinct(runs(spaced(clause.group()))[0])
        if len(pairs) >= SAYING and _among(pairs, other.twos).mean() < SAID:
            found.append(clause.span())
    return found


def _leading(ways: Iterable[int], rare: Weights) -> dict[int, float]:
    """The rarest runs by which cases about the same matter are looked for, and how rare each is."""
    found = [(-weight, key) for key, weight in zip(ways, rare.tolist(), strict=True) if weight >= COMMON]
    return {key: -weight for weight, key in sorted(found)[:LEADING]}


def signs(one: Weighed, other: Weighed, both: Hits | None = None) -> Signs:
    """The signs of two messages; the order of the two does not matter. `both` is which runs of two of the first the other has, where that
    is known already."""
    mine, theirs = _hits(one.title, other), _hits(other.title, one)
    common = one.rare_twos[_among(one.twos, other.twos) if both is None else both]
    least = min(one.mass, other.mass)
    (my_share, my_number), (their_share, their_number) = _covered(one.title, mine[0]), _covered(other.title, theirs[0])
    found = [*_found(one, other), *_found(other, one)]
    known = max((part for part, _ in found), default=0.0)
    return Signs(
        rare=_rarest(one.title, mine[1], other.title, theirs[1]) / RAREST,
        shared=float(common @ common) / least if least else 0.0,
        name=max((part * rare for part, rare in found), default=0.0),
        title=max(my_share, their_share),
        longest=max(_longest(one.title, *mine), _longest(other.title, *theirs)),
        asking=float(one.asks and other.asks),
        elsewhere=float(bool(one.names) and bool(other.names) and known < FOUND),
        titles=(my_number + their_number) / 2,
    )


def _among(keys: Keys, ascending: Keys) -> Hits:
    """Which keys stand among others."""
    if not len(ascending):
        return np.zeros(len(keys), np.bool_)
    found: Hits = ascending[np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)] == keys
    return found


def _hits(title: Title, other: Weighed) -> tuple[Hits, Hits]:
    """Which runs of two and of three of a title the other message has."""
    return _among(title.twos, other.twos), _among(title.threes, other.threes)


def _rarest(one: Title, of_one: Hits, other: Title, of_other: Hits) -> float:
    """The sum of the rarest runs of three that both messages have, one of them in its title."""
    keys = np.concatenate((one.threes[of_one], other.threes[of_other]))
    rare = np.concatenate((one.rare_threes[of_one], other.rare_threes[of_other]))
    both: dict[int, float] = dict(zip(keys.tolist(), rare.tolist(), strict=True))
    return sum(sorted(both.values(), reverse=True)[:RAREST])


def _covered(title: Title, hits: Hits) -> tuple[float, float]:
    """Share of a title's runs of two, each once, by how rare they are and by their number."""
    total = dict(zip(title.twos.tolist(), title.rare_twos.tolist(), strict=True))
    total.pop(NO_RUN, None)
    found = dict.fromkeys(title.twos[hits].tolist())
    whole = sum(total.values())
    return (sum(total[key] for key in found) / whole, len(found) / len(total)) if whole else (0.0, 0.0)


def _found(one: Weighed, other: Weighed) -> list[tuple[float, float]]:
    """For each name how much of it stands in the other message, and how rare it is."""
    if not one.names:
        return []
    hits = np.add.reduceat(_among(one.name_twos, other.twos), one.name_starts, dtype=np.float64)
    shares = hits / np.diff(one.name_starts, append=len(one.name_twos))
    return list(zip(shares.tolist(), one.names, strict=True))


def _longest(title: Title, pairs: Hits, threes: Hits) -> float:
    """The weight of the rarest stretch of a title, as long as it goes, that the other message has too."""
    best, length, rarest = 0.0, 0, 0.0
    of_three = [*zip(threes.tolist(), title.rare_threes.tolist(), strict=True), (False, 0.0)]
    for place, (hit, rare) in enumerate(zip(pairs.tolist(), title.rare_twos.tolist(), strict=True)):
        if not hit:
            length = 0
            continue
        longer, weight = of_three[place]
        if longer:
            rarest = max(rarest, weight) if length else weight
            length = length + 1 if length else 3
        elif not length:
            best = max(best, rare * 2**0.5)
        if length:
            best = max(best, rarest * min(length, LONG) ** 0.5)
        if not longer:
            length = 0
    return float(best)
