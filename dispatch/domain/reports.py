"""A report (诉求) as it arrives and the answer it gets: the wire contract, version 1.

A value of the wrong type or an unknown field refuses the report. Optional values that merely cannot be right (a swapped
coordinate, an unknown code, a time without offset) are typed loosely here: `intake.read` sets them aside and says so.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Kind = Literal["consult", "help", "complaint", "tipoff", "suggest", "praise", "other", "patrol", "sensor"]
KINDS: frozenset[str] = frozenset(Kind.__args__)  # type: ignore[attr-defined]
URGENCIES = ("ordinary", "urgent", "critical")
Outcome = Literal["opened", "attached", "linked", "reopened", "triage", "answered", "rejected", "quarantined"]
Verdict = Literal["repeat", "joined", "facet", "topic", "new"]

Channel = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9_.-]*$")]
ExternalId = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(max_length=64)]
Line = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(max_length=20_000)]
Attributes = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=500)] | int | float | bool],
    Meta(max_length=50),
]


class Location(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Where: degrees in the named coordinate system, an address in words, or a code of the city's areas."""

    lon: float | None = None
    lat: float | None = None
    crs: Code = "wgs84"
    address: Line | None = None
    area_code: Code | None = None


class Caller(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Who called; kept in the vault, never in events, logs or live messages."""

    name: Annotated[str, Meta(max_length=100)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    confidential: bool = False


class About(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Whom or what the report is about: a unit of the city (never handles its own case), a party, a named object."""

    unit: Code | None = None
    party: Line | None = None
    object: Line | None = None


class Report(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """One incoming call, message, patrol finding or alarm. Needs `text` or `category`."""

    channel: Channel
    external_id: ExternalId
    kind: Code | None = None
    title: Line | None = None
    text: Text | None = None
    category: Code | None = None
    category_table: Code | None = None
    urgency: Code | None = None
    occurred_at: Code | None = None
    attributes: Attributes | None = None
    attachments: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] | None = None
    location: Location | None = None
    caller: Caller | None = None
    about: About | None = None
    # With the permission report.relay or report.backfill only:
    received_at: Code | None = None
    due_at: Code | None = None
    assigned_unit: Code | None = None
    order_no: Line | None = None
    source_ref: dict[str, str] | None = None
    callback_required: bool | None = None
    call_id: Line | None = None


RELAYED = ("received_at", "due_at", "assigned_unit", "order_no", "source_ref", "callback_required", "call_id")


class Warned(Struct, frozen=True, omit_defaults=True):
    """A value that was set aside, and why."""

    field: str
    code: str
    message: str


class DeadlineView(Struct, frozen=True):
    """One clock of a case: its unit, start, due instant and limit."""

    deadline: str
    unit: str
    started_at: datetime
    due_at: datetime
    limit: str
    status: str
    provisional: bool = False


class MatchView(Struct, frozen=True):
    """What was found among earlier cases, with the reasons; `label` is what the words alone say: same, facet, topic or diff.

    `unsaid` is where the text of a report says what the case did not hold yet: from and up to a character.
    """

    verdict: str
    score: float
    suggested: bool
    case_no: str | None
    reasons: list[str]
    label: str | None = None
    unsaid: list[tuple[int, int]] = []


class AddressView(Struct, frozen=True):
    """Whether two addresses are the `same`, `partial` or `different`; `score` is the belief that they are the same."""

    verdict: str
    score: float
    version: str


class PlaceView(Struct, frozen=True):
    """A place that words may mean, in WGS-84 degrees: `confidence` is the chance that it lies within 300 m, `why` what it was found by."""

    name: str
    area: str
    lon: float
    lat: float
    confidence: float
    why: str


class RouteView(Struct, frozen=True):
    """Which rule chose the unit, and what was tried before it."""

    rule: str
    reasons: list[str]


class UnsuitedView(Struct, frozen=True, omit_defaults=True):
    """An ending that is suggested (不予受理建议), for a person to decide: its code in the city's table, legal basis and what is told.

    `reasons` are the words of the table, a small sum, or the earlier case beside which nothing is new. `said` is where the text
    of the report says so, `titled` where its title does: from and up to a character.
    """

    code: str
    name: str
    action: Literal["reject", "refer"]
    basis: str
    told: str
    reasons: list[str]
    said: list[tuple[int, int]] = []
    titled: list[tuple[int, int]] = []
    case_no: str | None = None


class Progress(Struct, frozen=True):
    """How far a matter is that was reported before, as of an instant: nothing internal, nothing personal."""

    state: str
    lead_unit: str | None
    since: datetime
    expected_by: datetime | None
    round: int
    as_of: datetime


class Answer(Struct, frozen=True, omit_defaults=True):
    """What the submitting side is told; the same again for the same report."""

    receipt_no: str
    track_code: str
    outcome: str
    case_no: str | None = None
    state: str | None = None
    category: str | None = None
    cell: str | None = None
    area: str | None = None
    lead_unit: str | None = None
    assist_units: list[str] = []
    priority: dict[str, Any] | None = None
    deadlines: list[DeadlineView] = []
    match: MatchView | None = None
    route: RouteView | None = None
    warnings: list[Warned] = []
    links: list[str] = []
    # Codes of what is dangerous in its words.
    danger: list[str] = []
    # Of a repeat: what the caller is told.
    progress: Progress | None = None
    # Endings that are suggested; a person decides.
    unsuited: list[UnsuitedView] = []
    existing: bool | UnsetType = UNSET
