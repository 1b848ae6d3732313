"""Deadlines that wait for the notice of a year."""

from dispatch.store.migrations import revision as script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Finds provisional deadlines without reading the others."""
    script.run("0005_provisional")
