"""Runs a revision: one plain `.sql` file through the driver."""

from importlib.resources import files

from alembic import op
from sqlalchemy import text


def run(name: str) -> None:
    """Executes `sql/<name>.sql`, many statements at once, inside the migration's transaction."""
    script = (files("dispatch.store") / "migrations" / "sql" / f"{name}.sql").read_text("utf-8")
    bind = op.get_bind()
    bind.execute(text("SELECT 1"))  # opens the transaction, which the driver would otherwise not know of
    bind.connection.dbapi_connection.run_async(lambda driver: driver.execute(script))  # type: ignore[union-attr]
