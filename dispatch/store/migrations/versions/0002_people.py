"""Accounts, sessions and keys of machines."""

from dispatch.store.migrations import revision as script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the tables of people."""
    script.run("0002_people")
