"""What a case adds to the figures: kept beside it in few bytes, spread over dimensions when it is added or taken out.

Of a restricted case only what is coarse enough not to point at it: the whole city, and its district. It is in no figure of a unit, a
category, a channel or a finer area.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias

import msgspec
from msgspec import Struct

from dispatch.indicators.marks import marks, set_aside
from dispatch.indicators.rules import Rules
from dispatch.indicators.story import Story, tell

# Indicator, day, dimension, key.
Name: TypeAlias = tuple[str, date, str, str]
# Numerator, denominator, excluded, and what of the excluded was in the numerator.
Amount: TypeAlias = tuple[int, int, int, int]
# The same with the day as a number and the unit on whose account it is, or nobody's.
Entry: TypeAlias = tuple[str, int, str, int, int, int, int]
NOTHING: Amount = (0, 0, 0, 0)


class Contribution(Struct, frozen=True, array_like=True):
    """What one case adds, and where: `areas` most specific first, `entries` in order, so that equal ones are equal bytes."""

    areas: tuple[str, ...]
    category: str
    channel: str
    restricted: bool
    entries: tuple[Entry, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Contribution).decode


def pack(contribution: Contribution) -> bytes:
    """As it is kept."""
    return _encode(contribution)


def unpack(kept: bytes) -> Contribution:
    """What was kept."""
    return _decode(kept)


def contribution(story: Story, rules: Rules) -> Contribution:
    """What the case of a story adds under the rules it stands under."""
    case = story.case
    sums: dict[tuple[str, int, str], list[int]] = {}
    for mark in marks(story, rules):
        entry = sums.setdefault((mark.indicator, rules.day(mark.at).toordinal(), mark.unit or ""), [0, 0, 0, 0])
        place = 2 if set_aside(mark, story, rules) else 0
        entry[place] += mark.denominator if place else mark.numerator
        entry[place + 1] += mark.numerator if place else mark.denominator
    entries = tuple(sorted((*name, *amount) for name, amount in sums.items()))
    areas = rules.path(case.area, restricted=case.restricted)
    return Contribution(areas, case.category or "", case.channel, case.restricted, entries)  # type: ignore[arg-type]


def figures(bodies: Sequence[bytes], rules: Rules) -> dict[Name, Amount]:
    """What the events of one case add to the figures; nothing for a record that does not say what it wrote."""
    story = tell(bodies)
    sums = Sums()
    if story is not None:
        sums.add(contribution(story, rules))
    return sums.changed()


class Sums:
    """Figures, summed over cases."""

    def __init__(self) -> None:
        # By dimension and key, then by indicator and day: most of a case goes to the same few places.
        self._places: dict[tuple[str, str], dict[tuple[str, int], list[int]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._places.values()))

    def add(self, what: Contribution, sign: int = 1) -> None:
        """Adds a contribution, or with -1 takes it out again."""
        for place in _places(what):
            amounts = self._places.setdefault(place, {})
            for entry in what.entries:
                _add(amounts, entry, sign)
        if not what.restricted:
            for entry in what.entries:
                if entry[2]:
                    _add(self._places.setdefault(("unit", entry[2]), {}), entry, sign)

    def changed(self) -> dict[Name, Amount]:
        """What is not nothing."""
        return {
            (indicator, date.fromordinal(day), dimension, key): (a, b, c, d)
            for (dimension, key), amounts in self._places.items()
            for (indicator, day), (a, b, c, d) in amounts.items()
            if a or b or c or d
        }

    def clear(self) -> None:
        """Begins anew."""
        self._places.clear()


def _places(what: Contribution) -> Iterator[tuple[str, str]]:
    """Where all of a case goes, on whosever account."""
    yield "all", ""
    for area in what.areas:
        yield "area", area
    if not what.restricted:
        if what.category:
            yield "category", what.category
        if what.channel:
            yield "channel", what.channel


def _add(amounts: dict[tuple[str, int], list[int]], entry: Entry, sign: int) -> None:
    indicator, day, _, numerator, denominator, excluded, outside = entry
    held = amounts.get((indicator, day))
    if held is None:
        amounts[indicator, day] = [sign * numerator, sign * denominator, sign * excluded, sign * outside]
        return
    held[0] += sign * numerator
    held[1] += sign * denominator
    held[2] += sign * excluded
    held[3] += sign * outside
