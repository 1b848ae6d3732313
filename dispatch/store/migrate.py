"""Brings a database to the newest revision; one migrator at a time, safe under running replicas."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import asyncpg

from dispatch.store.statements import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

SQL = load(__file__, "store")
MIGRATIONS = files("dispatch.store") / "migrations"


async def migrate(url: str) -> None:
    """Upgrades the database at `url` (owner's rights) and makes the partitions of this and the next three months."""
    connection = await asyncpg.connect(url)
    try:
        if await _revision(connection) != newest():
            await _run(url)
        await connection.execute(SQL.make_partitions, datetime.now(UTC).date(), 3)
    finally:
        await connection.close()


def newest() -> str:
    """The newest revision; the files of revisions are named by number."""
    return max(file.name for file in (MIGRATIONS / "versions").iterdir() if file.name.endswith(".py")).partition("_")[0]


async def _revision(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    try:
        revision: str | None = await connection.fetchval(SQL.revision)
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def _run(url: str) -> None:
    # Alembic and SQLAlchemy take a third of all imports, and a start on a current database needs neither.
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: "Connection") -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import text

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda rev, _: script._upgrade_revs("head", rev)) as context:
        context.configure(connection=connection, target_metadata=None)
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('dispatch.migrate'))"))
            context.run_migrations()
