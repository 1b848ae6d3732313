"""Where the bytes of files are kept, behind one small interface: a folder, or a bucket of an S3-compatible service."""

import os
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Protocol
from urllib.parse import unquote, urlsplit

from dispatch.files.errors import BadStorage


class Storage(Protocol):
    """Keeps bytes by key. All of it raises `StorageAway` where the place cannot be reached or refuses."""

    async def put(self, key: str, content: bytes) -> None:
        """Keeps the content, whole and lasting once this returns; what the key had before is replaced."""

    async def get(self, key: str) -> bytes:
        """The content. Raises `ContentMissing`."""

    async def delete(self, key: str) -> None:
        """Forgets a key; one that is not there is no error."""

    def kept(self) -> AsyncIterator[tuple[str, datetime]]:
        """Every key and when it was written, in no order; also what a write left that was cut off."""


def new_key() -> str:
    """A key that nobody can guess and that says nothing; its first two figures spread files over folders."""
    key = token_hex(16)
    return f"{key[:2]}/{key}"


def open_storage(url: str, environ: Mapping[str, str] = os.environ) -> Storage:
    """The storage of a URL: `file:///folder`, or `s3://bucket/prefix?endpoint=https://…&region=…`, whose keys are
    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment and never part of the URL. Raises `BadStorage`."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path not in ("", "/"):
        from dispatch.files.folder import Folder

        return Folder(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname and parts.username is None:
        from dispatch.files.bucket import bucket

        return bucket(parts, environ)
    raise BadStorage("neither file:///folder nor s3://bucket/prefix")
