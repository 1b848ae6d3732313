"""Matching finds open cases by place in the index alone."""

from dispatch.store.migrations import revision as script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Puts coordinates into the index over tiles."""
    script.run("0004_near")
