"""Durations by a fixed scale, so that percentiles of any number of cases are a matter of adding up: ten steps a decade (R10).

A percentile is told as the upper end of its step, so it is at most a quarter too high, and the same from whatever order.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

# Renard's series of ten steps a decade, in minutes, from one minute to some two years.
_R10: Final = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
# Upper ends in seconds; what takes longer falls into one more.
EDGES: Final[tuple[int, ...]] = (
    *(round(60 * step * 10**decade) for decade in range(6) for step in _R10),
    60_000_000,
)
BUCKETS: Final = len(EDGES) + 1


def bucket_of(seconds: float) -> int:
    """The step that a duration of so many seconds falls into; none is below zero."""
    return bisect_left(EDGES, max(0.0, seconds))


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The upper end in seconds of the step in which this share (0..1) of all counted durations is reached; None for none.

    What lies beyond the scale is told as its end.
    """
    total = sum(counts.values())
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if counts[bucket] and passed >= share * total:
            return EDGES[min(bucket, len(EDGES) - 1)]
    return None
