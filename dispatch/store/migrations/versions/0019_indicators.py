"""Figures of indicators, kept from events, and what is still to be counted."""

from dispatch.store.migrations import revision as script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Makes the tables of figures; every case that is there already is to be counted."""
    script.run("0019_indicators")
