"""What was learned from a city's history, and since when it serves."""

from dispatch.store.migrations import revision as script

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Makes the tables of models and of their service, and the index of returns."""
    script.run("0021_models")
