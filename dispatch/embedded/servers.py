"""Both servers together: what the service starts with when it is given no server."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dispatch.embedded import folder, postgres, redis
from dispatch.embedded.errors import DataFolderBusy


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers answer. The database URL is the owner role's, with its password; no Redis means degraded."""

    database_url: str = field(repr=False)
    redis_url: str | None


def start(data_dir: Path, settings: Mapping[str, str] | None = None) -> Servers:
    """Start the servers of a data folder, or attach to those that run; `settings` override PostgreSQL's.

    Takes one to three seconds the first time. Raises `EmbeddedError`.
    """
    home = folder.make(data_dir)
    return Servers(postgres.start(home, settings or {}), redis.start(home))


def stop(data_dir: Path) -> None:
    """Stop the servers of a data folder, and return when none of their processes is left. Raises `EmbeddedError`."""
    if home := folder.find(data_dir):
        redis.stop(home)
        postgres.stop(home)


@asynccontextmanager
async def servers(data_dir: Path, *, keep: bool = False) -> AsyncIterator[Servers]:
    """The servers of a data folder for as long as the service runs; `keep` leaves them running for the next one.

    Raises `DataFolderBusy` while another service holds the folder, and the other kinds of `EmbeddedError`.
    """
    # Start and stop block the loop on purpose: nothing is served before and after, and a Ctrl-C in the middle
    # is then seen when the servers are in a known state.
    with folder.locked(data_dir):
        try:
            yield start(data_dir)
        finally:
            if not keep:
                stop(data_dir)


@contextmanager
def at_hand(data_dir: Path) -> Iterator[Servers]:
    """The servers of a data folder for one command: those that a service runs, else started for as long as it takes.

    Raises the kinds of `EmbeddedError`.
    """
    with ExitStack() as held:
        with suppress(DataFolderBusy):  # held by a service, which goes on with them
            held.enter_context(folder.locked(data_dir))
            held.callback(stop, data_dir)
        yield start(data_dir)
