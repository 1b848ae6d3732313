"""Files in a folder of this machine, which only the service's account may enter."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from dispatch.files.errors import ContentMissing, away

AT_ONCE: Final = 1_000
# Also what a write is called until it is whole.
KEY: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}(\.[0-9a-f]{8}\.part)?")


class Folder:
    """A `Storage` in `root`: written to a name of its own, on disk, then renamed, so that a key has all of a content or none."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, content: bytes) -> None:
        try:
            await asyncio.to_thread(self._put, self._path(key), content)
        except OSError as fault:
            raise away(fault) from fault

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            raise ContentMissing(key) from None
        except OSError as fault:
            raise away(fault) from fault

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        except OSError as fault:
            raise away(fault) from fault

    async def kept(self) -> AsyncIterator[tuple[str, datetime]]:
        found = self._walk()
        try:
            while some := await asyncio.to_thread(_take, found):
                for each in some:
                    yield each
        except OSError as fault:
            raise away(fault) from fault

    def _path(self, key: str) -> Path:
        if KEY.fullmatch(key) is None:
            raise ValueError(f"{key!r} is no key of a file")
        return self._root / key

    def _put(self, path: Path, content: bytes) -> None:
        for folder in (self._root, path.parent):
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _settle(folder.parent)
        draft = path.with_name(f"{path.name}.{token_hex(4)}.part")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _settle(path.parent)

    def _walk(self) -> Iterator[tuple[str, datetime]]:
        for path in self._root.glob("??/*"):
            try:
                written = path.stat().st_mtime
            except FileNotFoundError:
                continue  # deleted while we look
            yield f"{path.parent.name}/{path.name}", datetime.fromtimestamp(written, UTC)


def _take(found: Iterator[tuple[str, datetime]]) -> list[tuple[str, datetime]]:
    return [each for each, _ in zip(found, range(AT_ONCE), strict=False)]


def _settle(folder: Path) -> None:
    """A name lasts once its folder is on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
