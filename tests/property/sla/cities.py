"""Calendars to count over, and limits that run on them: anywhere from 2004 to 2027, most often where something is the matter."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chinese_calendar import holidays, workdays  # type: ignore[import-untyped]
from hypothesis import strategies as st

from sla.calendar import Adjusted, Pause, WorkCalendar
from sla.limits import MODES, Limit, Mode
from sla.workdays import Season, Slots, WorkDays
from sla.years import Year
from tests.property.sla.slowly import Slowly, clock

FIRST, LAST = date(2004, 1, 1), date(2027, 12, 31)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALL_DAYS = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]

Spans = tuple[tuple[int, int], ...]

MIDNIGHT = time(0)
OFFICE: Slots = ((time(8), time(12)), (time(14), time(18)))
SUMMER: Slots = ((time(8), time(12)), (time(15), time(19)))
WINTER: Slots = ((time(9), time(17)),)
HALF: Slots = ((time(8), time(12)),)
# Slots that touch, one of a minute, one that begins within a minute.
UNEVEN: Slots = (
    (time(7, 15), time(7, 16)),
    (time(9), time(11)),
    (time(11), time(11, 45, 30)),
    (time(19), time(23, 59)),
)
NIGHT: Slots = ((time(0), time(6)), (time(22), MIDNIGHT))
ALL_DAY: Slots = ((MIDNIGHT, MIDNIGHT),)


def _of_each_year(*month_days: tuple[int, int]) -> list[date]:
    return [day for day in ALL_DAYS if (day.month, day.day) in month_days]


class City:
    """A work calendar, and the same counted slowly."""

    def __init__(self, name: str, zone: str, days: WorkDays) -> None:
        self.name, self.zone, self.days = name, ZoneInfo(zone), days

    def __repr__(self) -> str:
        return self.name

    @cached_property
    def calendar(self) -> WorkCalendar:
        return WorkCalendar(self.zone, self.days)

    @cached_property
    def slowly(self) -> Slowly:
        return Slowly(self.zone, self.days)

    @cached_property
    def notable(self) -> list[date]:
        """Days by which something changes: the year, the clocks, what is worked, in which slots; and leap days."""
        noons = [datetime.combine(day, time(12), self.zone).utcoffset() for day in ALL_DAYS]
        changes = [day for day, (one, other) in zip(ALL_DAYS[1:], pairwise(noons), strict=True) if one != other]
        weeks = [day for day in ALL_DAYS if day in holidays and day - DAY not in holidays and day + 2 * DAY in holidays]
        special = [day for day, _ in self.days.special if FIRST <= day <= LAST]
        seasons = _of_each_year(*(season.first for season in self.days.seasons))
        calm = [*_of_each_year((12, 31), (2, 29)), *weeks, *(day for day in workdays if day.weekday() > 4)]
        # Clock changes weigh as much as all the rest.
        several = 1 + len([*calm, *special, *seasons]) // (2 * len(changes)) if changes else 0
        return sorted([*calm, *special, *seasons, *changes * several])

    def instant(self, text: str) -> int:
        """The second of a wall time, or of one with its offset."""
        moment = datetime.fromisoformat(text)
        return second(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))


CITIES = (
    City("office", "Asia/Shanghai", WorkDays()),
    City("seasons", "Asia/Shanghai", WorkDays(
        seasons=[Season((6, 15), (9, 14), SUMMER), Season((11, 1), (2, 28), WINTER)])),
    City("half days", "Asia/Shanghai", WorkDays(
        UNEVEN, days={**dict.fromkeys(_of_each_year((12, 31), (2, 29), (10, 1)), HALF),
                      **dict.fromkeys(_of_each_year((9, 30)), SUMMER)})),
    City("nights", "Asia/Shanghai", WorkDays(NIGHT)),
    City("round the clock", "Asia/Shanghai", WorkDays(
        ALL_DAY, dict.fromkeys(_of_each_year((1, 1), (7, 1)), False), every_day=True)),
    # Weeks without any work, weekends that are worked, and a notice of the city's own.
    City("empty days", "Asia/Shanghai", WorkDays(
        OFFICE,
        {**dict.fromkeys(_of_each_year(*((3, n) for n in range(1, 15)), (12, 30), (12, 31)), False),
         **{day: True for day in ALL_DAYS if day.day == 28 and day.weekday() > 4}},
        [Year(2027, "https://www.gov.cn/", frozenset({date(2027, 1, 1), date(2027, 2, 8)}), frozenset({date(2027, 2, 20)}))])),
    City("New York", "America/New_York", WorkDays(((time(0), time(2, 30)), (time(3), time(5)), (time(22), MIDNIGHT)), every_day=True)),
    # In March the only slot ends before it begins: no work can be done on that day.
    City("swallowed", "America/New_York", WorkDays(((time(2, 30), time(3, 15)),), every_day=True)),
    City("Lord Howe", "Australia/Lord_Howe", WorkDays(
        ((time(1, 45), time(2, 15)), (time(2, 20), time(2, 35)), (time(9), time(12))), every_day=True)),
    City("London", "Europe/London", WorkDays(
        ((time(0, 30), time(1, 20)), (time(1, 45), time(2, 30)), (time(23), MIDNIGHT)), every_day=True)),
    # Clocks are changed at midnight: a day that begins at one, and one that begins twice.
    City("Havana", "America/Havana", WorkDays(((time(0), time(0, 40)), (time(8), time(12)), (time(23), MIDNIGHT)), every_day=True)),
)  # fmt: skip
BY_NAME = {city.name: city for city in CITIES}


def second(moment: datetime) -> int:
    """The whole second of an instant, which must have no fraction."""
    seconds, rest = divmod(moment - EPOCH, SECOND)
    assert not rest, moment
    return seconds


def utc(instant: int) -> datetime:
    """The instant as datetime. Compare in UTC only: a wall time that comes twice compares wrongly otherwise (PEP 495)."""
    return EPOCH + instant * SECOND


class Running(NamedTuple):
    """One limit on a calendar, since an instant, with what was approved for it."""

    city: City
    start: int
    limit: Limit
    mode: Mode
    extensions: tuple[Limit, ...]
    pauses: Spans

    @property
    def adjusted(self) -> Adjusted:
        return Adjusted(self.extensions, paused(self.pauses))

    @property
    def due(self) -> int:
        """As the calendar has it."""
        return second(self.city.calendar.due(utc(self.start), self.limit, self.mode, self.adjusted).at)

    @property
    def unpaused(self) -> int:
        """When the limit would be due without pauses."""
        return self._replace(pauses=()).due

    @property
    def expected(self) -> tuple[int, bool]:
        """When the limit is due by the slow count, and whether that is provisional."""
        return self.city.slowly.due(self.start, self.limit, self.mode, self.extensions, self.pauses)


def paused(pauses: Iterable[tuple[int, int]]) -> tuple[Pause, ...]:
    """Pauses as the calendar takes them."""
    return tuple((utc(opens), utc(closes)) for opens, closes in pauses)


cities = st.sampled_from(CITIES)
modes: st.SearchStrategy[Mode] = st.sampled_from(MODES)
working_limits = st.builds(Limit, st.integers(1, 12), st.sampled_from(["wh", "wd"]))
natural_limits = st.one_of(
    st.builds(Limit, st.integers(1, 2_000), st.just("min")),
    st.builds(Limit, st.integers(1, 72), st.just("h")),
    st.builds(Limit, st.integers(1, 15), st.just("d")),
)
limits = st.one_of(working_limits, working_limits, natural_limits)


@st.composite
def instants(draw: st.DrawFn, city: City) -> int:
    """Any second from 2004 to 2027, most often near a notable day, and near the edge of a slot."""
    near = st.builds(
        lambda day, by: min(max(day + by * DAY, FIRST), LAST), st.sampled_from(city.notable), st.integers(-3, 3)
    )
    day = draw(st.one_of(near, near, st.dates(FIRST, LAST)))
    begin, wall = clock(city.zone, day)
    edges = {edge for slot in city.days.slots(day) or OFFICE for edge in slot}
    marks = sorted(min(wall.size - 1, edge.hour * 3_600 + edge.minute * 60 + edge.second) for edge in edges)
    edge = st.builds(lambda mark, by: min(max(mark + by, 0), wall.size - 1), st.sampled_from(marks), st.integers(-1, 1))
    return begin + draw(st.one_of(edge, st.integers(0, wall.size - 1)))


_LENGTHS = st.one_of(
    st.integers(0, 2),
    st.integers(0, 7_200),
    st.integers(0, 12 * 24).map(lambda hours: hours * 3_600),
    st.integers(0, 700_000),
)


def pauses(start: int, due: int, least: int = 0, most: int = 6) -> st.SearchStrategy[Spans]:
    """Pauses of a limit: before it, in it, behind it, empty, nested, overlapping; or each beginning where one ends."""
    beginnings = st.one_of(
        st.integers(-2, 24 * (2 + (due - start) // 86_400)).map(lambda hours: start + hours * 3_600),
        st.integers(start - 100_000, start + 100_000),
        st.integers(start, due),
        st.integers(due - 100_000, due + 2),
        st.integers(-240, 240).map(lambda hours: due + hours * 3_600),
    )
    spans = st.lists(st.tuples(beginnings, _LENGTHS), min_size=least, max_size=most)
    apart = spans.map(lambda drawn: tuple((opens, opens + length) for opens, length in drawn))
    return st.one_of(apart, apart, spans.map(_chained))


def many(start: int, due: int) -> st.SearchStrategy[Spans]:
    """Up to 47 pauses, and never few."""
    return pauses(start, due, least=30, most=47)


def none(_start: int, _due: int) -> st.SearchStrategy[Spans]:
    """No pauses."""
    return st.just(())


def _chained(spans: list[tuple[int, int]]) -> Spans:
    edges = [spans[0][0]] if spans else []
    for _, length in spans:
        edges.append(edges[-1] + length)
    return tuple(pairwise(edges))


@st.composite
def running(
    draw: st.DrawFn,
    limits: st.SearchStrategy[Limit] = limits,
    extended: int = 2,
    standing: Callable[[int, int], st.SearchStrategy[Spans]] = pauses,
) -> Running:
    """A limit with up to `extended` extensions, and the pauses of `standing` for its start and its end without pauses."""
    city = draw(cities)
    start, limit, mode = draw(instants(city)), draw(limits), draw(modes)
    extensions = tuple(draw(st.lists(limits, max_size=extended))) if extended else ()
    due, _ = city.slowly.due(start, limit, mode, extensions)
    return Running(city, start, limit, mode, extensions, draw(standing(start, due)))
