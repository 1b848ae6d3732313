"""Brings a database to the newest revision; one migrator at a time, safe under running replicas."""

from datetime import date
from importlib.resources import files

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dispatch.store.statements import load

SQL = load(__file__, "store")


async def migrate(url: str) -> None:
    """Upgrades the database at `url` (owner's rights) and makes the partitions of this and the next three months."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SQL.make_partitions, date.today(), 3)
    finally:
        await connection.close()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("dispatch.store") / "migrations"))
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda rev, _: script._upgrade_revs("head", rev)) as context:
        context.configure(connection=connection, target_metadata=None)
        with context.begin_transaction():
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('dispatch.migrate'))"))
            context.run_migrations()
