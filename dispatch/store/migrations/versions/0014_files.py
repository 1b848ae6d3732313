"""Files of cases, and the visit before a case is closed."""

from dispatch.store.migrations import revision as script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Adds files and waivers, and a second kind of site check."""
    script.run("0014_files")
