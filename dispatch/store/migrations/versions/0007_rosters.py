"""Duty rosters, leave and stand-ins; levels that demand a logged call."""

from dispatch.store.migrations import revision as script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the tables of the roster, the one rule of who is on duty, and the calls of a level."""
    script.run("0007_rosters")
