"""Clocks that were adjusted, limits by channel."""

from dispatch.store.migrations import revision as script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Keeps with a clock what was approved for it, and with a case the channel it came by."""
    script.run("0006_adjusted_clocks")
