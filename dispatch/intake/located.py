"""How likely a case with a place and a kind, and no words, is one that was said before: signs of each earlier case near it.

| sign        | what it says of the earlier case                                                        |
|-------------|-----------------------------------------------------------------------------------------|
| `distance`  | metres between the two, by logarithm                                                      |
| `spot`      | both are on one spot                                                                      |
| `hours`, `minutes` | how long before it was opened, by logarithm                                        |
| `closed`, `since` | it was closed by then, and for how long                                             |
| `same_kind` | both have one kind, not only akin ones                                                    |
| `address`, `street`, `crossing` | their addresses are equal; a street is common; two are                |
| `unplaced`  | one of the two has no point: only the street was compared                                 |
| `nearer`, `newer` | how many of the other earlier cases are nearer, and newer                           |
| `alike`     | how many open ones of this kind there are                                                 |
| `crowd`, `around` | how many open ones of its kind it had close by, and around, when it was opened itself |

People name the nearest case, and of several the one that stood alone when it came: `crowd` tells the first of a chain.
How far and how long one matter reaches is another for each kind: slopes of the kind are added to the weights of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, inf, log1p
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from dispatch.intake.locate import metres
from dispatch.intake.packing import BadModel, pack, unpack
from dispatch.intake.streets import NOWHERE, Address

# Two points so near are one spot; cases so near are close by.
SPOT_M, CLOSE_M = 1.0, 60.0
# What stands for the distance of a common street where a point is missing.
STREET_M: Final = 120.0


@dataclass(slots=True)
class Located:
    """A case as it is compared without words. `closed_at` may lie ahead: it is looked at only once it has passed."""

    key: str
    kind: str
    kin: str
    opened_at: datetime
    closed_at: datetime | None
    lon: float | None = None
    lat: float | None = None
    address: Address = NOWHERE
    # Open cases of its kind within 60 m, and within reach, when it was opened.
    crowd: int = 0
    around: int = 0

    def closed_by(self, at: datetime) -> bool:
        """Whether it is known to be closed at an instant."""
        return self.closed_at is not None and self.closed_at <= at


class Near(NamedTuple):
    """An earlier case, and how far it is; None where one of the two has no point."""

    case: Located
    metres: float | None


class Signs(NamedTuple):
    """What is compared, in the order in which a model weighs it."""

    distance: float
    hours: float
    nearer: float
    spot: float
    minutes: float
    closed: float
    since: float
    same_kind: float
    address: float
    street: float
    crossing: float
    unplaced: float
    newer: float
    alike: float
    crowd: float
    around: float


# The first so many signs have slopes of their own for each kind.
SLOPED: Final = 3
# A model that looks further or longer back is none: every case would be compared with all others.
FURTHEST_M, LONGEST_DAYS = 1_000.0, 366.0


class Effect(Struct, frozen=True):
    """What a kind adds: to the sum, and to the weights of the first signs."""

    bias: float = 0.0
    slopes: tuple[float, ...] = (0.0,) * SLOPED


NONE: Final = Effect()


class Reach(Struct, frozen=True):
    """Which earlier cases are looked at: within metres, opened within days, open or closed not longer than days before."""

    metres: float = 250.0
    days: float = 45.0
    closed_days: float = 14.0


class LocatedModel(Struct, frozen=True):
    """What was learned: signs less their `centre`, by their `scale`, weighed; effects of kinds, of kins, and of a kind after another."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    # Beliefs of the cases it was learned from, evenly spaced in rank, ascending.
    usual: tuple[float, ...]
    reach: Reach = Reach()
    kinds: dict[str, Effect] = {}
    kins: dict[str, Effect] = {}
    # Later kind → earlier kind → what that adds.
    after: dict[str, dict[str, float]] = {}

    def akin(self, case: Located, earlier: Located) -> bool:
        """Whether the two can be one matter: of one kind, of one kin, or of kinds that were named together."""
        if case.kind == earlier.kind or (case.kin and case.kin == earlier.kin):
            return True
        return earlier.kind in self.after.get(case.kind, ())

    def beliefs(self, case: Located, found: Sequence[Near]) -> list[float]:
        """For each earlier case the belief from 0 to 1 that people would name it as what `case` says again."""
        effects = (self.kinds.get(case.kind, NONE), self.kins.get(case.kin, NONE))
        weights = list(self.weights)
        for place in range(SLOPED):
            weights[place] += sum(effect.slopes[place] for effect in effects)
        bias = self.bias + sum(effect.bias for effect in effects)
        weights = [weight / scale for weight, scale in zip(weights, self.scale, strict=True)]
        bias -= sum(weight * centre for weight, centre in zip(weights, self.centre, strict=True))
        after = self.after.get(case.kind, {})
        return [
            1 / (1 + exp(-bias - after.get(near.case.kind, 0.0) - sum(map(float.__mul__, weights, each))))
            for near, each in zip(found, signs(case, found), strict=True)
        ]


