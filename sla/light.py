"""The traffic light (红黄绿灯) of a running limit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sla.calendar import Pause, WorkCalendar

Light = Literal["green", "yellow", "red"]

WARNING: Final = 0.8


def light(used: float) -> Light:
    """Colour for the share of a limit that is used (1.0 = all of it).

    Green below 80 %, yellow from 80 % to the whole limit, red beyond it: the lights that city-management systems show.
    """
    if used < WARNING:
        return "green"
    return "yellow" if used <= 1 else "red"


def used(
    calendar: WorkCalendar,
    start: datetime,
    due: datetime,
    now: datetime,
    *,
    natural: bool,
    pauses: Sequence[Pause] = (),
) -> float:
    """The share of a limit that is used at `now`: in working time unless it runs through; above 1 once `due` is past.

    What lies in a pause is not used. Where no working time lies between start and due, elapsed time is counted. Raises
    NaiveTime, OutsideCalendar.
    """
    whole = 0.0 if natural else calendar.run(start, due, pauses, natural=False)
    if elapsed := not whole:
        whole = calendar.run(start, due, pauses, natural=True)
    share = calendar.run(start, now, pauses, natural=elapsed) / whole if whole else float(now >= due)
    # Outside working hours and in a pause nothing runs, and yet the end is past.
    return share if now <= due else max(share, 1 + 1e-9)
