"""One version of a city: everything the service needs to know about it, immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from dispatch.city.calendars import Calendars, Slot
from dispatch.city.categories import Categories, Urgency
from dispatch.city.dangers import Dangers
from dispatch.city.emergencies import PEACE, Emergencies
from dispatch.city.endings import Ending, Signs
from dispatch.city.evidence import EvidenceBook
from dispatch.city.units import UnitTree
from gridmap.duty import DutyBook, DutyRule
from gridmap.gazetteer import Gazetteer
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
    outside takes reports from places that are not in the city, supervision (督查) decides appeals at the last step: the
    dispatch desk's own unit where a city names none.
    """

    hotline: str
    dispatch: str
    fallback: str
    outside: str
    supervision: str = ""


class Automatic(Struct, frozen=True):
    """Which steps of intake run by themselves; a person does the others.

    A category that was learned, not given, is applied where the model is so sure that it was right in a share of
    `classify_right` at least; below that it is suggested. `unsuited`: what seems to be no matter for a unit waits for a person.
    """

    locate: bool
    classify: bool
    match: bool
    route: bool
    classify_right: Share = 0.97
    unsuited: bool = True


AGAIN: Final = (
    "还没解决", "还未解决", "仍未解决", "没有解决", "一直没解决", "还没处理", "仍未处理", "无人处理", "没人处理", "再次反映", "再次投诉",
    "多次反映", "多次投诉", "上次反映", "之前反映", "前几天反映", "第二次", "第三次", "第四次", "又来反映", "催办", "催一下", "迟迟不", "至今没有",
    "至今未",
)  # fmt: skip


class Matching(Struct, frozen=True):
    """Two reports are compared within `radius_m` metres and `days` days.

    A score from `attach` joins them, one from `suggest` is shown to a person. A case that `alarm` people are on, and at each doubling, is
    told to the dispatch desk and the supervisors: so many may have been taken for one matter wrongly. Who writes one of the words in
    `again` speaks of what they said before.
    """

    radius_m: Annotated[float, Meta(gt=0)]
    days: Annotated[int, Meta(ge=1)]
    attach: Share
    suggest: Share
    alarm: Annotated[int, Meta(ge=2)] = 100
    again: tuple[str, ...] = AGAIN


class Locating(Struct, frozen=True):
    """Where words alone say where a report is: a place of the gazetteer counts from the chance `confidence` on that it is right
    within 300 m; what is likelier than `suggest` is shown to a person.
    """

    confidence: Share = 0.8
    suggest: Share = 0.1


class Casework(Struct, frozen=True):
    """How a city bounds what may be done with a case.

    Of `max_returns` returns the last goes to ruling (裁定). A caller is asked `max_asks` times for what is missing.
    `rejecters` are the roles that may refuse a matter (不予受理). Who looks at more than `max_reveals` numbers of callers within an
    hour (查看号码) raises an alarm.

    Follow-up (回访): people are called in `calling_hours` only; after `followup_attempts` in vain, each at another of these hours,
    they count as not reachable. Of ordinary matters the share `followup_share` is asked, of others all; a caller may evaluate
    up to `evaluation_days` days after the end. `waivers` are the codes by which a supervisor does without the visit before closing
    (核实). Beyond `reminders_per_hour` to one person, reminders wait for a digest. `posts` are the codes of those whose instructions
    (领导批示) may be entered; never names of people.
    `request_steps` are who decides, in order, what a handler asks for (挂账、延期): the dispatch desk, with the head of the unit
    before it where a city wants two steps.
    """

    max_returns: Annotated[int, Meta(ge=1, le=5)] = 2
    max_asks: Annotated[int, Meta(ge=1, le=5)] = 2
    rejecters: tuple[Literal["operator", "dispatcher", "supervisor"], ...] = ("operator", "dispatcher")
    calling_hours: tuple[Slot, ...] = ("08:30-12:00", "12:00-18:00", "18:00-21:00")
    followup_attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    followup_share: Share = 1.0
    evaluation_days: Annotated[int, Meta(ge=1, le=366)] = 30
    max_reveals: Annotated[int, Meta(ge=1, le=1000)] = 20
    waivers: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$")], ...] = (
        "seen_otherwise",
        "not_reachable",
        "result_wrong",
    )
    request_steps: tuple[Literal["unit_head", "dispatch"], ...] = ("dispatch",)
    reminders_per_hour: Annotated[int, Meta(ge=1, le=1000)] = 12
    posts: tuple[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{1,31}$")], ...] = (
        "mayor",
        "vice_mayor",
        "secretary_general",
        "district_head",
    )


