"""The demo city, read once."""

import pytest

from dispatch.city.model import City
from tests.harness.town import archive, unpacked


@pytest.fixture(scope="session")
def city() -> City:
    """The demo city as a service has it."""
    return unpacked(archive(), 1)
