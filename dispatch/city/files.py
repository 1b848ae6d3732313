"""Where the files of a city come from: its folder, and the defaults beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

CONFIG: Final = Path(__file__).resolve().parents[2] / "config"


class Files:
    """The files of a city by name; remembers which were asked for and found, which is what an archive must hold."""

    def __init__(self, *places: Path | Mapping[str, bytes]) -> None:
        """The first place that has a file wins; a place is a folder or the files themselves."""
        self._places = places
        self.found: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """The bytes of a file, None where no place has it."""
        if name not in self.found:
            data = next((data for place in self._places if (data := _read(place, name)) is not None), None)
            if data is None:
                return None
            self.found[name] = data
        return self.found[name]


def folder_files(folder: Path, defaults: Path = CONFIG) -> Files:
    """A city's own files, then the shared code tables, then the default policies and ladder."""
    return Files(folder, defaults / "city" / "codes", defaults)


def _read(place: Path | Mapping[str, bytes], name: str) -> bytes | None:
    if isinstance(place, Mapping):
        return place.get(name)
    path = place / name
    return path.read_bytes() if path.is_file() else None
