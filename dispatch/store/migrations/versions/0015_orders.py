"""Reminders, orders with their receipts and answers, and notices that wait for a digest."""

from dispatch.store.migrations import revision as script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Makes the tables of supervision and the columns of digests."""
    script.run("0015_orders")
