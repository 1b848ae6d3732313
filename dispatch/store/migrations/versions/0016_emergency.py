"""Emergency mode: what is raised, by whom, until when, and how far the sweep is."""

from dispatch.store.migrations import revision as script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Makes the tables of emergencies and of the cases that each raised."""
    script.run("0016_emergency")
