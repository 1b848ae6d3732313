"""What matching compares of a case's words, and the runs of characters by which the case is found again."""

from dispatch.store.migrations import revision as script

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Adds words and runs to signatures; cases from before are found by place, person and kind as they were."""
    script.run("0022_words")
