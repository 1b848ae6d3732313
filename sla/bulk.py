"""Due instants of many limits at once (批量计算到期时间), the same ones that `WorkCalendar.due` gives one by one."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sla.calendar import WORK_DAY_HOURS, WorkCalendar
from sla.errors import OutsideCalendar
from sla.limits import Limit, Mode

Instants = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SECOND: Final = 1_000_000
_WORK_HOUR: Final = 3_600 * _SECOND
_WORK_DAY: Final = WORK_DAY_HOURS * _WORK_HOUR


class BulkCalendar:
    """The slots of a calendar as arrays; instants are whole microseconds since 1970 UTC."""

    def __init__(self, calendar: WorkCalendar) -> None:
        layout = calendar.layout
        self._starts = np.array(layout.starts, dtype=np.int64)
        self._ends = np.array(layout.ends, dtype=np.int64)
        self._before = np.array(layout.before, dtype=np.int64)
        self._day_starts = np.array(layout.day_starts, dtype=np.int64)
        self._day_ends = np.array(layout.day_ends, dtype=np.int64)
        self._begin, self._end, self._settled = layout.begin, layout.end, layout.settled
        self._years = layout.years

    def due(self, starts: Instants, limits: Sequence[Limit], modes: Sequence[Mode]) -> tuple[Instants, Flags]:
        """For each start its due instant and whether it is provisional; three sequences of one length.

        Raises OutsideCalendar if any start or end in working time lies outside the calendar.
        """
        due = np.empty_like(starts)
        working = np.zeros(len(starts), dtype=np.bool_)
        kinds: dict[tuple[Limit, Mode], list[int]] = {}
        for at, kind in enumerate(zip(limits, modes, strict=True)):
            kinds.setdefault(kind, []).append(at)
        for (limit, mode), places in kinds.items():
            chosen = np.array(places)
            begin = starts[chosen]
            if limit.natural:
                due[chosen] = begin + limit.natural_seconds * _SECOND
            else:
                due[chosen] = self._working_end(begin, limit, mode)
                working[chosen] = True
        return due, working & (due > self._settled)

    def _working_end(self, begin: Instants, limit: Limit, mode: Mode) -> Instants:
        if np.any((begin < self._begin) | (begin >= self._end)):
            raise OutsideCalendar(*self._years)
        if limit.unit == "wd" and mode == "day_end":
            day = np.searchsorted(self._day_starts, begin, side="right") + limit.amount - 1
            if np.any(day >= len(self._day_ends)):
                raise OutsideCalendar(*self._years)
            return self._day_ends[day]
        slot = np.searchsorted(self._starts, begin, side="right") - 1
        done = self._before[slot] + np.minimum(begin, self._ends[slot]) - self._starts[slot]
        work = done + limit.amount * (_WORK_HOUR if limit.unit == "wh" else _WORK_DAY)
        slot = np.searchsorted(self._before, work, side="left") - 1
        end = self._starts[slot] + work - self._before[slot]
        if np.any(end > self._ends[slot]):
            raise OutsideCalendar(*self._years)
        return end
