"""A flapping device as CloudEvents 1.0 (structured form, plain dicts)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any


def flapping(
    device: str, raised: str, cleared: str, start: datetime, count: int, *, seed: int, longest_s: float = 20.0
) -> Iterator[dict[str, Any]]:
    """`count` events of one device, raised and cleared in turn, at most `longest_s` seconds apart, from `start`."""
    rng = Random(f"{seed}/{device}")
    at = start
    for number in range(count):
        on = number % 2 == 0
        yield {
            "specversion": "1.0",
            "id": f"{device}-{seed}-{number}",
            "source": "/demo/sensors",
            "type": raised if on else cleared,
            "subject": device,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": {"value": round(rng.uniform(15, 40) if on else rng.uniform(0, 5), 1)},
        }
        at += timedelta(seconds=rng.uniform(1.0, longest_s))
