"""What the desk, the dispatch desk and the units do until somebody is at work."""

from dispatch.store.migrations import revision as script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds to cases and tasks, and makes the tables of moves, rulings, site checks, knowledge and incidents."""
    script.run("0008_desk")
