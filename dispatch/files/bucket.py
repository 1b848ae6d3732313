"""Files in a bucket of an S3-compatible service; requests are signed and tried again by obstore."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from dispatch.files.errors import BadStorage, ContentMissing, away

ID, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
REGION: Final = "us-east-1"


class Bucket:
    """A `Storage` under a prefix of a bucket; an object is there whole or not at all."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        try:
            await obstore.put_async(self._store, key, content)
        except BaseError as fault:
            raise away(fault) from fault

    async def get(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise ContentMissing(key) from None
        except BaseError as fault:
            raise away(fault) from fault

    async def delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as fault:
            raise away(fault) from fault

    async def kept(self) -> AsyncIterator[tuple[str, datetime]]:
        try:
            async for some in obstore.list(self._store):
                for each in some:
                    yield each["path"], each["last_modified"]
        except BaseError as fault:
            raise away(fault) from fault


def bucket(url: SplitResult, environ: Mapping[str, str]) -> Bucket:
    """The bucket that a URL names; without an endpoint it is one of Amazon's. Raises `BadStorage`."""
    options = dict(parse_qsl(url.query))
    endpoint, region = options.pop("endpoint", None), options.pop("region", REGION)
    if options:
        raise BadStorage(f"{', '.join(sorted(options))}: only endpoint and region are known")
    if missing := [name for name in (ID, SECRET) if not environ.get(name)]:
        raise BadStorage(f"{' and '.join(missing)} must be set for s3://")
    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        raise BadStorage("endpoint: not an http address")
    given = {"endpoint": endpoint, "session_token": environ.get(TOKEN)}
    store = S3Store(
        url.hostname,
        prefix=url.path.strip("/") or None,
        config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]
        region=region,
        access_key_id=environ[ID],
        secret_access_key=environ[SECRET],
        # Services in one's own house have no name for each bucket.
        virtual_hosted_style_request=endpoint is None,
        client_options={
            "allow_http": (endpoint or "").startswith("http://"),
            "timeout": "60s",
            "connect_timeout": "5s",
        },
    )
    return Bucket(store)
