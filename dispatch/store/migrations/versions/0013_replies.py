"""What units reply, and who signed it."""

from dispatch.store.migrations import revision as script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Adds the tables of replies and of their steps."""
    script.run("0013_replies")
