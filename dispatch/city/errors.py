"""What can be wrong with a city. Each error's docstring is its message, its fields are data."""

from collections.abc import Sequence
from dataclasses import dataclass

from sla.errors import Fault


@dataclass(eq=False)
class CityError(Exception):
    """the city cannot be used"""

    def __str__(self) -> str:
        return (type(self).__doc__ or "").format(error=self)


@dataclass(eq=False)
class FaultyCity(CityError):
    """the city has {error.count} faults:
    {error.listing}"""

    faults: Sequence[Fault]

    @property
    def count(self) -> int:
        return len(self.faults)

    @property
    def listing(self) -> str:
        return "\n    ".join(map(str, self.faults))


@dataclass(eq=False)
class BrokenArchive(CityError):
    """the archive of the city cannot be read: {error.problem}"""

    problem: str


@dataclass(eq=False)
class UnknownUnit(CityError):
    """there is no unit {error.code!r}"""

    code: str


@dataclass(eq=False)
class UnknownCategory(CityError):
    """there is no category {error.code!r} in table {error.version!r}"""

    code: str
    version: str | None
