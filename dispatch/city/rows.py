"""The rows of a city's CSV files, as they stand in the files: one type per file, its fields the columns.

A column whose field has a default may be left out or empty; a tuple is written as words with spaces between.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from dispatch.city.categories import Routes, Urgency
from dispatch.city.evidence import Need
from dispatch.city.model import Role
from dispatch.city.units import UnitKind

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$")]
# Words that are looked for in what people say: signs between them are none, and one character tells nothing about a matter.
Said = Annotated[str, Meta(max_length=40, pattern=r"^[^,;|、，；]+$")]
Telling = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[^,;|、，；]+$")]
Seconds = Annotated[int, Meta(ge=0)]


class UnitRow(Struct, frozen=True):
    code: Code
    name: Name
    level: Annotated[int, Meta(ge=1, le=5)]
    kind: UnitKind
    parent: str = ""
    area: str = ""
    signoff: str = ""


class CategoryRow(Struct, frozen=True):
    code: Code
    name: Name
    routes: Routes
    parent: str = ""
    kin: Word = ""
    urgency: Urgency = "ordinary"
    limit: str = ""
    flags: tuple[Literal["no_merge", "restricted"], ...] = ()
    as_current: str = ""


class DutyRow(Struct, frozen=True):
    rule: Code
    category: str
    lead: str
    area: str = ""
    condition: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    assists: tuple[str, ...] = ()


class SensorRow(Struct, frozen=True):
    type: Code
    name: Name
    category: str
    min_duration_s: Seconds
    hold_off_s: Seconds
    urgency: Urgency
    cleared_by: str = ""


class DeviceRow(Struct, frozen=True):
    code: Code
    name: Name
    type: str
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]


class GazetteerRow(Struct, frozen=True):
    name: Name
    area: str
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    address: str = ""
    aliases: str = ""


class AccountRow(Struct, frozen=True):
    username: Code
    name: Name
    role: Role
    unit: str


class ReturnRow(Struct, frozen=True):
    code: Code
    name: Name
    proposes_unit: Literal["yes", "no"]
    evidence: Literal["yes", "no"] = "no"
    border: Literal["yes", "no"] = "no"


class EndingRow(Struct, frozen=True):
    code: Code
    name: Name
    action: Literal["reject", "refer", "end"]
    basis: str = ""
    told: str = ""
    phone: str = ""
    words: tuple[Telling, ...] = ()
    unless: tuple[Said, ...] = ()
    under_yuan: Annotated[float, Meta(gt=0, le=100)] | None = None


class UnsolvedRow(Struct, frozen=True):
    code: Code
    name: Name
    en: Name


class SuspensionRow(Struct, frozen=True):
    code: Code
    name: Name
    name_en: str = ""


class DangerRow(Struct, frozen=True):
    code: Code
    name: Name
    words: tuple[str, ...]
    urgency: Urgency
    restricted: Literal["yes", "no"] = "no"
    safety: Literal["yes", "no"] = "yes"


class EvidenceRow(Struct, frozen=True):
    category: str
    needs: tuple[Need, ...]
    within_m: Annotated[int, Meta(ge=10, le=5000)] | None = None


class SuccessorRow(Struct, frozen=True):
    kind: Literal["unit", "cell"]
    code: str
    successor: str
