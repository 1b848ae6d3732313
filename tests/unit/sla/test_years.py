"""Years of the work calendar as a city writes them down from their notice."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from sla.calendar import WorkCalendar
from sla.errors import YearFaults
from sla.limits import Limit
from sla.workdays import LAST_PUBLISHED_YEAR, WorkDays
from sla.years import parse_years

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEXT = LAST_PUBLISHED_YEAR + 1
STATUTORY = next(day for n in (1, 2, 3) if (day := date(NEXT, 10, n)).weekday() < 5)
# An invented notice: the real one says other days.
TEXT = f"""
[[year]]
year = {NEXT}
notice = "https://www.gov.cn/an-invented-notice"
off = [{NEXT}-01-01, "{NEXT}-02-08", "{NEXT}-02-09", "{NEXT}-05-01", "{NEXT}-05-02", "{NEXT}-10-01", "{NEXT}-10-02", "{NEXT}-10-03", "{NEXT}-10-04"]
work = ["{next(date(NEXT, 2, d) for d in range(13, 15) if date(NEXT, 2, d).weekday() > 4)}"]
"""


def test_a_year_of_the_file_is_published_and_its_days_count() -> None:
    (year,) = parse_years(TEXT, "holidays.toml")
    without, calendar = WorkCalendar(SHANGHAI), WorkCalendar(SHANGHAI, WorkDays(years=[year]))
    assert without.days.is_workday(date(NEXT, 2, 8)) != calendar.days.is_workday(date(NEXT, 2, 8))
    assert calendar.days.is_workday(min(year.work))
    start = datetime(NEXT, 2, 5, 17, tzinfo=SHANGHAI)
    before, after = without.due(start, Limit(2, "wd"), "day_end"), calendar.due(start, Limit(2, "wd"), "day_end")
    assert (before.provisional, after.provisional) == (True, False)
    assert after.at > before.at


def test_a_year_behind_one_that_is_not_published_stays_provisional() -> None:
    later = TEXT.replace(str(NEXT), str(NEXT + 1)).replace(f'work = ["{NEXT + 1}-02-1', '# ["')
    calendar = WorkCalendar(SHANGHAI, WorkDays(years=parse_years(later, "holidays.toml")))
    assert calendar.days.last_published_year == LAST_PUBLISHED_YEAR
    assert calendar.due(datetime(NEXT + 1, 3, 3, 9, tzinfo=SHANGHAI), Limit(1, "wd"), "hours8").provisional


def test_the_city_s_own_file_goes_before_the_library() -> None:
    text = TEXT.replace(str(NEXT), str(LAST_PUBLISHED_YEAR)).replace(f'work = ["{LAST_PUBLISHED_YEAR}-02-1', '# ["')
    calendar = WorkCalendar(SHANGHAI, WorkDays(years=parse_years(text, "holidays.toml")))
    assert not WorkCalendar(SHANGHAI).days.is_workday(date(LAST_PUBLISHED_YEAR, 10, 7))
    assert calendar.days.is_workday(date(LAST_PUBLISHED_YEAR, 10, 7))


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "problem"),
    [
        (f"{NEXT}-02-08", f"{NEXT + 1}-02-08", 5, "off", f"is not in {NEXT}"),
        (f'"{STATUTORY}", ', "", 5, "off", "statutory day off"),
        ("https://www.gov.cn/an-invented-notice", "国办发", 4, "notice", "address"),
        (f"{NEXT}-02-09", f"{NEXT}-02-08", 5, "off", "twice"),
        (f"{NEXT}-02-09", f"{NEXT}-02-31", 5, "off", "array of days"),
        ("work = [", f'work = ["{NEXT}-03-03", ', 6, "work", "no weekend"),
        (f"year = {NEXT}", "year = 1", 3, "year", "must be from"),
        ("notice =", "source =", 4, "source", "unknown field"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, line: int, field: str, problem: str) -> None:
    assert date(NEXT, 3, 3).weekday() < 5
    with pytest.raises(YearFaults) as refused:
        parse_years(TEXT.replace(old, new, 1), "holidays.toml")
    found = [(fault.line, fault.field) for fault in refused.value.faults if problem in fault.problem]
    assert found == [(line, field)], refused.value


def test_a_year_that_is_named_twice_is_refused() -> None:
    with pytest.raises(YearFaults, match="named twice"):
        parse_years(TEXT + TEXT, "holidays.toml")
