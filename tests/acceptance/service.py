"""A running service for acceptance: real servers, a city of the test's choice, an API key as a machine gets one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.harness.town import START, Town, archive, load_city, town

# What may change while nothing is taken in: which ticks ran, what the relay has handed on, what was signed and counted since.
NOT_COUNTED = frozenset({
    "outbox", "job_runs", "live_position", "checkpoints", "checkpoint_heads", "figures", "case_figures", "figures_due", "figures_upkeep",
})  # fmt: skip


def shared(config: pytest.Config, file: str) -> Path:
    """A file of measuring data beside the repository; the test is skipped where it is absent."""
    path = config.rootpath.parent / "shared" / "data" / file
    if not path.exists():
        pytest.skip(f"the measuring data {file} is not beside the project")
    return path


@asynccontextmanager
async def serving(database_url: str, redis_url: str, folder: Path | None = None) -> AsyncIterator[Town]:
    """A service with the city in `folder`, else the demo city."""
    if folder is not None:
        await load_city(database_url, archive(folder), START)
    async with town(database_url, redis_url, loaded=folder is not None) as made:
        yield made


async def key_of(at: Town, channel: str, role: str) -> str:
    """A new API key with one role, bound to one channel."""
    _, key = await at.services.people.keys.create("acceptance", channel, "hotline", [channel], [role])
    return key


def show(title: str, figures: Mapping[str, float]) -> None:
    """Prints measured figures as a table."""
    table = Table(title, "measured")
    for name, value in figures.items():
        table.add_row(name, f"{value:.4f}")
    Console(width=120).print(table)


async def counts(at: Town) -> Mapping[str, int]:
    """The rows of every table that has any, partitions under their own names; new months' partitions come by themselves."""
    tables = await at.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    names = [row["relname"] for row in tables if row["relname"] not in NOT_COUNTED]
    counted = {name: await at.value(f'SELECT count(*) FROM "{name}"') for name in names}
    return {name: rows for name, rows in counted.items() if rows}


async def accounted(at: Town, channel: str) -> tuple[int, int, int]:
    """Keys of a channel, those of them with an answer, and reports that have no key."""
    keys = await at.value("SELECT count(*) FROM report_keys WHERE channel = $1", channel)
    answered = await at.value("SELECT count(*) FROM report_keys WHERE channel = $1 AND answer IS NOT NULL", channel)
    strays = await at.value(
        "SELECT count(*) FROM reports r WHERE NOT EXISTS (SELECT FROM report_keys k WHERE k.receipt_no = r.receipt_no)"
    )
    return keys, answered, strays
