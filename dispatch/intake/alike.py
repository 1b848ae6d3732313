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
from collections.abc import Iterable, Sequence, Set
from itertools import compress, pairwise
from math import exp
from typing import Final, NamedTuple

from msgspec import Struct

from dispatch.intake.rarity import NO_RUN, Rarity, runs_of_each
from dispatch.intake.weighed import Title, Weighed
from dispatch.intake.words import spaced

SAME: Final = "same"
RAREST: Final = 8
# A stretch counts by its length up to so many characters.
LONG: Final = 6
# Part of a name that must be found for the name to be found.
FOUND: Final = 0.75
# Texts of fewer runs of two say too little to be compared.
FEWEST: Final = 8
# A clause of so many runs of two says something, and is new where less than this share of them was said before.
SAYING: Final = 3
SAID: Final = 0.34
_CLAUSE: Final = re.compile(r"[^。！？!?；;，,\n]+")


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


def alike(one: Weighed, other: Weighed, texts: Texts) -> Likeness | None:
    """What two messages have in common; None if either says too little."""
    if min(len(one.twos), len(other.twos)) < FEWEST:
        return None
    both = one.twos & other.twos
    found = signs(one, other, both)
    overlap = len(both) / (len(one.twos) + len(other.twos) - len(both))
    return Likeness(*texts.pairs.judge(found), found.shared, overlap)


def unsaid(text: str, other: Weighed) -> list[tuple[int, int]]:
    """Where a text says what the other message does not: clauses, each from and up to a character, that have little in common with it."""
    clauses = [*_CLAUSE.finditer(text)]
    found = []
    for clause, (pairs, _) in zip(clauses, runs_of_each([spaced(each.group()) for each in clauses]), strict=True):
        said = {*pairs.tolist()} - {NO_RUN}
        if len(said) >= SAYING and len(said & other.twos) < SAID * len(said):
            found.append(clause.span())
    return found


def signs(one: Weighed, other: Weighed, both: Set[int] | None = None) -> Signs:
    """The signs of two messages; the order of the two does not matter. `both` are the runs of two of both, where they are known already."""
    mine, theirs = _Told(one, other), _Told(other, one)
    found = [*_found(one, other), *_found(other, one)]
    known = max((part for part, _ in found), default=0.0)
    return Signs(
        rare=sum(sorted((mine.threes | theirs.threes).values(), reverse=True)[:RAREST]) / RAREST,
        shared=shared(one, other, both),
        name=max((part * rare for part, rare in found), default=0.0),
        title=max(mine.share, theirs.share),
        longest=max(mine.longest, theirs.longest),
        asking=float(one.asks and other.asks),
        elsewhere=float(bool(one.names) and bool(other.names) and known < FOUND),
        titles=(mine.number + theirs.number) / 2,
    )


def shared(one: Weighed, other: Weighed, both: Set[int] | None = None) -> float:
    """Share of the runs of two of the message that says less, by how rare they are, that the other has too."""
    least = min(one.mass, other.mass)
    both = one.twos & other.twos if both is None else both
    return sum(map(one.squares.__getitem__, both)) / least if least else 0.0


def _found(one: Weighed, other: Weighed) -> list[tuple[float, float]]:
    """For each name how much of it stands in the other message, and how rare it is."""
    return [(sum(map(other.twos.__contains__, pairs)) / len(pairs), rare) for pairs, rare in one.names]


class _Told:
    """How much of the title of one message the other has."""

    __slots__ = ("longest", "number", "share", "threes")

    def __init__(self, one: Weighed, other: Weighed) -> None:
        title = one.title
        places = [*compress(range(len(title.twos)), map(other.twos.__contains__, title.twos))]
        found = {title.twos[place] for place in places}
        # Share of its runs of two, each once, by how rare they are and by their number.
        self.share = sum(map(one.title_once.__getitem__, found)) / one.title_mass if found else 0.0
        self.number = len(found) / len(one.title_once) if found else 0.0
        # Its runs of three: only where one of two follows the other.
        longer = {p for p, after in pairwise(places) if after == p + 1 and other.has_three(title.threes[p])}
        self.threes = {title.threes[place]: title.rare_threes[place] for place in longer}
        self.longest = _longest(title, places, longer)


def _longest(title: Title, places: Sequence[int], longer: Set[int]) -> float:
    """The weight of the rarest stretch of a title, as long as it goes, that the other message has too.

    `places` are where a run of two begins that it has, `longer` where one of three does.
    """
    best, length, rarest = 0.0, 0, 0.0
    for place in places:
        if place in longer:
            weight = title.rare_threes[place]
            rarest = max(rarest, weight) if length else weight
            length = length + 1 if length else 3
            best = max(best, rarest * min(length, LONG) ** 0.5)
        else:
            # The end of a stretch, or a run of two by itself.
            best = best if length else max(best, title.rare_twos[place] * 2**0.5)
            length = 0
    return best
