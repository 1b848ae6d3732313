"""Appeals of units against their assessment, and requests that are decided in two steps."""

from dispatch.store.migrations import revision as script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Makes the table of appeals and widens that of requests."""
    script.run("0017_appeals")
