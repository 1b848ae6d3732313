"""Settings of a process, from the environment only; nothing secret has a default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the servers are and how this process listens.

    `database_url` is the service's (PgBouncer will do), `direct_url` one that can LISTEN; `redis_url` may be missing: then the
    service runs degraded, without live messages. `files_url` is where files are kept (`dispatch.files.storage`); without it
    none can be added.
    """

    database_url: str
    direct_url: str
    redis_url: str | None
    files_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    pool_size: int = 8
    log_level: str = "info"
    allow_private_webhooks: bool = False


def from_environment(
    environ: Mapping[str, str] = os.environ,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    files_url: str | None = None,
) -> Settings:
    """Settings by DISPATCH_DATABASE_URL, DISPATCH_DATABASE_DIRECT_URL, DISPATCH_REDIS_URL, DISPATCH_FILES_URL,
    DISPATCH_POOL_SIZE, DISPATCH_ALLOW_PRIVATE_WEBHOOKS; the arguments stand in for embedded servers. Raises KeyError naming what is missing."""
    url = environ.get("DISPATCH_DATABASE_URL") or database_url
    if url is None:
        raise KeyError("DISPATCH_DATABASE_URL")
    return Settings(
        database_url=url,
        direct_url=environ.get("DISPATCH_DATABASE_DIRECT_URL") or url,
        redis_url=environ.get("DISPATCH_REDIS_URL") or redis_url,
        files_url=environ.get("DISPATCH_FILES_URL") or files_url,
        pool_size=int(environ.get("DISPATCH_POOL_SIZE", "8")),
        allow_private_webhooks=environ.get("DISPATCH_ALLOW_PRIVATE_WEBHOOKS") == "1",
    )
