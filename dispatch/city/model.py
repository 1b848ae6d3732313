"""One version of a city: everything the service needs to know about it, immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from dispatch.city.calendars import Calendars
from dispatch.city.categories import Categories, Urgency
from dispatch.city.units import UnitTree
from gridmap.duty import DutyBook, DutyRule
from gridmap.index import GridMap
from sla.calendar import WorkCalendar
from sla.ladder import Ladder
from sla.policies import PolicyBook

Role = Literal[
    "operator",
    "dispatcher",
    "handler",
    "unit_head",
    "reviewer",
    "followup",
    "collector",
    "supervisor",
    "commander",
    "connector",
    "sysadmin",
    "secadmin",
    "auditor",
]
Share = Annotated[float, Meta(ge=0, le=1)]


class Desk(Struct, frozen=True):
    """The units that stand in.

    hotline (热线) and dispatch (派单) own what is not dispatched yet, fallback (兜底) leads what no rule routes,
    outside takes reports from places that are not in the city.
    """

    hotline: str
    dispatch: str
    fallback: str
    outside: str


class Automatic(Struct, frozen=True):
    """Which steps of intake run by themselves; a person does the others."""

    locate: bool
    classify: bool
    match: bool
    route: bool


class Matching(Struct, frozen=True):
    """Two reports are compared within `radius_m` metres and `days` days.

    A score from `attach` joins them, one from `suggest` is shown to a person.
    """

    radius_m: Annotated[float, Meta(gt=0)]
    days: Annotated[int, Meta(ge=1)]
    attach: Share
    suggest: Share


@dataclass(frozen=True, slots=True)
class SensorType:
    """One CloudEvents `type` that raises an alarm, and how.

    The state must last `min_duration_s` seconds, and after one alarm of a device the next waits `hold_off_s` seconds.
    `cleared_by` is the event type that ends it.
    """

    type: str
    name: str
    category: str
    min_duration_s: int
    hold_off_s: int
    cleared_by: str | None
    urgency: Urgency


class SensorTypes:
    """The event types of sensors; what is not listed is counted and ignored."""

    def __init__(self, types: Iterable[SensorType]) -> None:
        self.types: Mapping[str, SensorType] = MappingProxyType({each.type: each for each in types})
        self._cleared = {each.cleared_by: each for each in self.types.values() if each.cleared_by}

    def get(self, type_: str) -> SensorType | None:
        """The alarm that events of this type raise."""
        return self.types.get(type_)

    def cleared(self, type_: str) -> SensorType | None:
        """The alarm that events of this type end."""
        return self._cleared.get(type_)


@dataclass(frozen=True, slots=True)
class Device:
    """One sensor: the event type it sends and where it stands, WGS-84 degrees."""

    code: str
    name: str
    type: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account; its password is made when it is loaded."""

    username: str
    name: str
    role: Role
    unit: str


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """Why a unit may return (退单); some reasons oblige it to propose another unit."""

    code: str
    name: str
    proposes_unit: bool


@dataclass(frozen=True, slots=True)
class City:
    """One version of a city.

    `duty_rules` are what `duty` was made from. `devices` and `return_reasons` go by code, `successors` by
    (kind, code) with kind `unit` or `cell`: who takes over from what this version no longer has.
    """

    version: int
    name: str
    code: str
    tz: ZoneInfo
    units: UnitTree
    map: GridMap
    categories: Categories
    duty: DutyBook
    duty_rules: tuple[DutyRule, ...]
    policies: PolicyBook
    ladder: Ladder
    calendars: Calendars
    desk: Desk
    automatic: Automatic
    matching: Matching
    sensors: SensorTypes
    devices: Mapping[str, Device]
    demo_accounts: tuple[Account, ...]
    return_reasons: Mapping[str, ReturnReason]
    successors: Mapping[tuple[str, str], str]

    @property
    def calendar(self) -> WorkCalendar:
        """The calendar of the city, by which the clocks run that the citizen sees."""
        return self.calendars.common
