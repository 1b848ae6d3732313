"""The traffic light (红黄绿灯) of a running limit."""

from datetime import datetime
from typing import Final, Literal

from sla.calendar import WorkCalendar

Light = Literal["green", "yellow", "red"]

WARNING: Final = 0.8


def light(used: float) -> Light:
    """Colour for the share of a limit that is used (1.0 = all of it).

    Green below 80 %, yellow from 80 % to the whole limit, red beyond it: the lights that city-management systems show.
    """
    if used < WARNING:
        return "green"
    return "yellow" if used <= 1 else "red"


def used(calendar: WorkCalendar, start: datetime, due: datetime, now: datetime, *, natural: bool) -> float:
    """The share of a limit that is used at `now`: in working time unless it runs through; above 1 once `due` is past.

    Where no working time lies between start and due, elapsed time is counted. Raises NaiveTime, OutsideCalendar.
    """
    if not natural and (whole := calendar.worked(start, due)):
        share = calendar.worked(start, now) / whole
        # Outside working hours nothing is worked, and yet the end is past.
        return share if now <= due else max(share, 1 + 1e-9)
    elapsed, whole_s = (now - start).total_seconds(), (due - start).total_seconds()
    return elapsed / whole_s if whole_s else float(now >= due)
