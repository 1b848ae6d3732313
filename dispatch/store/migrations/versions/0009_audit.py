"""Daily signed checkpoints of all chains of events."""

from dispatch.store.migrations import revision as script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Makes the tables of checkpoints and their heads."""
    script.run("0009_audit")
