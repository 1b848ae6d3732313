"""Fixtures of tests that break things: durable servers and a service of the test's own."""

from pathlib import Path

import pytest

from tests.faults.service import Ground, embedded_ground


@pytest.fixture
def on_embedded(data_dir: Path) -> Ground:
    """Durable servers that run in the test's data folder, with the demo city."""
    return embedded_ground(data_dir)
