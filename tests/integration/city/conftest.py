"""The demo city as a folder to change; its cells are larger, which is quicker to cut."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.city.archive import pack
from dispatch.city.files import CONFIG

CELL_M = "size_m = 900"


def copy_city(into: Path) -> Path:
    folder = into / "city"
    shutil.copytree(CONFIG / "city" / "demo", folder)
    for table in (CONFIG / "city" / "codes").glob("*.csv"):
        shutil.copy(table, folder)
    settings = folder / "city.toml"
    settings.write_text(settings.read_text("utf-8").replace("size_m = 150", CELL_M), "utf-8")
    return folder


@pytest.fixture(scope="session")
def old_city(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The archive that is in force before a change."""
    return pack(copy_city(tmp_path_factory.mktemp("old")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the same city, to be changed."""
    return copy_city(tmp_path)


Change = Callable[[str, str, str], None]


@pytest.fixture
def change(folder: Path) -> Change:
    """Replaces a text in a file of the folder; it must be there."""

    def replace(name: str, old: str, new: str) -> None:
        file = folder / name
        text = file.read_text("utf-8")
        assert old in text, (name, old)
        file.write_text(text.replace(old, new), "utf-8")

    return replace
