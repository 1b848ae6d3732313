"""What a busy intake does often, done with less."""

from dispatch.store.migrations import revision as script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Finds neighbours in the index alone, checks a case with one look, keeps the upkeep of the word index out of transactions."""
    script.run("0004_busy_intake")