@dataclass(slots=True)
class Placed:
    """A report that is compared without words: by which model, and once it was, how much was believed and asked."""

    model: LocatedModel
    case: Located
    belief: float = 0.0
    asked: float = inf

    @property
    def flagged(self) -> bool:
        """Whether it is what people would name."""
        return self.belief > self.asked


def packed(model: LocatedModel) -> bytes:
    """As it is kept: kinds and weights, no case and no address."""
    return pack({"located": msgspec.to_builtins(model, order="sorted")}, {})


def unpacked(data: bytes) -> LocatedModel:
    """What was packed. Raises BadModel."""
    heading, _ = unpack(data)
    try:
        model = msgspec.convert(heading["located"], LocatedModel)
    except (KeyError, ValueError) as fault:
        raise BadModel(f"not how located cases are compared: {fault}") from None
    lengths = {len(each) for each in (model.centre, model.scale, model.weights)}
    if lengths != {len(Signs._fields)} or min(model.scale) <= 0:
        raise BadModel(f"not a weight and a scale for each of {len(Signs._fields)} signs")
    if any(len(each.slopes) != SLOPED for each in (*model.kinds.values(), *model.kins.values())):
        raise BadModel(f"not {SLOPED} slopes for each kind")
    if not model.usual:
        raise BadModel("no usual beliefs")
    reach = model.reach
    if not (
        0 < reach.metres <= FURTHEST_M and 0 < reach.days <= LONGEST_DAYS and 0 <= reach.closed_days <= LONGEST_DAYS
    ):
        raise BadModel(f"a reach of {reach.metres} m and {reach.days} days")
    return model


def best(model: LocatedModel, case: Located, found: Sequence[Near]) -> tuple[Located | None, float]:
    """The earlier case that is believed most, of equals the newest, with the belief; none and 0 where there is none."""
    if not found:
        return None, 0.0
    believed = model.beliefs(case, found)
    place = max(range(len(found)), key=lambda n: (believed[n], found[n].case.opened_at))
    return found[place].case, believed[place]


def near(case: Located, earlier: Located) -> Near:
    """An earlier case with its distance."""
    if case.lon is None or case.lat is None or earlier.lon is None or earlier.lat is None:
        return Near(earlier, None)
    return Near(earlier, metres(case.lon, case.lat, earlier.lon, earlier.lat))


def settle(case: Located, found: Sequence[Near]) -> None:
    """Notes on a case, as it is opened, how many open ones of its kind there are."""
    alike = [each for each in found if _open_alike(case, each.case)]
    case.around = len(alike)
    case.crowd = sum(each.metres is not None and each.metres <= CLOSE_M for each in alike)


def signs(case: Located, found: Sequence[Near]) -> list[Signs]:
    """The signs of each earlier case among all that were found."""
    at, alike = case.opened_at, log1p(sum(_open_alike(case, each.case) for each in found))
    apart = [_apart(case, each) for each in found]
    nearer = _ranks([(length, at - each.case.opened_at) for length, each in zip(apart, found, strict=True)])
    newer = _ranks([at - each.case.opened_at for each in found])
    return [
        _signs(case, each, length, (log1p(nearer[n]), log1p(newer[n]), alike))
        for n, (each, length) in enumerate(zip(found, apart, strict=True))
    ]


def _open_alike(case: Located, earlier: Located) -> bool:
    return earlier.kind == case.kind and not earlier.closed_by(case.opened_at)


def _apart(case: Located, each: Near) -> float:
    if each.metres is not None:
        return each.metres
    return 0.0 if _same_address(case, each.case) else STREET_M


def _same_address(case: Located, earlier: Located) -> bool:
    return bool(case.address.whole) and case.address.whole == earlier.address.whole


def _signs(case: Located, each: Near, apart: float, among: tuple[float, float, float]) -> Signs:
    earlier, at = each.case, case.opened_at
    hours = (at - earlier.opened_at).total_seconds() / 3600
    closed = earlier.closed_at if earlier.closed_by(at) else None
    common = len(case.address.streets & earlier.address.streets)
    return Signs(
        distance=log1p(apart / 10),
        hours=log1p(hours),
        nearer=among[0],
        spot=float(apart < SPOT_M),
        minutes=log1p(12 * hours),
        closed=float(closed is not None),
        since=log1p((at - closed).total_seconds() / 3600) if closed else 0.0,
        same_kind=float(case.kind == earlier.kind),
        address=float(_same_address(case, earlier)),
        street=float(common > 0),
        crossing=float(common > 1),
        unplaced=float(each.metres is None),
        newer=among[1],
        alike=among[2],
        crowd=log1p(earlier.crowd),
        around=log1p(earlier.around),
    )


def _ranks(values: Sequence[object]) -> list[int]:
    """The place of each value when they are sorted."""
    order = sorted(range(len(values)), key=values.__getitem__)  # type: ignore[arg-type]
    ranks = [0] * len(values)
    for rank, place in enumerate(order):
        ranks[place] = rank
    return ranks
