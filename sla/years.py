"""Years of the work calendar as their notices (放假安排) say them: days off, and weekends that are worked (调休)."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from sla.errors import YearFaults
from sla.rows import Row, read_rows

# Days off that the national rule fixes by the solar calendar since 2025; the lunar ones of a year are known from its notice only.
FIXED_DAYS_OFF: Final = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})

_FIELDS: Final = ("year", "notice", "off", "work")
_SATURDAY: Final = 5
_FIXED_SINCE: Final = 2025
_YEARS: Final = range(2004, 2101)


@dataclass(frozen=True, slots=True)
class Year:
    """One year; `notice` is the address of the notice that it was taken from."""

    year: int
    notice: str
    off: frozenset[date]
    work: frozenset[date]

    def is_workday(self, day: date) -> bool:
        """Whether a day of this year is worked."""
        return day in self.work or (day.weekday() < _SATURDAY and day not in self.off)


def parse_years(text: str, source: str) -> tuple[Year, ...]:
    """Read `[[year]]` rows (year, notice, off, work), in order of years; `source` is the file's name in faults.

    Raises YearFaults with every fault: a day of another year, one that is both off and worked, a worked day that is no
    weekend, a statutory day that is not off, a year named twice, no address of a notice.
    """
    rows, faults = read_rows(text, source, "year")
    years: dict[int, Year] = {}
    for row in rows:
        found = _year(row)
        if found is not None and years.setdefault(found.year, found) is not found:
            row.fault("year", f"{found.year} is named twice")
    if faults:
        raise YearFaults(tuple(sorted(faults, key=lambda fault: fault.line)))
    return tuple(years[number] for number in sorted(years))


def _year(row: Row) -> Year | None:
    row.only(_FIELDS)
    number, notice = row.number("year"), row.word("notice")
    off, work = row.dates("off"), row.dates("work")
    address = urlsplit(notice)
    if notice and (address.scheme not in ("http", "https") or not address.netloc):
        row.fault("notice", "must be the address of the notice, as in https://www.gov.cn/…")
    if number is not None and number not in _YEARS:
        row.fault("year", f"must be from {_YEARS[0]} to {_YEARS[-1]}")
    if number is None or not row.sound:
        return None
    for field, days in (("off", off), ("work", work)):
        for day in sorted(day for day in days if day.year != number):
            row.fault(field, f"{day} is not in {number}")
    for day in sorted(off & work):
        row.fault("work", f"{day} is off as well")
    for day in sorted(day for day in work if day.weekday() < _SATURDAY):
        row.fault("work", f"{day} is no weekend")
    fixed = {date(number, *month_and_day) for month_and_day in FIXED_DAYS_OFF} if number >= _FIXED_SINCE else set()
    for day in sorted(day for day in fixed - off if day.weekday() < _SATURDAY):
        row.fault("off", f"{day} is a statutory day off and is not named")
    return Year(number, notice, off, work) if row.sound else None
