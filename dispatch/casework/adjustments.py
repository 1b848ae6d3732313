"""What was approved for one clock beside its limit, as the JSON that its row keeps (`deadlines.adjustments`).

| key          | value                                                                                            |
|--------------|--------------------------------------------------------------------------------------------------|
| `extensions` | limits that were added at the end                                                                 |
| `pauses`     | stretches `[from, until]` in which it stands still                                                |
| `earliest`   | `[because, instant, since]`: by when it has to end anyway; moves with the pauses since            |
| `given`      | the instant that a superior set, where something earlier holds the clock now                      |
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from sla.calendar import UNADJUSTED, Adjusted, WorkCalendar
from sla.limits import parse_limit

EARLIEST: Final = "earliest"
# Also the limit's text of a due instant that a superior has set.
GIVEN: Final = "given"


@lru_cache(maxsize=4096)
def adjusted(adjustments: str) -> Adjusted:
    """What was approved for a clock: `{extensions: [limit…], pauses: [[from, until]…]}`, empty for nearly every one."""
    kept = msgspec.json.decode(adjustments)
    if not kept:
        return UNADJUSTED
    return Adjusted(
        tuple(map(parse_limit, kept.get("extensions", ()))),
        tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in kept.get("pauses", ())),
    )


@lru_cache(maxsize=4096)
def earliest(calendar: WorkCalendar, adjustments: str, *, natural: bool) -> datetime | None:
    """By when a clock has to end, whatever its limit: `{earliest: [[because, instant, since]…]}`.

    Because of a case that was merged into this one, or of the task that it is a part of. Each moves with the pauses since.
    """
    kept = msgspec.json.decode(adjustments)
    instants = []
    for _, due_at, since in kept.get(EARLIEST, ()):
        due, from_ = datetime.fromisoformat(due_at), datetime.fromisoformat(since)
        pauses = [(max(a, from_), b) for a, b in adjusted(adjustments).pauses if b > from_]
        instants.append(calendar.push(from_, due, pauses, natural=natural).astimezone(UTC) if pauses else due)
    return min(instants, default=None)
