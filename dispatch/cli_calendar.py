"""`dispatch calendar show`: which days of a year are worked, without a database."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click
from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatch.cli_sla import calendar_option, read_calendar
from sla.calendar import WorkCalendar
from sla.workdays import LAST_YEAR

MARKS: Final = {(True, True): ("班", "bold yellow"), (False, False): ("休", "red")}


@click.group("calendar")
def calendar() -> None:
    """The work calendar (工作日历)."""


@calendar.command()
@click.argument("year", type=click.IntRange(2004, LAST_YEAR), required=False)
@calendar_option
def show(year: int | None, years: Path | None) -> None:
    """Draw a YEAR, this one unless given: 休 off though no weekend, 班 a weekend that is worked.

    \b
    Examples:
        dispatch calendar show 2026
        dispatch calendar show 2027 --calendar holidays.toml
    """
    year = year or datetime.now(UTC).year
    drawn = read_calendar(ZoneInfo("Asia/Shanghai"), years)
    console = Console()
    console.print(Columns([_month(drawn, year, month) for month in range(1, 13)], padding=(1, 3)))
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    worked = sum(drawn.days.is_workday(day) for day in days if day.year == year)
    console.print(f"{year}: {worked} working days (工作日). {_origin(drawn, year)}", highlight=False)


def _month(calendar: WorkCalendar, year: int, month: int) -> Table:
    table = Table(title=f"{year}-{month:02}", box=None, padding=(0, 1, 0, 0), title_justify="left")
    for name in "一二三四五六日":
        table.add_column(name, justify="right", min_width=4)
    first = date(year, month, 1)
    week: list[Text] = [Text("")] * first.weekday()
    day = first
    while day.month == month:
        week.append(_day(calendar, day))
        day += timedelta(days=1)
        if len(week) == 7 or day.month != month:
            table.add_row(*week)
            week = []
    return table


def _day(calendar: WorkCalendar, day: date) -> Text:
    weekend, worked = day.weekday() > 4, calendar.days.is_workday(day)
    mark, style = MARKS.get((weekend, worked), ("", "" if worked else "dim"))
    return Text(f"{mark}{day.day}", style)


def _origin(calendar: WorkCalendar, year: int) -> str:
    own = next((each for each in calendar.days.years if each.year == year), None)
    if own is not None:
        return f"Notice (通知): {own.notice}"
    if year > calendar.days.last_published_year:
        return "No notice yet (尚未公布): weekends and the fixed statutory days only; what is due then is provisional (暂定)."
    return "As published by the State Council (国务院放假安排), from chinesecalendar."
