"""What can be wrong with limits, calendars, policies and ladders."""

from dataclasses import dataclass
from inspect import cleandoc


class SlaError(Exception):
    """A limit, calendar, policy or ladder is wrong."""

    def __str__(self) -> str:
        return cleandoc(type(self).__doc__ or "").format(error=self)


@dataclass(eq=False)
class UnknownLimit(SlaError):
    """{error.text!r} is not a limit: write 30min, 24h, 7d, 4wh, 5wd, or a whole number with its Chinese unit"""

    text: str


@dataclass(eq=False)
class AmbiguousLimit(SlaError):
    """{error.text!r} can mean natural or working time: write h or wh, d or wd, or declare the table's dialect"""

    text: str


@dataclass(eq=False)
class BadSlots(SlaError):
    """Work slots {error.slots} are wrong: {error.problem}"""

    slots: str
    problem: str


@dataclass(eq=False)
class NaiveTime(SlaError):
    """{error.moment} has no time zone"""

    moment: str


@dataclass(eq=False)
class OutsideCalendar(SlaError):
    """The work calendar knows the years {error.first} to {error.last}; the calculation leaves them"""

    first: int
    last: int


@dataclass(eq=False)
class BadFraction(SlaError):
    """{error.fraction} is not a share of a limit: it must be above 0 and at most 1"""

    fraction: float


@dataclass(eq=False)
class BadPause(SlaError):
    """A pause from {error.opens} to {error.closes} ends before it begins"""

    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file; `line` counts from 1, `field` is empty where the whole row or file is meant."""

    file: str
    line: int
    field: str
    problem: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: {self.field}" if self.field else f"{self.file}:{self.line}"
        return f"{place}: {self.problem}"


@dataclass(eq=False)
class RowFaults(SlaError):
    """These rows cannot be used:
    {error.listing}"""

    faults: tuple[Fault, ...]

    @property
    def listing(self) -> str:
        return "\n".join(map(str, self.faults))


class PolicyFaults(RowFaults):
    """The policies cannot be used:
    {error.listing}"""


class LadderFaults(RowFaults):
    """The ladder cannot be used:
    {error.listing}"""


class YearFaults(RowFaults):
    """The years of the work calendar cannot be used:
    {error.listing}"""
