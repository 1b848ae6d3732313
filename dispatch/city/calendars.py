"""The work calendars of a city: one for all units, and others for groups of units that keep hours of their own (班次)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from types import MappingProxyType
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from dispatch.city.units import UnitTree
from sla.calendar import WorkCalendar
from sla.workdays import DEFAULT_SLOTS, Season, Slots, WorkDays
from sla.years import Year

_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d"
Slot = Annotated[str, Meta(pattern=rf"^{_CLOCK}-(?:{_CLOCK}|24:00)$")]
MonthDay = Annotated[str, Meta(pattern=r"^(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$")]


class SeasonSection(Struct, frozen=True):
    """Other slots from one day of the year to another, both included; written 06-15."""

    first: MonthDay
    last: MonthDay
    slots: tuple[Slot, ...]


class CalendarSection(Struct, frozen=True):
    """`days` gives single days slots of their own: half days (半天)."""

    slots: tuple[Slot, ...] = ()
    off: tuple[date, ...] = ()
    work: tuple[date, ...] = ()
    days: dict[date, tuple[Slot, ...]] = {}
    seasons: tuple[SeasonSection, ...] = ()
    every_day: bool = False


class GroupSection(CalendarSection, frozen=True, kw_only=True):
    """Units, each with all below it, that keep hours of their own.

    Slots and seasons stand in place of the city's; off, work and days go before the city's.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    units: Annotated[tuple[str, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Calendars:
    """`common` is the calendar of the city, which the citizen is told; `by_unit` those of the units with hours of their own."""

    common: WorkCalendar
    by_unit: Mapping[str, WorkCalendar] = field(default_factory=dict)

    def of(self, unit: str) -> WorkCalendar:
        """The calendar by which a unit works."""
        return self.by_unit.get(unit, self.common)

    def with_years(self, years: Iterable[Year]) -> "Calendars":
        """The same hours, with these notices in place of those that are known."""
        again = {id(each): WorkCalendar(each.tz, each.days.with_years(years)) for each in self.all()}
        return Calendars(
            again[id(self.common)],
            MappingProxyType({unit: again[id(each)] for unit, each in self.by_unit.items()}),
        )

    def all(self) -> tuple[WorkCalendar, ...]:
        """Every calendar once, the common one first."""
        return tuple({id(each): each for each in (self.common, *self.by_unit.values())}.values())


def work_days(section: CalendarSection, years: Iterable[Year], city: CalendarSection | None = None) -> WorkDays:
    """What a section says, a group's on top of that of the `city`. Raises BadSlots, ValueError for a day that is none."""
    exceptions, days = dict[date, bool](), dict[date, Slots]()
    for each in (city, section) if city else (section,):
        exceptions |= {**dict.fromkeys(each.off, False), **dict.fromkeys(each.work, True)}
        for day in (*each.off, *each.work):
            days.pop(day, None)
        days |= {day: _slots(slots) for day, slots in each.days.items()}
    seasons = tuple(Season(_month_day(s.first), _month_day(s.last), _slots(s.slots)) for s in section.seasons)
    return WorkDays(
        _slots(section.slots) or DEFAULT_SLOTS, exceptions, years, seasons, days, every_day=section.every_day
    )


def calendars(
    tz: ZoneInfo, city: CalendarSection, groups: Iterable[GroupSection], years: Iterable[Year], units: UnitTree
) -> Calendars:
    """All calendars. A unit in two groups keeps the hours of the one that names it or its nearest superior."""
    years, named = tuple(years), dict[str, WorkCalendar]()
    for group in groups:
        calendar = WorkCalendar(tz, work_days(group, years, city))
        named |= dict.fromkeys(group.units, calendar)
    by_unit = {
        unit.code: named[nearest]
        for unit in units
        if (nearest := next((each for each in units.path(unit.code) if each in named), None))
    }
    return Calendars(WorkCalendar(tz, work_days(city, years)), MappingProxyType(by_unit))


def _slots(slots: Iterable[str]) -> Slots:
    pairs = [slot.replace("24:00", "00:00").split("-") for slot in slots]
    return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in pairs)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
