"""Requests of units for suspension and extension, which somebody else decides."""

from dispatch.store.migrations import revision as script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the table of requests."""
    script.run("0010_requests")
