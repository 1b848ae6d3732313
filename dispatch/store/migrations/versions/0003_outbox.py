"""The relay numbers messages as it sends them."""

from dispatch.store.migrations import revision as script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drops the position of a message: it is given on the way out and never stored."""
    script.run("0003_outbox")
