"""What can go wrong with files: each class is one condition."""

import structlog

from dispatch.domain.errors import Unavailable

log = structlog.get_logger()


class BadStorage(Exception):
    """Where files are to be kept cannot be understood."""


class ContentMissing(Exception):
    """Nothing is kept under this key."""


class StorageAway(Unavailable):
    """{part} is not available now; try again in {retry_after} s."""

    def __init__(self) -> None:
        super().__init__(part="the file storage", retry_after=5)


def away(fault: Exception) -> StorageAway:
    """What callers are told; whoever runs the service finds the kind of fault in the log."""
    log.warning("files.storage_away", error=type(fault).__name__)
    return StorageAway()
