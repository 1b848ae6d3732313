"""Retention under a role of its own: what is past its period is erased, and by nobody else."""

from dispatch.store.migrations import revision as script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Makes the role, what it keeps on record, and what it alone may do."""
    script.run("0018_retention")
