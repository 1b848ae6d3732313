"""What tells whether two address texts name one place: signs as plain numbers, made from the elements of both.

The first text is what somebody said, the second what it is held against: a missing building means one thing in the first and another
in the second, so the order matters. A sign of something that is not there is MISSING; every other is zero or more.
"""

import re
from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, JaroWinkler, Postfix, Prefix

from gridmap.address_sketch import PLACES, Sketch
from gridmap.addresses import KINDS

MISSING: Final = -1.0
ADDRESSED: Final = ("road", "number", "crossing", "offset")
WEIGHED: Final = (
    "city",
    "district",
    "street",
    "community",
    "road",
    "number",
    "estate",
    "phase",
    "building",
    "gate",
    "name",
)
ASIDE: Final = ("province", "city", "district", "unit", "floor", "room", "offset", "crossing")
# From wide to narrow.
LEVELS: Final = {
    "province": 0, "city": 0, "district": 1, "street": 2, "community": 3, "road": 4, "crossing": 4, "number": 5, "estate": 5,
    "name": 5, "offset": 5, "phase": 6, "building": 7, "gate": 7, "unit": 8, "floor": 8, "room": 9,
}  # fmt: skip
BEYOND: Final = 10.0
ENDS: Final = 6
# From how much of an element it counts as found in the other text.
FOUND: Final = 0.75
TWICE: Final = 70.0
_KIND: Final = {kind: float(place) for place, kind in enumerate(KINDS)}
_BRACKET: Final = re.compile(r"\(([^()]+)\)$")

_COVER: Final = (
    *(f"covered by runs of {size}" for size in (1, 2, 3)), "place covered", "missing characters", "missing runs", "missing of names",
    "names found", "missing of roads", "roads found", "tokens", "last covered", "end covered", "beginning covered",
    *(f"{what} covered {kind}" for kind in WEIGHED for what in ("least", "most")), "narrowest found", "widest missing", "narrowest missing",
)  # fmt: skip
_DIFFERENCE: Final = (
    "equal",
    "swapped",
    *(f"{what} {where}" for what in ("gone", "new") for where in ("first", "within", "last")),
)
SIGNS: Final = (
    *(f"{name} of {side}" for side in "ab" for name in _COVER),
    "rarest common", "second common", "fourth common", "common", "common of a", "common of b", "common of both",
    "ratio", "partial ratio", "sorted ratio", "beginning", "end", "longest run", "runs",
    "rests alike", "rests partly", *(f"rest {each}" for each in _DIFFERENCE),
    "names alike", "name from end of a", "name from end of b", "name length", *(f"name {each}" for each in _DIFFERENCE),
    *(f"last of {side} {what}" for side in "ab" for what in ("within", "alike", "by beginning", "rarity of end")),
    "last names alike", "last names partly", "last names by beginning", "last names end alike", "b ends with name", "b says twice",
    "roads alike", "roads by end", "a road of b in a", "all roads of b in a", "a road of a in b", "last road of a in b",
    *(f"road {each}" for each in _DIFFERENCE),
    *(f"{what} {kind}" for kind in ("number", "building", "phase") for what in
      ("equal", "any of a", "all of a", "any of b", "all of b", "last of a", "last of b")),
    "gate of b in a", "counts of a", "counts of b", "counts of a found", "counts of b found",
    "numbers apart", "numbers apart by size", "numbers across the street", "number",
    *(f"{kind}s alike" for kind in ("city", "district", "street")), "district of b in a",
    *(f"{what} of {side}" for side in "ab" for what in ("nearness", "crossing", "gate", "last kind", "elements", "addressed")),
    "bracket of b", "bracket of b in a",
)  # fmt: skip


def signs(one: Sketch, other: Sketch) -> list[float]:
    """The numbers that SIGNS names, of what was said and what it is held against."""
    return [
        *_covered(one, other), *_covered(other, one), *_common(one, other), *_strings(one, other), *_names(one, other),
        *_last_names(one, other), *_roads(one, other), *_counts(one, other), *_numbers(one, other), *_form(one, other),
    ]  # fmt: skip


def _part(part: float, whole: float) -> float:
    return part / whole if whole > 0 else MISSING


