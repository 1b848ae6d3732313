"""Due instants a second, one by one and in bulk, beside the number that is asked for: it is a floor, not a peer.

python -m tests.bench.clock
"""

import json
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sla.bulk import BulkCalendar
from sla.calendar import WorkCalendar
from sla.limits import Limit, Mode

SINGLY, IN_BULK = 200_000, 500_000
ONES, MANY, TURNS = 40_000, 500_000, 3
LIMITS = (Limit(5, "wd"), Limit(4, "wh"), Limit(24, "h"), Limit(2, "wd"), Limit(30, "min"))
MODES: tuple[Mode, ...] = ("day_end", "hours8")


def run() -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, unit}; the best of three turns each, on one core."""
    calendar = WorkCalendar(ZoneInfo("Asia/Shanghai"))
    bulk, first = BulkCalendar(calendar), datetime(2026, 1, 5, 9, tzinfo=calendar.tz)
    starts = [first + timedelta(minutes=7 * n) for n in range(ONES)]
    kinds = [(LIMITS[n % len(LIMITS)], MODES[n % len(MODES)]) for n in range(MANY)]
    ticks = round(first.timestamp()) * 1_000_000 + np.arange(MANY, dtype=np.int64) * 7_000_000
    limits, modes = [limit for limit, _ in kinds], [mode for _, mode in kinds]

    def singly() -> None:
        for start, (limit, mode) in zip(starts, kinds, strict=False):
            calendar.due(start, limit, mode)

    def together() -> None:
        bulk.due(ticks, limits, modes)

    return [
        _row("due instants, one by one", singly, ONES, SINGLY),
        _row("due instants, in bulk", together, MANY, IN_BULK),
    ]


def _row(name: str, work: Any, count: int, floor: int) -> dict[str, Any]:
    seconds = []
    for _ in range(TURNS):
        began = perf_counter()
        work()
        seconds.append(perf_counter() - began)
    ours = count / min(seconds)
    return {
        "name": name,
        "ours": round(ours, 1),
        "peer": floor,
        "ratio": round(ours / floor, 2),
        "unit": "1/s (peer: asked)",
    }


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line))
