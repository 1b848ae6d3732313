"""What changed between two versions of a city."""

from datetime import date
from pathlib import Path

import pytest

from dispatch.city.diff import Change, Difference, difference
from dispatch.city.model import City
from dispatch.city.read import read_city

from .conftest import DAY

NONE = Change((), (), ())


@pytest.fixture
def before(folder: Path) -> City:
    return read(folder)


def read(folder: Path) -> City:
    city, faults = read_city(folder, day=DAY)
    assert city is not None, faults
    return city


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def kinds(found: Difference) -> set[str]:
    return {kind for kind in Difference.__slots__ if getattr(found, kind)}


def test_nothing_changed_is_no_difference(folder: Path, before: City) -> None:
    assert not difference(before, read(folder))


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "change"),
    [
        ("units.csv", "云川供水公司", "云川水务集团", "units", Change((), (), ("water-supply",))),
        ("subjects.csv", "S010105,", "S010199,", "categories", Change(("S010199@2026",), ("S010105@2026",), ())),
        ("events-2013.csv", "road,ordinary,5wd", "road,ordinary,4wd", "categories", Change((), (), ("E0113@2013",))),
        ("duty.csv", "R154,", "R954,", "duty", Change(("R954",), ("R154",), ())),
        ("sensors.csv", "E0502,0,600", "E0502,0,900", "sensors", Change((), (), ("city.gas.leak",))),
        ("devices.csv", "116.18646", "116.18645", "devices", Change((), (), ("MH-990101-001",))),
        ("gazetteer.csv", "116.1840", "116.1841", "gazetteer", Change((), (), ("梨园卫生服务站 梨园路27号",))),
        ("city.toml", "suggest = 0.1 ", "suggest = 0.2 ", "settings", Change((), (), ("locating",))),
        ("accounts.csv", "operator2,", "operator3,", "accounts", Change(("operator3",), ("operator2",), ())),
        ("returns.csv", "duplicate,", "seen_before,", "return_reasons", Change(("seen_before",), ("duplicate",), ())),
        ("units.csv", "unit_head;parent:unit_head", "unit_head", "units", Change((), (), ("labour-inspection",))),
        ("city.toml", "off = [] ", "off = [2026-11-20] ", "settings", Change((), (), ("calendar.days",))),
        ("city.toml", "classify = true", "classify = false", "settings", Change((), (), ("automatic",))),
        ("areas.geojson", "石桥巷社区", "石桥社区", "areas", Change((), (), ("990101001002",))),
    ],
)  # fmt: skip
def test_each_change_is_found_and_no_other(
    folder: Path, before: City, file: str, old: str, new: str, kind: str, change: Change
) -> None:
    edit(folder, file, old, new)
    found = difference(before, read(folder))
    assert getattr(found, kind) == change
    assert kinds(found) <= {kind, "cells"}


def test_policies_are_compared_without_their_lines(folder: Path, before: City) -> None:
    head = '[[policy]]\nid = "close"\nclock = "close"\nmode = "hours8"\n'
    (folder / "policies.toml").write_text(head + 'limit = "5wd"\n', "utf-8")
    five = read(folder)
    (folder / "policies.toml").write_text("# moved down\n" + head + 'limit = "5wd"\n', "utf-8")
    assert not difference(five, read(folder))
    (folder / "policies.toml").write_text(head + 'limit = "6wd"\n', "utf-8")
    assert difference(five, read(folder)).policies == Change((), (), ("close",))
    assert difference(before, five).policies.removed


def test_what_is_removed_without_successor_is_an_orphan(folder: Path, before: City) -> None:
    edit(folder, "units.csv", "c-990101001002,", "c-990101001902,")
    found = difference(before, read(folder))
    assert found.units == Change(("c-990101001902",), ("c-990101001002",), ())
    assert found.orphans(read(folder)) == (("unit", "c-990101001002"),)
    (folder / "successors.csv").write_text("kind,code,successor\nunit,c-990101001002,c-990101001902\n", "utf-8")
    assert found.orphans(read(folder)) == ()


def test_a_year_with_its_notice_is_found_and_counts(folder: Path, before: City) -> None:
    off = ", ".join(f'"2027-{day}"' for day in ("01-01", "05-01", "05-02", "10-01", "10-02", "10-03", "03-03"))
    year = f'[[year]]\nyear = 2027\nnotice = "https://www.gov.cn/invented"\noff = [{off}]\n'
    (folder / "holidays.toml").write_text(year, "utf-8")
    after = read(folder)
    assert difference(before, after).settings == Change((), (), ("calendar.years",))
    assert not after.calendar.days.is_workday(date(2027, 3, 3))
    (folder / "holidays.toml").write_text(year.replace("2027-03-03", "2026-03-03"), "utf-8")
    faults = read_city(folder)[1]
    assert [(each.file, each.line, each.field) for each in faults] == [("holidays.toml", 4, "off")]