def _covered(own: Sketch, other: Sketch) -> list[float]:
    """How much of one text stands in the other, in all and of each kind of element."""
    size = len(own.tokens)
    single = [token in other.singles for token in own.tokens]
    double = [here and token.isdigit() for here, token in zip(single, own.tokens, strict=True)]
    triple = [False] * size
    for place, two in enumerate(own.twos):
        if two in other.pairs:
            double[place] = double[place + 1] = True
    for place, three in enumerate(own.threes):
        if three in other.triples:
            triple[place] = triple[place + 1] = triple[place + 2] = True
    total, once, twice = [0.0] * len(own.elements), [0.0] * len(own.elements), [0.0] * len(own.elements)
    threefold = 0.0
    for place, (owner, weight) in enumerate(zip(own.owners, own.weights, strict=True)):
        total[owner] += weight
        once[owner] += single[place] * weight
        twice[owner] += double[place] * weight
        threefold += triple[place] * weight
    whole, ends = sum(total), []
    for part in (slice(max(0, size - ENDS), size), slice(0, ENDS)):
        pairs = list(zip(own.weights[part], double[part], strict=True))
        ends.append(_part(sum(weight for weight, held in pairs if held), sum(weight for weight, _ in pairs)))
    return [
        _part(sum(once), whole), _part(sum(twice), whole), _part(threefold, whole), *_place(own, total, once, twice),
        float(size), float(double[-1]) if double else MISSING, *ends, *_by_kind(own, total, twice),
    ]  # fmt: skip


def _place(own: Sketch, total: Sequence[float], once: Sequence[float], twice: Sequence[float]) -> list[float]:
    """How much is found and missing of what says where: without the wide areas and the parts within a building."""
    whole = held = seen = names = names_held = roads = roads_held = 0.0
    for place, each in enumerate(own.elements):
        if each.kind not in ASIDE:
            whole += total[place]
            held += twice[place]
            seen += once[place]
        if each.kind in PLACES:
            names += total[place]
            names_held += twice[place]
        elif each.kind == "road":
            roads += total[place]
            roads_held += twice[place]
    return [
        _part(held, whole),
        whole - seen,
        whole - held,
        names - names_held,
        names_held,
        roads - roads_held,
        roads_held,
    ]


def _by_kind(own: Sketch, total: Sequence[float], twice: Sequence[float]) -> list[float]:
    least, most = dict.fromkeys(WEIGHED, MISSING), dict.fromkeys(WEIGHED, MISSING)
    found, widest, narrowest = MISSING, BEYOND, MISSING
    for place, each in enumerate(own.elements):
        share, level = _part(twice[place], total[place]), float(LEVELS[each.kind])
        if share >= FOUND:
            found = max(found, level)
        else:
            widest, narrowest = min(widest, level), max(narrowest, level)
        if each.kind in least:
            least[each.kind] = share if least[each.kind] == MISSING else min(least[each.kind], share)
            most[each.kind] = max(most[each.kind], share)
    return [*(value for kind in WEIGHED for value in (least[kind], most[kind])), found, widest, narrowest]


def _common(one: Sketch, other: Sketch) -> list[float]:
    """The runs of two that both have, and how rare they are."""
    shared = sorted((one.pair_weights[pair] for pair in one.pairs & other.pairs), reverse=True)
    both, rarest = sum(shared), [shared[place] if len(shared) > place else 0.0 for place in (0, 1, 3)]
    parts = (_part(both, whole) for whole in (one.all_pairs, other.all_pairs, one.all_pairs + other.all_pairs - both))
    return [*rarest, both, *parts]


def _strings(one: Sketch, other: Sketch) -> list[float]:
    """The two texts whole, whatever their elements."""
    equal = [run.src_end - run.src_start for run in Indel.opcodes(one.text, other.text) if run.tag == "equal"]
    return [
        fuzz.ratio(one.text, other.text), fuzz.partial_ratio(one.text, other.text), fuzz.ratio(one.sorted, other.sorted),
        float(Prefix.similarity(one.compact, other.compact)), float(Postfix.similarity(one.compact, other.compact)),
        float(max(equal, default=0)), float(len(equal)),
    ]  # fmt: skip


def _difference(one: str, other: str, mine: Sketch, theirs: Sketch) -> list[float]:
    """How rare is what two names share, and what the second lacks and adds at its beginning, within and at its end."""
    gone, new, equal = [0.0] * 3, [0.0] * 3, 0.0
    for run in Indel.opcodes(one, other):
        if run.tag == "equal":
            equal += mine.weigh(one[run.src_start : run.src_end])
        elif run.tag == "delete":
            where = 0 if run.src_start == 0 else 2 if run.src_end == len(one) else 1
            gone[where] += mine.weigh(one[run.src_start : run.src_end])
        else:
            where = 0 if run.dest_start == 0 else 2 if run.dest_end == len(other) else 1
            new[where] += theirs.weigh(other[run.dest_start : run.dest_end])
    return [equal, sum(map(min, gone, new)), *gone, *new]


def _names(one: Sketch, other: Sketch) -> list[float]:
    """All names in a row, and the two names that are most alike."""
    found = [MISSING] * 22
    if one.rest and other.rest:
        found[0], found[1] = fuzz.ratio(one.rest, other.rest), fuzz.partial_ratio(one.rest, other.rest)
        found[2:10] = _difference(one.rest, other.rest, one, other)
    alike = [
        (fuzz.ratio(mine.value, theirs.value), min(len(mine.value), len(theirs.value)), m, t)
        for m, mine in enumerate(one.places)
        for t, theirs in enumerate(other.places)
    ]
    if alike:
        ratio, length, m, t = max(alike)
        found[10:14] = ratio, float(len(one.places) - m), float(len(other.places) - t), float(length)
        found[14:22] = _difference(one.places[m].value, other.places[t].value, one, other)
    return found


