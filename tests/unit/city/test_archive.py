"""A city packed and unpacked is the same city, and the same files give the same bytes."""

import shutil
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from dispatch.city.archive import digest, pack, unpack
from dispatch.city.diff import difference
from dispatch.city.errors import BrokenArchive, FaultyCity
from dispatch.city.model import City

from .conftest import DAY, DEMO


@pytest.fixture(scope="module")
def packed() -> bytes:
    return pack(DEMO, day=DAY)


def test_what_comes_out_is_what_went_in(demo: City, packed: bytes) -> None:
    city = unpack(packed, 7)
    assert city.version == city.map.version == 7
    assert not difference(demo, city)
    assert city.successors == demo.successors
    assert city.map.cells == demo.map.cells


def test_the_same_files_give_the_same_bytes(packed: bytes, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(DEMO, elsewhere)
    assert pack(elsewhere, day=DAY) == packed


def test_the_archive_needs_nothing_beside_it(packed: bytes) -> None:
    with ZipFile(BytesIO(packed)) as archive:
        names = set(archive.namelist())
    assert {"city.toml", "events-2005.csv", "policies.toml", "ladder.toml", "cells.bin"} <= names


def test_the_digest_is_of_the_contents(packed: bytes, folder: Path) -> None:
    again = BytesIO()
    with ZipFile(BytesIO(packed)) as old, ZipFile(again, "w") as new:
        for name in reversed(old.namelist()):
            new.writestr(name, old.read(name))
    assert digest(again.getvalue()) == digest(packed)
    assert digest(pack(folder, day=DAY)) != digest(packed)


def test_a_faulty_city_is_not_packed(folder: Path) -> None:
    (folder / "units.csv").unlink()
    with pytest.raises(FaultyCity, match=r"units\.csv:1: file missing"):
        pack(folder, day=DAY)


def test_an_archive_from_before_there_were_reasons_takes_those_of_the_service(packed: bytes) -> None:
    older = BytesIO()
    with ZipFile(BytesIO(packed)) as old, ZipFile(older, "w") as new:
        for name in set(old.namelist()) - {"unsolved.csv"}:
            new.writestr(name, old.read(name))
    assert unpack(older.getvalue(), 1).unsolved == unpack(packed, 1).unsolved != {}


def test_a_damaged_archive_is_refused(packed: bytes) -> None:
    with pytest.raises(BrokenArchive):
        unpack(b"no zip", 1)
    without = BytesIO()
    with ZipFile(BytesIO(packed)) as old, ZipFile(without, "w") as new:
        for name in set(old.namelist()) - {"cells.bin"}:
            new.writestr(name, old.read(name))
    with pytest.raises(BrokenArchive, match=r"cells\.bin"):
        unpack(without.getvalue(), 1)
