"""Keys, reports, cases, assignments, deadlines, events, outbox."""

from dispatch.store.migrations import revision as script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables of the main job."""
    script.run("0001_core")
