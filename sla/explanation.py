"""Why a limit ends when it does (时限说明): every stretch from its start to its end, counted or not, without a gap."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

import msgspec

from sla.calendar import UNADJUSTED, Adjusted, Pause, WorkCalendar
from sla.limits import Limit, Mode

Kind = Literal[
    "natural", "worked", "makeup", "extended", "suspended", "receipt_day", "break", "off_hours", "weekend", "holiday"
]

COUNTED: Final[frozenset[Kind]] = frozenset({"natural", "worked", "makeup", "extended"})
# What each kind is called, in Chinese and English.
NAMES: Final[dict[Kind, tuple[str, str]]] = {
    "natural": ("连续计时", "runs through"),
    "worked": ("工作时间", "working time"),
    "makeup": ("调休上班", "worked weekend"),
    "extended": ("延期时间", "extended time"),
    "suspended": ("挂账，不计入", "suspended, not counted"),
    "receipt_day": ("受理当日，不计入", "day of receipt, not counted"),
    "break": ("午休", "break"),
    "off_hours": ("非工作时段", "outside working hours"),
    "weekend": ("周末", "weekend"),
    "holiday": ("放假", "day off"),
}


class Slice(msgspec.Struct, frozen=True):
    """One stretch, in the city's time zone; `seconds` and `days` are what of the limit it uses up, 0 where it is not counted.

    `note` and `note_en` name the holiday or the reason where there is one.
    """

    start: datetime
    end: datetime
    kind: Kind
    seconds: float
    days: int
    note: str = ""
    note_en: str = ""

    @property
    def counted(self) -> bool:
        """Whether the stretch uses up some of the limit."""
        return self.kind in COUNTED


def explain(
    calendar: WorkCalendar, start: datetime, limit: Limit, mode: Mode, adjusted: Adjusted = UNADJUSTED
) -> tuple[Slice, ...]:
    """The stretches from `start` to the due instant of `limit`, in order, each beginning where the one before ends.

    What is counted adds up to the limit and its extensions: to seconds where it runs through or is in working hours
    (`hours8`: a working day is eight), to days with `day_end`. A pause freezes what was left of a `day_end` limit in
    working time, so with one the counted stretches are seconds, and add up to the working time from `start` to the due
    instant as it was without pauses. Raises what `due` raises.
    """
    begin, due = start.astimezone(UTC), calendar.due(start, limit, mode, adjusted).at.astimezone(UTC)
    if limit.natural:
        stretches = iter((_slice(calendar, begin, due, "natural", seconds=(due - begin).total_seconds()),))
    elif limit.unit == "wd" and mode == "day_end" and not adjusted.pauses:
        stretches = _whole_days(calendar, begin, due)
    else:
        stretches = _working_time(calendar, begin, due)
    if adjusted.extensions:
        first = calendar.due(start, limit, mode, Adjusted(pauses=adjusted.pauses)).at.astimezone(UTC)
        stretches = _extended(stretches, first)
    if adjusted.pauses:
        stretches = _suspended(stretches, adjusted.pauses)
    return tuple(_merged(stretches))


def _extended(stretches: Iterable[Slice], first: datetime) -> Iterator[Slice]:
    """What is counted behind the due instant as it was at `first` is extended time."""
    for each in stretches:
        for piece in _cut(each, (first,)):
            late = piece.counted and piece.start.astimezone(UTC) >= first
            yield msgspec.structs.replace(piece, kind="extended") if late else piece


def _suspended(stretches: Iterable[Slice], pauses: Iterable[Pause]) -> Iterator[Slice]:
    """Whatever lies in a pause is suspended, and nothing of it counted."""
    spans = [(opens.astimezone(UTC), closes.astimezone(UTC)) for opens, closes in pauses]
    edges = sorted({edge for span in spans for edge in span})
    for each in stretches:
        for piece in _cut(each, edges):
            middle = piece.start.astimezone(UTC)
            if any(opens <= middle < closes for opens, closes in spans):
                yield msgspec.structs.replace(piece, kind="suspended", seconds=0, days=0, note="", note_en="")
            else:
                yield piece


def _cut(each: Slice, edges: Iterable[datetime]) -> Iterator[Slice]:
    """The stretch in pieces; `edges` are instants of UTC in order."""
    here, end, zone = each.start.astimezone(UTC), each.end.astimezone(UTC), each.start.tzinfo
    for edge in edges:
        if here < edge < end:
            yield _piece(each, here, edge, zone)
            here = edge
    yield each if here == each.start.astimezone(UTC) else _piece(each, here, end, zone)


def _piece(each: Slice, start: datetime, end: datetime, zone: tzinfo | None) -> Slice:
    seconds = (end - start).total_seconds() if each.seconds else 0
    return msgspec.structs.replace(each, start=start.astimezone(zone), end=end.astimezone(zone), seconds=seconds)


def _whole_days(calendar: WorkCalendar, begin: datetime, due: datetime) -> Iterator[Slice]:
    for day, start, end in _days(calendar, begin, due):
        kind, note = _kind(calendar, day)
        if start == begin and day == begin.astimezone(calendar.tz).date():
            yield _slice(calendar, start, end, "receipt_day")
        else:
            yield _slice(calendar, start, end, kind, days=int(kind in COUNTED), note=note)


def _working_time(calendar: WorkCalendar, begin: datetime, due: datetime) -> Iterator[Slice]:
    for day, start, end in _days(calendar, begin, due):
        kind, note = _kind(calendar, day)
        if kind not in COUNTED:
            yield _slice(calendar, start, end, kind, note=note)
            continue
        slots = calendar.slots_of(day)
        here = start
        for opens, closes in slots:
            if opens > here and (till := min(opens, end)) > here:
                yield _slice(calendar, here, till, "off_hours" if (opens, closes) == slots[0] else "break")
                here = till
            if closes > here and (till := min(closes, end)) > here:
                yield _slice(calendar, here, till, kind, seconds=(till - here).total_seconds(), note=note)
                here = till
        if here < end:
            yield _slice(calendar, here, end, "off_hours")


def _days(calendar: WorkCalendar, begin: datetime, due: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    """Each local day with its part between the two instants."""
    day = begin.astimezone(calendar.tz).date()
    while (start := max(begin, _midnight(calendar, day))) < due:
        following = day + timedelta(days=1)
        yield day, start, min(due, _midnight(calendar, following))
        day = following


def _midnight(calendar: WorkCalendar, day: date) -> datetime:
    return datetime.combine(day, time(0), calendar.tz).astimezone(UTC)


def _kind(calendar: WorkCalendar, day: date) -> tuple[Kind, tuple[str, str]]:
    weekend, note = day.weekday() > 4, calendar.days.name_of(day)
    if calendar.slots_of(day):
        return ("makeup", note) if weekend else ("worked", ("", ""))
    return ("holiday", note) if note[0] or not weekend else ("weekend", ("", ""))


def _slice(
    calendar: WorkCalendar,
    start: datetime,
    end: datetime,
    kind: Kind,
    *,
    seconds: float = 0,
    days: int = 0,
    note: tuple[str, str] = ("", ""),
) -> Slice:
    return Slice(start.astimezone(calendar.tz), end.astimezone(calendar.tz), kind, seconds, days, *note)


def _merged(slices: Iterator[Slice]) -> Iterator[Slice]:
    """Stretches of one kind and name that follow each other are one; counted ones stay apart, a day or slot each."""
    last: Slice | None = None
    for each in slices:
        if last is not None and not each.counted and (last.kind, last.note) == (each.kind, each.note):
            last = msgspec.structs.replace(last, end=each.end)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
