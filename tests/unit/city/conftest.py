"""The demo city, whole and as copies to break."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from dispatch.city.files import CONFIG
from dispatch.city.model import City
from dispatch.city.read import read_city

DEMO = CONFIG / "city" / "demo"
# A day on which the dated rules of the demo city hold, and one table of them all.
DAY = date(2026, 12, 15)


@pytest.fixture(scope="session")
def demo() -> City:
    city, faults = read_city(DEMO, day=DAY)
    assert city is not None, "\n".join(map(str, faults))
    return city


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo city with its code tables; its cells are larger, which is quicker to cut."""
    copy = tmp_path / "city"
    shutil.copytree(DEMO, copy)
    for table in (CONFIG / "city" / "codes").glob("*.csv"):
        shutil.copy(table, copy)
    settings = copy / "city.toml"
    settings.write_text(settings.read_text("utf-8").replace("size_m = 150", "size_m = 900"), "utf-8")
    return copy
