"""What the names of units tell: the role without its area (六联社区 is the community office of 六联), and forms of one name.

What is known of a role in one area serves another; a name in use beside an older form of it is found by the cases themselves.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dispatch.intake.shares import Ints, Names, Row

BRACKET: Final = re.compile(r"[（(]([^（()）]*)[）)]")
# Work of two names that is less alike than this is not one unit's.
ALIKE: Final = 0.3


def common_tail(values: set[str]) -> str:
    """The two-character ending that half of the values share (街道, 社区), or ''."""
    ends = Counter(v[-2:] for v in values if len(v) > 2)
    end, count = ends.most_common(1)[0] if ends else ("", 0)
    return end if 2 * count >= len(values) else ""


def abbreviates(one: str, other: str) -> bool:
    """Chinese short form: same first character, the rest in the same order (城建办, 城建办公室)."""
    short, full = sorted((one, other), key=len)
    if len(short) < 2 or short[0] != full[0] or (one + other).isascii():
        return short == full
    rest = iter(full)
    return all(c in rest for c in short)


def area_words(units: list[str], columns: dict[str, set[str]]) -> tuple[list[str], list[str]]:
    """Values of the columns that unit names contain, longest first, and the filler words beside them."""
    masks: set[str] = set()
    tails: set[str] = set()
    for values in columns.values():
        tail = common_tail(values)
        cores = {v.removesuffix(tail) for v in values}
        cores = {c for c in cores if len(c) >= 2}
        inside = {c for c in cores if any(c in u and c != u for u in units)}
        if cores and 5 * len(inside) >= len(cores):
            masks |= inside
            tails |= {tail} - {""}
    ordered = sorted(masks, key=lambda m: (-len(m), m))
    fillers: Counter[str] = Counter()
    for content in (c for u in units for c in BRACKET.findall(u)):
        bare = without(content, ordered)
        for word in re.split("(" + "|".join(map(re.escape, sorted(tails))) + ")", bare) if tails else [bare]:
            fillers[word] += len(word) >= 2
    return ordered, sorted((w for w, n in fillers.items() if n >= 3), key=lambda w: (-len(w), w))


def without(text: str, words: Sequence[str]) -> str:
    """The text with the words cut out."""
    for word in words:
        text = text.replace(word, "")
    return text.strip()


def read_names(units: list[str], columns: dict[str, set[str]]) -> Names:
    """Group the units by role and by family."""
    masks, fillers = area_words(units, columns)
    bare = [without(BRACKET.sub("", u), masks) for u in units]
    bare = [without(b, fillers) or b or "=" for b in bare]
    group = list(range(len(units)))
    for i, j in itertools.combinations(range(len(units)), 2):
        if group[i] != group[j] and abbreviates(bare[i], bare[j]):
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    plain = set(units)
    stems = [BRACKET.sub("", u) for u in units]
    families = [s if s in plain else u for s, u in zip(stems, units, strict=True)]
    return Names(units, number(group), number(families))


def number(labels: Sequence[object]) -> Ints:
    """Labels as numbers from zero."""
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(x, len(seen)) for x in labels], np.int64)


@dataclass(frozen=True)
class Rename:
    """A name that took over from another: from when, whether the old one is still seen, how alike their work is."""

    old: str
    new: str
    since: str
    old_last_seen: str
    likeness: float


def renames(rows: Sequence[Row], names: Names, columns: Sequence[str], target: str, time: str) -> list[Rename]:
    """Names of one family where the later form does the same work in the same area as the earlier."""
    work: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    seen: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        unit = row[target]
        seen[unit].append(row[time][:10])
        work[unit].update((c, row[c]) for c in columns)
    found = []
    pairs = zip(names.units, names.family.tolist(), strict=True)
    groups: dict[int, list[str]] = defaultdict(list)
    for unit, family in pairs:
        groups[family].append(unit)
    for old, new in (p for g in groups.values() for p in itertools.permutations(g, 2)):
        if new.startswith(old) and min(seen[old]) < min(seen[new]):
            likeness = cosine(work[old], work[new])
            if likeness >= ALIKE:
                found.append(Rename(old, new, min(seen[new]), max(seen[old]), round(likeness, 2)))
    return sorted(found, key=lambda r: r.since)


def cosine(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> float:
    """Likeness of two tallies, 0 to 1."""
    dot = sum(n * other[k] for k, n in one.items())
    return dot / float(np.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values())))
