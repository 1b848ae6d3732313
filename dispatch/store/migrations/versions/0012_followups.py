"""Follow-ups: tries and results."""

from dispatch.store.migrations import revision as script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Makes the table of follow-ups."""
    script.run("0012_followups")
