"""How alike two texts are: bottom-k sketches of their character bigrams, and the Jaccard similarity estimated from two of them."""

from bisect import bisect_right

import numpy as np

SKETCH = 128
# Shorter texts say too little to be compared.
FEWEST = 8


class Sketch:
    """The 128 smallest hashes (31 bits) of a text's bigrams, ascending; a text with fewer is kept whole.

    Kept as `case_signatures` keeps it, 4 bytes a hash, least significant first: most candidates are never compared.
    """

    __slots__ = ("_members", "_values", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._values: list[int] | None = None
        self._members: frozenset[int] | None = None

    @classmethod
    def of(cls, plain: str) -> "Sketch":
        """The sketch of a normalised text."""
        if len(plain) < 2:
            return cls(b"")
        codes = np.frombuffer(plain.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        mixed = (codes[:-1] * np.uint64(0x9E3779B97F4A7C15)) ^ (codes[1:] * np.uint64(0xC2B2AE3D27D4EB4F))
        hashed = ((mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(33)
        return cls(np.array(sorted(set(hashed.tolist()))[:SKETCH], dtype="<u4").tobytes())

    @property
    def values(self) -> list[int]:
        if self._values is None:
            self._values = np.frombuffer(self.data, dtype="<u4").tolist()
        return self._values

    @property
    def members(self) -> frozenset[int]:
        if self._members is None:
            self._members = frozenset(self.values)
        return self._members


def similarity(one: Sketch, other: Sketch) -> float | None:
    """Estimated share (0..1) of bigrams that two texts have in common; None if either says too little."""
    a, b = one.values, other.values
    if len(a) < FEWEST or len(b) < FEWEST:
        return None
    if len(a) < SKETCH and len(b) < SKETCH:
        common = len(one.members & other.members)
        return common / (len(a) + len(b) - common)
    # Above the last hash of a full sketch nothing is known of that text: compare below the lower of the two ends.
    end = min(values[-1] for values in (a, b) if len(values) == SKETCH)
    common = sum(1 for value in one.members & other.members if value <= end)
    union = bisect_right(a, end) + bisect_right(b, end) - common
    return common / union if union else 0.0
