"""Case runs kept by the database, and what repeats without words are judged by."""

from dispatch.store.migrations import revision as script

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Adds triggers, columns and an index; cases from before have no address to compare and count as having stood alone."""
    script.run("0023_signatures")