def _last_names(one: Sketch, other: Sketch) -> list[float]:
    """The last name of each: what the place is called, after all that says where it is."""
    found = [*_last(one, other), *_last(other, one), *[MISSING] * 6]
    if one.places and other.places:
        mine, theirs = one.places[-1].value, other.places[-1].value
        found[8:12] = (
            fuzz.ratio(mine, theirs), fuzz.partial_ratio(mine, theirs), 100 * JaroWinkler.similarity(mine, theirs),
            float(mine[-2:] == theirs[-2:]),
        )  # fmt: skip
    if other.places:
        found[12] = float(other.places[-1] is other.elements[-1])
        found[13] = float(len(other.places) > 1 and fuzz.ratio(*(each.value for each in other.places[-2:])) > TWICE)
    return found


def _last(own: Sketch, other: Sketch) -> list[float]:
    if not own.places:
        return [MISSING] * 4
    name = own.places[-1].value
    return [
        fuzz.partial_ratio(name, other.text) if len(name) <= len(other.text) else fuzz.ratio(name, other.text),
        max((fuzz.ratio(name, each.value) for each in other.places), default=MISSING),
        max((100 * JaroWinkler.similarity(name, each.value) for each in other.places), default=MISSING),
        own.weigh(name[-1]),
    ]  # fmt: skip


def _roads(one: Sketch, other: Sketch) -> list[float]:
    found = [MISSING] * 14
    if one.roads and other.roads:
        ratio, mine, theirs = max(
            (fuzz.ratio(mine, theirs), mine, theirs) for mine in one.roads for theirs in other.roads
        )
        ends = (JaroWinkler.similarity(mine[::-1], theirs[::-1]) for mine in one.roads for theirs in other.roads)
        found[0:2] = ratio, 100 * max(ends)
        found[6:14] = _difference(mine, theirs, one, other)
    within = [float(road in one.text) for road in other.roads]
    found[2:4] = max(within, default=MISSING), min(within, default=MISSING)
    within = [float(road in other.text) for road in one.roads]
    found[4:6] = max(within, default=MISSING), within[-1] if within else MISSING
    return found


def _counts(one: Sketch, other: Sketch) -> list[float]:
    """Which numbers, buildings and parts of one are in the other, whatever they are called there."""
    found: list[float] = []
    for kind in ("number", "building", "phase"):
        mine, theirs = one.by_kind[kind], other.by_kind[kind]
        same = {each.value for each in mine} & {each.value for each in theirs}
        found.append(float(bool(same)) if mine and theirs else MISSING)
        for counts, there in ((one.counts[kind], other.numbers), (other.counts[kind], one.numbers)):
            held = [float(there.issuperset(each)) for each in counts]
            found += (max(held, default=MISSING), min(held, default=MISSING))
        found.append(float(mine[-1].value in other.values) if mine else MISSING)
        found.append(float(theirs[-1].value in one.values) if theirs else MISSING)
    found.append(max((float(one.numbers.issuperset(each)) for each in other.counts["gate"]), default=MISSING))
    for own, against in ((one, other), (other, one)):
        again = [count in against.numbers for count in own.all_counts]
        found += (float(len(again)), _part(sum(again), len(again)))
    return found


def _numbers(one: Sketch, other: Sketch) -> list[float]:
    """How far the two nearest house numbers are apart."""
    if not one.house_numbers or not other.house_numbers:
        return [MISSING] * 4
    apart, mine, theirs = min((abs(m - t), m, t) for m in one.house_numbers for t in other.house_numbers)
    return [float(apart), apart / (1 + max(mine, theirs)), float((mine - theirs) % 2), float(mine)]


def _form(one: Sketch, other: Sketch) -> list[float]:
    """The areas, and what kind of text each is."""
    found: list[float] = []
    for kind in ("city", "district", "street"):
        alike = [fuzz.ratio(m.value, t.value) for m in one.by_kind[kind] for t in other.by_kind[kind]]
        found.append(max(alike, default=MISSING))
    found.append(max((float(each.value[:-1] in one.text) for each in other.by_kind["district"]), default=MISSING))
    for own in (one, other):
        addressed = sum(each.kind in ADDRESSED for each in own.elements)
        last = _KIND[own.elements[-1].kind] if own.elements else MISSING
        found += (
            float("附近" in own.text or "旁" in own.text or "对面" in own.text), float(bool(own.by_kind["crossing"])),
            float(bool(own.by_kind["gate"])), last, float(len(own.elements)), float(addressed),
        )  # fmt: skip
    bracket = _BRACKET.search(other.text)
    within = fuzz.partial_ratio(bracket[1], one.text) if bracket and one.text else MISSING
    return [*found, float(bool(bracket)), within]
