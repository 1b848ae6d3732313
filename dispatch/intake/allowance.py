"""How many of the cases may be flagged: never more than a share of those seen so far, and the likeliest first.

A threshold that was learned gives another share in another month. So it follows the stream: a case is flagged while its belief is
among the highest `usual` of the last cases, and what is not used is saved for a rush. In a rush, when many deserve it at once,
it must also be among the share of the very last cases that the savings can still pay for.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Final

from msgspec import Struct

# For how many cases each of the usual beliefs stands at the beginning.
STANDS_FOR: Final = 3


class Share(Struct, frozen=True):
    """`most`: what may be flagged of all; `usual`: of the last `memory` cases; savings are spread over `spread` cases of a rush."""

    most: float = 0.12
    usual: float = 0.09
    memory: int = 20_000
    rush: int = 200
    spread: float = 200.0


class _Recent:
    """The last beliefs, and the belief that so many of them exceed."""

    def __init__(self, beliefs: Sequence[float], most: int) -> None:
        self._arrived, self._sorted, self._most = deque(beliefs), sorted(beliefs), most

    def exceeded_by(self, share: float) -> float:
        place = int((1 - min(max(share, 0.0), 1.0)) * len(self._sorted))
        return self._sorted[min(place, len(self._sorted) - 1)]

    def add(self, belief: float) -> None:
        self._arrived.append(belief)
        insort(self._sorted, belief)
        while len(self._arrived) > self._most:
            self._sorted.pop(bisect_left(self._sorted, self._arrived.popleft()))


class Allowance:
    """What a belief must exceed just now to be flagged. `usual` are beliefs of former cases, to begin with."""

    def __init__(self, share: Share, usual: Sequence[float]) -> None:
        self._share, self._saved = share, 0.0
        self._long = _Recent([each for each in usual for _ in range(STANDS_FOR)], share.memory)
        self._short = _Recent(usual, share.rush)

    def asked(self) -> float:
        """What the belief of the next case must exceed; infinite while nothing is saved for it."""
        share, saved = self._share, self._saved + self._share.most
        if saved < 1:
            return inf
        return max(self._long.exceeded_by(share.usual), self._short.exceeded_by(share.most + saved / share.spread))

    def note(self, belief: float, flagged: bool) -> None:
        """Counts a case that was decided; every case, also one of which nothing is believed."""
        self._saved += self._share.most - flagged
        self._long.add(belief)
        self._short.add(belief)
