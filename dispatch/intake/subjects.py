"""Which subject a text has: one linear model over single characters, pairs, and words of three or four characters.

What stands at the beginning counts more. A text costs a few table look-ups; how sure the answer is comes from its lead over the second
best, by a map that was fitted on texts the model had not seen.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np
import numpy.typing as npt

from dispatch.intake.packing import Arrays, BadModel, pack, unpack

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
# Numbers, and letters that stand for names that were taken out, say nothing of a subject.
_PLACE: Final = re.compile(r"[A-Za-z]?\d+[县市区]?|[A-Z]\d*(?=[县市区])|西地省")
# Characters at the beginning that count more, and by how much.
HEAD: Final = 30
HEAD_BONUS: Final = 1.0
_STEP, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_SHIFT: Final = np.uint64(43)  # leaves 2**21 slots
_TRUE: Final = np.ones(1, np.bool_)


def clean(text: str) -> str:
    """Without spaces; numbers and anonymised places become one sign."""
    return _PLACE.sub("#", "".join(text.split()))


def gram_keys(text: str) -> list[npt.NDArray[np.uint64]]:
    """For each size one to four, a number for the string that starts at each character."""
    code = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    keys = [code]
    for size in range(2, 5):
        keys.append(keys[-1][:-1] * _STEP + code[size - 1 :])
    return keys


@dataclass
class Vocabulary:
    """Which features there are, as an open table by hashed string, and how rare each is."""

    feature: npt.NDArray[np.int32]  # by slot, -1 where empty
    check: npt.NDArray[np.uint64]  # by slot, the key that the slot stands for
    rarity: Floats

    def __post_init__(self) -> None:
        # Most strings are no feature: what says so is small enough to be at hand.
        self._taken = self.feature >= 0

    def encode(self, text: str) -> tuple[Ints, Floats]:
        """Feature numbers and values of a cleaned text; the values have length one."""
        by_size = list(enumerate(gram_keys(text), 1))
        ahead = [keys[: max(0, HEAD + 1 - size)] for size, keys in by_size]
        found, first = self._find(
            [*ahead, *(keys[max(0, HEAD + 1 - size) :] for size, keys in by_size)], sum(map(len, ahead))
        )
        head = found[:first]
        if not len(found):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        found = np.sort(found)
        starts = np.flatnonzero(np.concatenate((_TRUE, found[1:] != found[:-1])))
        places = found[starts]
        often = np.concatenate((starts[1:], [len(found)])) - starts
        values = 1 + np.log(often.astype(np.float32))
        values[places.searchsorted(head)] += HEAD_BONUS  # once each, however often it stands there
        values *= self.rarity[places]
        return places, values / np.sqrt(values @ values)

    def _find(self, parts: list[npt.NDArray[np.uint64]], ahead: int) -> tuple[Ints, int]:
        """The features among strings, and how many of these come from the first `ahead` strings."""
        keys = np.concatenate(parts)
        slots = (keys * _MIX) >> _SHIFT
        taken = np.flatnonzero(self._taken[slots])
        slots, keys = slots[taken], keys[taken]
        known = self.check[slots] == keys
        return self.feature[slots[known]].astype(np.int64), int(taken[known].searchsorted(ahead))


def table(rarity_of: dict[str, float]) -> Vocabulary:
    """Put the features into slots, frequent ones first; one whose slot is taken is left out (about 2 %)."""
    feature = np.full(1 << (64 - int(_SHIFT)), -1, np.int32)
    check = np.zeros(len(feature), np.uint64)
    rarity: list[float] = []
    for gram in sorted(rarity_of, key=lambda g: (rarity_of[g], g)):
        key = gram_keys(gram)[len(gram) - 1]
        slot = int(((key * _MIX) >> _SHIFT)[0])
        if feature[slot] < 0:
            feature[slot], check[slot] = len(rarity), key[0]
            rarity.append(rarity_of[gram])
    return Vocabulary(feature, check, np.array(rarity, np.float32))


@dataclass
class Linear:
    """One weight a feature and subject, and a start."""

    weights: Floats
    start: Floats


@dataclass
class Calibration:
    """Probability that the best subject is right: logistic in its lead over the second."""

    slope: float
    start: float

    def of_lead(self, lead: float) -> float:
        """The probability at this lead."""
        return 1 / (1 + exp(-(self.slope * lead + self.start)))


def leads(margins: Floats) -> Floats:
    """By how much the best subject is ahead of the second."""
    ordered = np.sort(margins, -1)
    return np.asarray(ordered[..., -1] - ordered[..., -2])


@dataclass
class Trust:
    """How often what is at least so sure is right, at the lower end of its 95 % interval; both ascending, from texts not seen."""

    sure: list[float]
    right: list[float]

    def threshold(self, asked: float) -> float | None:
        """The least confidence from which at least a share `asked` is right; None where nothing is that sure."""
        at = bisect_left(self.right, asked)
        return self.sure[at] if at < len(self.sure) else None


@dataclass
class Classifier:
    """What serves: vocabulary, one matrix, calibration, and what may be done by itself."""

    subjects: list[str]
    vocabulary: Vocabulary
    model: Linear
    calibration: Calibration
    trust: Trust

    def predict(self, text: str) -> tuple[str, float]:
        """Likeliest subject and its probability."""
        return self.ranked(text, 1)[0]

    def ranked(self, text: str, best: int) -> list[tuple[str, float]]:
        """The likeliest subjects, best first. The first has its calibrated probability, the others share the rest by their margins."""
        places, values = self.vocabulary.encode(clean(text))
        margins = values @ self.model.weights[places] + self.model.start
        order = np.argsort(-margins, kind="stable")
        first, second = margins[order[:2]].tolist()
        sure = self.calibration.of_lead(first - second)
        rest = np.exp(margins[order[1:]] - second)
        shares = [sure, *((1 - sure) * rest / rest.sum()).tolist()]
        return [(self.subjects[n], share) for n, share in zip(order[:best].tolist(), shares, strict=False)]

    def packed(self) -> bytes:
        """As it is kept."""
        slots = np.flatnonzero(self.vocabulary.feature >= 0)
        heading = {
            "subjects": self.subjects, "calibration": [self.calibration.slope, self.calibration.start],
            "trust": [self.trust.sure, self.trust.right],
        }  # fmt: skip
        arrays: Arrays = {
            "slots": slots.astype(np.int32), "features": self.vocabulary.feature[slots], "check": self.vocabulary.check[slots],
            "rarity": self.vocabulary.rarity, "weights": self.model.weights, "start": self.model.start,
        }  # fmt: skip
        return pack(heading, arrays)


def unpacked(data: bytes) -> Classifier:
    """The classifier that was packed. Raises BadModel."""
    heading, arrays = unpack(data)
    try:
        feature = np.full(1 << (64 - int(_SHIFT)), -1, np.int32)
        check = np.zeros(len(feature), np.uint64)
        feature[arrays["slots"]], check[arrays["slots"]] = arrays["features"], arrays["check"]
        return Classifier(
            heading["subjects"],
            Vocabulary(feature, check, arrays["rarity"]),
            Linear(arrays["weights"], arrays["start"]),
            Calibration(*heading["calibration"]),
            Trust(*heading["trust"]),
        )
    except (KeyError, IndexError, TypeError, ValueError) as fault:
        raise BadModel(f"not a model of subjects: {fault}") from None