class Indicators(Struct, frozen=True):
    """How a city assesses. What is counted when a case is looked at goes by the version the case stands under; `weight_*`,
    `basically_satisfied` and `period_starts` go by the version in force when a figure is read.

    A day goes from midnight to midnight, or from noon of the day before to noon; a period starts on a day of the month before, or on
    the first. `appeals` are the kinds that take a case out of a denominator, `unassessed_kinds` and `unassessed_channels` whose
    cases are in none. A visit within `repeat_visit_hours` of one to the same case is a repeated one.
    """

    weight_response: Share = 0.1
    weight_solved: Share = 0.5
    weight_satisfied: Share = 0.4
    basically_satisfied: Share = 0.9
    day_ends: Literal["midnight", "noon"] = "midnight"
    period_starts: Annotated[int, Meta(ge=1, le=28)] = 1
    appeals: tuple[Literal["lateness", "rating", "exclusion"], ...] = ("lateness", "rating", "exclusion")
    unassessed_kinds: tuple[str, ...] = ()
    unassessed_channels: tuple[str, ...] = ()
    repeat_visit_hours: Annotated[int, Meta(ge=1, le=720)] = 24


# Below what one request may carry (16 MiB).
Bytes = Annotated[int, Meta(ge=0, le=15 * 1024 * 1024)]


class FileRules(Struct, frozen=True):
    """Which files a case takes: the most bytes of each type, 0 where the type is not taken, and how many there may be."""

    max_per_case: Annotated[int, Meta(ge=1, le=1000)] = 60
    jpeg: Bytes = 10 * 1024 * 1024
    png: Bytes = 10 * 1024 * 1024
    webp: Bytes = 10 * 1024 * 1024
    pdf: Bytes = 15 * 1024 * 1024
    mp4: Bytes = 15 * 1024 * 1024

    @property
    def most(self) -> dict[str, int]:
        """The most bytes by type."""
        return {"jpeg": self.jpeg, "png": self.png, "webp": self.webp, "pdf": self.pdf, "mp4": self.mp4}


class Retention(Struct, frozen=True):
    """For how many months something is kept (留存期限); no city keeps it shorter than the least that stands here.

    `words` are those of cases that are over, and who called: a year at least, which is ours, so that the year's assessment can
    be argued about. `access_log` is who looked at personal data: six months at least (网络安全法 Art. 21(3)); what was handed to
    others stays three years whatever stands here (网络数据安全管理条例 Art. 12). `notices`, and the first answers to actions.
    """

    words: Annotated[int, Meta(ge=12, le=1200)] = 36
    access_log: Annotated[int, Meta(ge=6, le=1200)] = 36
    notices: Annotated[int, Meta(ge=1, le=1200)] = 12
    action_keys: Annotated[int, Meta(ge=1, le=1200)] = 1


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
    """Why a unit may return (退单); some reasons oblige it to propose another unit, some to show evidence.

    `border`: the reason says that the place is a neighbour's; near a border the first receiver leads on until it is ruled.
    """

    code: str
    name: str
    proposes_unit: bool
    evidence: bool = False
    border: bool = False


@dataclass(frozen=True, slots=True)
class UnsolvedReason:
    """Why a unit could not solve a matter, or not all of it (未解决原因); `en` is its name in English."""

    code: str
    name: str
    en: str


@dataclass(frozen=True, slots=True)
class SuspensionReason:
    """Why a case may stand still (挂账)."""

    code: str
    name: str
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class City:
    """One version of a city.

    `duty_rules` are what `duty` was made from. `devices`, `return_reasons`, `endings`, `unsolved` and `suspensions` go by code,
    `successors` by (kind, code) with kind `unit` or `cell`: who takes over from what this version no longer has. `signs` are what
    suggests an ending. `emergencies` are none of its files: they are in force today, whatever version.
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
    locating: Locating
    gazetteer: Gazetteer
    sensors: SensorTypes
    devices: Mapping[str, Device]
    demo_accounts: tuple[Account, ...]
    return_reasons: Mapping[str, ReturnReason]
    casework: Casework
    indicators: Indicators
    endings: Mapping[str, Ending]
    signs: Signs
    unsolved: Mapping[str, UnsolvedReason]
    retention: Retention
    suspensions: Mapping[str, SuspensionReason]
    dangers: Dangers
    evidence: EvidenceBook
    files: FileRules
    successors: Mapping[tuple[str, str], str]
    emergencies: Emergencies = PEACE

    @property
    def calendar(self) -> WorkCalendar:
        """The calendar of the city, by which the clocks run that the citizen sees."""
        return self.calendars.common
