"""Whom an open task has in hand."""

from dispatch.store.migrations import revision as script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Makes the index of open tasks by their handler."""
    script.run("0020_at_hand")
