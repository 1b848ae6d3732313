"""Clocks on closed cases, and words by whom they are for."""

from dispatch.store.migrations import revision as script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Widens two constraints."""
    script.run("0011_after_the_answer")
