"""Reads a city's folder, and says everything that is wrong with it at once."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, date, datetime
from pathlib import Path

from dispatch.city.checks import check
from dispatch.city.draft import Draft
from dispatch.city.files import Files, folder_files
from dispatch.city.model import City
from gridmap.cells import Cell
from sla.errors import Fault


def read_city(folder: Path, *, version: int = 0, day: date | None = None) -> tuple[City | None, list[Fault]]:
    """The city in a folder, or None and every fault, sorted by file and line.

    Policies, ladder and code tables that the folder does not have are the defaults. The duty book must answer for every
    category in every area on `day`, which is today in the city's time zone where it is not given.
    """
    _, city, faults = read_files(folder_files(folder), version=version, day=day)
    return city, faults


def read_files(files: Files, *, version: int, day: date | None) -> tuple[Sequence[Cell], City | None, list[Fault]]:
    """The cells, the city unless it is faulty, and its faults."""
    draft = Draft(files)
    cells = draft.cells()
    today = datetime.now(draft.calendars.common.tz if draft.calendars else UTC).date()
    draft.faults += list(check(draft, cells, day or today))
    return cells, draft.city(version, cells), sorted(draft.faults, key=astuple)
