"""What can go wrong in geography. Each error's docstring is its message, its fields are data."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(eq=False)
class GridMapError(Exception):
    """geography cannot answer"""

    def __str__(self) -> str:
        return (type(self).__doc__ or "").format(**vars(self))


@dataclass(eq=False)
class BadCode(GridMapError):
    """{code!r} is not a code of the form {expected}"""

    code: str
    expected: str


@dataclass(eq=False)
class BrokenAreas(GridMapError):
    """the areas do not form a tree: {faults}"""

    faults: Sequence[object]


@dataclass(eq=False)
class TooManyCells(GridMapError):
    """{prefix} needs {count} cells of {size_m} m, and a community can number only {limit}"""

    prefix: str
    count: int
    size_m: float
    limit: int


@dataclass(eq=False)
class BadSize(GridMapError):
    """a cell cannot be {size_m} m wide"""

    size_m: float


@dataclass(eq=False)
class BadBoundary(GridMapError):
    """the boundary of {prefix} cannot be cut: {detail}"""

    prefix: str
    detail: str


@dataclass(eq=False)
class BadCondition(GridMapError):
    """the condition {condition!r} is not of the form key=value"""

    condition: str


@dataclass(eq=False)
class UnknownArea(GridMapError):
    """no area has the code {code!r}"""

    code: str
