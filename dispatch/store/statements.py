"""Named SQL statements from a file beside the code that runs them."""

import logging
from pathlib import Path
from types import SimpleNamespace

import aiosql

# It wants its own marks behind names; the statements here are run by the driver as they stand.
logging.getLogger("aiosql").setLevel(logging.ERROR)


def load(module_file: str, name: str) -> SimpleNamespace:
    """Statements of `<name>.sql` beside `module_file`, each by its name as text with `$1` parameters."""
    queries = aiosql.from_path(Path(module_file).with_name(f"{name}.sql"), "asyncpg", mandatory_parameters=False)
    return SimpleNamespace(
        **{q: getattr(queries, q).sql for q in queries.available_queries if not q.endswith("_cursor")}
    )
