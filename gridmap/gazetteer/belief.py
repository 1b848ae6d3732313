"""How far a candidate is believed: the chances that its point lies within 300 m, and that its area is right.

Each kind of candidate has weights of its own, learned where they are frequencies: from names and addresses of which half stood in the
gazetteer, and half were held out of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import NamedTuple


class Signs(NamedTuple):
    """What tells how far a candidate is to be believed.

    | sign     | what it says                                                                  |
    |----------|-------------------------------------------------------------------------------|
    | `area`   | logarithm of the odds of its area among the likely places                      |
    | `near`   | of what lies within 300 m of its point                                         |
    | `spread` | log(1 + d / 100), d the mean distance in metres of its area's likely places     |
    | `gap`    | log(1 + numbers between the number named and the next known one)               |
    | `like`   | log(1 + what speaks for the best place, in keys that no other place has)        |
    | `told`   | what share of what the text says the best place has                             |
    """

    area: float
    near: float
    spread: float
    gap: float
    like: float
    told: float


@dataclass(frozen=True, slots=True)
class Linear:
    """A weight for each sign, and what is added to their sum."""

    weights: Signs
    bias: float

    def chance(self, signs: Signs) -> float:
        """From 0 to 1."""
        total = self.bias + sum(weight * sign for weight, sign in zip(self.weights, signs, strict=True))
        return 1 / (1 + exp(-max(min(total, 30.0), -30.0)))


@dataclass(frozen=True, slots=True)
class Beliefs:
    """By kind of candidate the chance that its point lies within 300 m, and that its area is right; `""` for other kinds."""

    point: Mapping[str, Linear]
    area: Mapping[str, Linear]

    def of(self, kind: str, signs: Signs) -> tuple[float, float]:
        """The two chances; what lies in the right place lies in the right area."""
        point, area = ((table.get(kind) or table[""]).chance(signs) for table in (self.point, self.area))
        return point, max(point, area)
