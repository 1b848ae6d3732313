"""What an action is told and what it answers: one body for all, so that every action is asked for in the same way."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from dispatch.city.categories import Urgency

# How somebody can be asked: they are called, written to, visited, or call themselves.
Medium = Literal["phone", "message", "visit", "incoming"]


class ActionBody(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What an action is told; which fields it needs stands with the action."""

    assignment: int | None = None
    reason_code: Annotated[str, Meta(max_length=64)] | None = None
    note: Annotated[str, Meta(max_length=5000)] | None = None
    # Ids of files of the case.
    evidence: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = []
    unit: Annotated[str, Meta(max_length=64)] | None = None
    assists: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=10)] = []
    category: Annotated[str, Meta(max_length=64)] | None = None
    solved: bool | None = None
    reached: bool | None = None
    urgency: Urgency | None = None
    until: datetime | None = None
    limit: Annotated[str, Meta(max_length=20)] | None = None
    # Units that are consulted, called or given a part.
    units: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20)] = []
    # What the citizen was told, in the words they heard.
    told: Annotated[str, Meta(max_length=5000)] | None = None
    # An article of the knowledge base and the version that was read out.
    article: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    article_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    # Another case, one of the reports, a person of the unit.
    other: Annotated[str, Meta(max_length=64)] | None = None
    receipt_no: Annotated[str, Meta(max_length=64)] | None = None
    account: Annotated[str, Meta(max_length=64)] | None = None
    # Whom a call went to: a unit, an account or a channel of the city's endings; never a number.
    to: Annotated[str, Meta(max_length=64)] | None = None
    three_way: bool | None = None
    # What a unit asks for, and whether it gets it.
    request: Literal["suspend", "extend"] | None = None
    approve: bool | None = None
    # Follow-up: how the citizen was asked, whether what they said counts, and the five levels (好差评), 5 the best.
    medium: Medium | None = None
    valid: bool | None = None
    contacted: bool | None = None
    satisfied: Annotated[int, Meta(ge=1, le=5)] | None = None
    # The citizen accepts the explanation why it was not solved.
    accepted: bool | None = None
    # The form of a reply (答复): what was found, what came of it, and the words that the citizen gets.
    finding: Literal["founded", "partly_founded", "unfounded", "beyond_duty"] | None = None
    outcome: Literal["solved", "partly", "unsolved"] | None = None
    answer: Annotated[str, Meta(max_length=5000)] | None = None
    # How the citizen was contacted; what they are told, or the kind of an order; what a number is looked at for.
    how: Literal["phone", "visit", "message"] | None = None
    kind: Literal["progress", "question", "supervise", "listed", "instruction"] | None = None
    purpose: Literal["contact", "site_visit", "verify"] | None = None
    # Which order is meant, where a case has several; its colour, for whom it is entered, whether it needs an answer.
    order: Annotated[int, Meta(ge=1, le=2**62)] | None = None
    colour: Literal["blue", "orange", "red"] | None = None
    post: Annotated[str, Meta(max_length=32)] | None = None
    needs_reply: bool | None = None
    # What a unit appeals against: that it was late, how it was rated, that the case counts at all.
    appeal: Literal["lateness", "rating", "exclusion"] | None = None


class ShownCaller(Struct, frozen=True):
    """The one caller whose number was asked for."""

    receipt_no: str
    phone: str


class ActionAnswer(Struct, frozen=True, omit_defaults=True):
    """Where the case and the task stand after the action; the order it was about, whether a reminder was only counted; `caller` only
    after `reveal`.
    """

    case_no: str
    state: str
    version: int
    assignment: int | None
    assignment_version: int | None
    allowed_actions: list[str]
    caller: ShownCaller | None = None
    order: int | UnsetType = UNSET
    merged_into_previous: bool | UnsetType = UNSET
