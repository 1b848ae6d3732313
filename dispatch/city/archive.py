"""One version of a city as bytes: a zip of its files as they are, the defaults it uses, and its cut cells.

The cells stand in `cells.bin`: MessagePack of [code, name, area, WKB], so that loading a version need not cut them
again.
"""

from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import msgspec
import shapely

from dispatch.city.draft import Draft
from dispatch.city.errors import BrokenArchive, FaultyCity
from dispatch.city.files import Files, folder_files
from dispatch.city.model import City
from dispatch.city.read import read_files
from gridmap.cells import Cell

CELLS_BIN: Final = "cells.bin"
# The same files must give the same bytes, so no entry has the time at which it was packed.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class _Packed(msgspec.Struct, array_like=True):
    code: str
    name: str
    area: str
    wkb: bytes


def pack(folder: Path, *, day: date | None = None) -> bytes:
    """The archive of the city in a folder, the same bytes for the same files; raises `FaultyCity`."""
    files = folder_files(folder)
    cells, city, faults = read_files(files, version=0, day=day)
    if city is None:
        raise FaultyCity(faults)
    shapes = shapely.to_wkb([cell.polygon for cell in cells], byte_order=1)
    packed = [_Packed(cell.code, cell.name, cell.area, wkb) for cell, wkb in zip(cells, shapes, strict=True)]
    entries = {**files.found, CELLS_BIN: msgspec.msgpack.encode(packed)}
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name in sorted(entries):
            info = ZipInfo(name, _EPOCH)
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, entries[name], compresslevel=6)
    return out.getvalue()


def unpack(data: bytes, version: int) -> City:
    """The city of an archive.

    Raises `BrokenArchive`, and `FaultyCity` for an archive packed under rules that no longer hold.
    """
    entries = _entries(data)
    try:
        packed = msgspec.msgpack.decode(entries[CELLS_BIN], type=list[_Packed])
    except (KeyError, msgspec.DecodeError) as error:
        raise BrokenArchive(f"{CELLS_BIN}: {error}") from error
    polygons = shapely.from_wkb([cell.wkb for cell in packed])
    cells = [Cell(each.code, each.name, each.area, shape) for each, shape in zip(packed, polygons, strict=True)]
    draft = Draft(Files(entries), kept=True)
    city = draft.city(version, cells)
    if city is None:
        raise FaultyCity(draft.faults)
    return city


def digest(data: bytes) -> str:
    """SHA-256 of what an archive holds, in hex, whatever the compressor; raises `BrokenArchive`."""
    entries = _entries(data)
    total = sha256()
    for name in sorted(entries):
        total.update(f"{name}\0{len(entries[name])}\0".encode() + entries[name])
    return total.hexdigest()


def _entries(data: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except BadZipFile as error:
        raise BrokenArchive(str(error)) from error
