"""Hours of a city, of its seasons and single days, and of groups of units that keep others."""

import re
from datetime import date, time
from pathlib import Path

import pytest

from dispatch.city.files import CONFIG
from dispatch.city.model import City
from dispatch.city.read import read_city
from sla.errors import Fault

from .conftest import DAY

OFFICE = ((time(8), time(12)), (time(14), time(18)))


def city_of(folder: Path, text: str) -> tuple[City | None, list[Fault]]:
    """The city with other settings behind its own; what they say of `[calendar]` goes into that section."""
    settings = folder / "city.toml"
    old = settings.read_text("utf-8")
    inside, _, behind = text.partition("[[")
    settings.write_text(
        old.replace("work = []", f"work = []\n{inside}", 1) + (f"\n[[{behind}" if behind else ""), "utf-8"
    )
    return read_city(folder, day=DAY)


def test_the_example_of_the_guide_is_a_city(folder: Path) -> None:
    guide = (CONFIG / "city" / "README.md").read_text("utf-8")
    (example,) = [block for block in re.findall(r"```toml\n(.*?)```", guide, re.S) if "[[groups]]" in block]
    lines = [line for line in example.splitlines() if not line.startswith(("[calendar]", "slots =", "off ="))]
    # The slots of the section are those that the city has already; those of seasons and groups are kept.
    seasons = example[example.index("[[calendar.seasons]]") :]
    city, faults = city_of(folder, "\n".join(line for line in lines if line.startswith("days")) + "\n" + seasons)
    assert city is not None, faults
    days, desk = city.calendar.days, city.calendars.of("dispatch").days
    assert days.slots(date(2026, 12, 31)) == ((time(8), time(12)),)
    assert days.slots(date(2026, 7, 1))[1] == (time(15), time(19))
    assert days.slots(date(2026, 10, 15)) == OFFICE
    assert not days.slots(date(2026, 10, 1))
    assert desk.slots(date(2026, 10, 1)) == ((time(0), time(0)),)
    # What the city gives single days holds for a group too.
    assert desk.slots(date(2026, 12, 31)) == ((time(8), time(12)),)
    assert city.calendars.of("gas") is city.calendar


def test_units_below_a_unit_of_a_group_keep_its_hours_and_the_nearest_group_goes_before(folder: Path) -> None:
    group = '[[groups]]\nname = "{}"\nunits = ["{}"]\nslots = ["{}"]\n'
    city, faults = city_of(
        folder, group.format("区", "d-990101", "09:00-17:00") + group.format("街道", "s-990101001", "07:00-15:00")
    )
    assert city is not None, faults
    hours = {
        unit: city.calendars.of(unit).days.normal[0][0].hour for unit in ("d-990101", "s-990101002", "s-990101001")
    }
    assert hours == {"d-990101": 9, "s-990101002": 9, "s-990101001": 7}
    assert city.calendars.of("d-990102") is city.calendar
    (below,) = [unit.code for unit in city.units if unit.code == "c-990101001001"]
    assert city.calendars.of(below).days.normal[0][0].hour == 7


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ('[[groups]]\nname = "x"\nunits = ["nobody"]\n', "groups[0].units", "nobody is not a unit"),
        ('[[groups]]\nname = "x"\nunits = ["gas"]\n[[groups]]\nname = "y"\nunits = ["gas"]\n', "groups[1].units", "gas is in another group"),
        ('[[groups]]\nname = "x"\nunits = ["gas"]\nslots = ["09:00-08:00"]\n', "groups[0].slots", "must end after it starts"),
        ('[[groups]]\nname = "x"\n', "groups[0].units", "is missing"),
        ('[[groups]]\nname = "x"\nunits = ["gas"]\nslots = ["9-17"]\n', "groups[0].slots", "matching regex"),
        ('[[calendar.seasons]]\nfirst = "06-31"\nlast = "09-01"\nslots = ["08:00-12:00"]\n', "calendar.slots", "06-31 is no day"),
        ('days = { 2026-12-31 = [] }\n', "calendar.slots", "at least one"),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_are_told_with_their_place(folder: Path, text: str, field: str, problem: str) -> None:
    city, faults = city_of(folder, text)
    assert city is None
    assert any(each.file == "city.toml" and each.field == field and problem in each.problem for each in faults), faults
    assert all(each.line > 1 for each in faults if each.field == field)
