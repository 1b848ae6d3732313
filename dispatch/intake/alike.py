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

The signs are few on purpose: each more that was tried made the surest pairs less sure on messages not seen before.
"""

from collections.abc import Iterable
from math import exp
from typing import Final, NamedTuple

from msgspec import Struct

from dispatch.intake.rarity import Rarity, runs
from dispatch.intake.words import Words

RAREST: Final = 8
# A stretch counts by its length up to so many characters.
LONG: Final = 6
# Part of a name that must be found for the name to be found.
FOUND: Final = 0.75


class Signs(NamedTuple):
    """What is compared of two messages, in the order in which a model weighs it."""

    rare: float
    shared: float
    name: float
    title: float
    longest: float
    asking: float
    elsewhere: float


class Linear(Struct, frozen=True):
    """A weight for each sign, and what is added to their sum."""

    weights: tuple[float, ...]
    bias: float

    def of(self, values: Iterable[float]) -> float:
        return self.bias + sum(weight * value for weight, value in zip(self.weights, values, strict=True))


class PairModel(Struct, frozen=True):
    """What was learned of pairs: signs less their `centre`, by their `scale`, weighed for `same` and for each label."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    same: Linear
    labels: dict[str, Linear]

    def judge(self, found: Signs) -> tuple[str, float]:
        """The likeliest label, and the belief from 0 to 1 that both are one matter."""
        values = [(each - centre) / scale for each, centre, scale in zip(found, self.centre, self.scale, strict=True)]
        label = max(self.labels, key=lambda name: self.labels[name].of(values))
        return label, 1 / (1 + exp(-self.same.of(values)))


def signs(one: Words, other: Words, rarity: Rarity) -> Signs:
    """The signs of two messages; the order of the two does not matter."""
    common = one.threes & other.threes & (one.title_threes | other.title_threes)
    rarest = sorted(map(rarity.of, common), reverse=True)[:RAREST]
    found = [*_found(one.names, other.whole, rarity), *_found(other.names, one.whole, rarity)]
    return Signs(
        rare=sum(rarest) / RAREST,
        shared=_shared(one.twos, other.twos, rarity),
        name=max((part * rare for part, rare in found), default=0.0),
        title=max(_covered(one.title_twos, other.twos, rarity), _covered(other.title_twos, one.twos, rarity)),
        longest=max((_weight(each, rarity) for each in _stretches(one, other)), default=0.0),
        asking=float(one.asks and other.asks),
        elsewhere=float(
            bool(one.names) and bool(other.names) and max((part for part, _ in found), default=0.0) < FOUND
        ),
    )


def _shared(one: frozenset[str], other: frozenset[str], rarity: Rarity) -> float:
    least = min(_squares(one, rarity), _squares(other, rarity))
    return _squares(one & other, rarity) / least if least else 0.0


def _squares(found: Iterable[str], rarity: Rarity) -> float:
    return sum(rarity.of(run) ** 2 for run in found)


def _covered(title: frozenset[str], whole: frozenset[str], rarity: Rarity) -> float:
    total = sum(map(rarity.of, title))
    return sum(map(rarity.of, title & whole)) / total if total else 0.0


def _found(names: Iterable[str], whole: str, rarity: Rarity) -> list[tuple[float, float]]:
    """For each name how much of it stands in the other message, and how rare it is."""
    return [(_part(name, whole), _rarest(name, rarity)) for name in names]


def _part(name: str, whole: str) -> float:
    if name in whole:
        return 1.0
    pairs = runs(name, 2)
    return sum(run in whole for run in pairs) / len(pairs) if pairs else 0.0


def _rarest(text: str, rarity: Rarity) -> float:
    return max(map(rarity.of, runs(text, 3 if len(text) > 2 else 2)), default=0.0)


def _weight(stretch: str, rarity: Rarity) -> float:
    return float(_rarest(stretch, rarity) * min(len(stretch), LONG) ** 0.5)


def _stretches(one: Words, other: Words) -> Iterable[str]:
    """Stretches of either title, as long as they go, that the other message has too."""
    yield from _within(one.title, other.whole)
    yield from _within(other.title, one.whole)


def _within(title: str, whole: str) -> Iterable[str]:
    behind = 0
    for start in range(len(title) - 1):
        end = max(start, behind)
        while end < len(title) and title[end] != " " and title[start : end + 1] in whole:
            end += 1
        if end > max(behind, start + 1):
            yield title[start:end]
        behind = max(behind, end)
