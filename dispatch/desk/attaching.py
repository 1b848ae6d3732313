"""One key while a call lasts (一键关联): the call joins a case that stands already, with a receipt of its own.

Which case is the operator's word; whether a call may join it is decided by intake when it is taken in, on the held case.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from dispatch.casework.actions import Workplace
from dispatch.desk import incidents
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.domain.reports import Answer, Report
from dispatch.insight import cases as reading
from dispatch.insight import reports
from dispatch.intake.directive import Directive
from dispatch.intake.intake import Intake
from dispatch.people.principal import Principal


class Attaching(Struct, frozen=True, forbid_unknown_fields=True):
    """A call and what it is about: a case, or an incident whose master case it joins."""

    report: Report
    case_no: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    incident: Annotated[int, Meta(ge=1, le=2**62)] | None = None


class Attached(Struct, frozen=True):
    """The caller's receipt and code, the case that has the call, and what the operator says."""

    receipt_no: str
    track_code: str
    outcome: str
    case_no: str | None
    spoken: str | None


async def attach(at: Workplace, intake: Intake, call: Attaching, by: Principal) -> tuple[Attached, int]:
    """Takes the call in on that case; returns the answer and 201, or 200 for the same call again.

    Raises what `Intake.submit` raises, BadInput for a case that is not there, RuleBroken for one that no call can join.
    """
    if (call.case_no is None) == (call.incident is None):
        raise BadInput(field="case_no", problem="either a case or an incident is named")
    spoken = None
    if call.incident is not None:
        spoken = await _spoken(at, call, by)
        case_no = await incidents.master_of(at, call.incident)
    else:
        case_no = call.case_no or ""
    field = "case_no" if call.incident is None else "incident"
    try:
        case_id = int((await reading.find(at, by, case_no))["id"])
    except NotFound:
        raise BadInput(field=field, problem="there is no such case here") from None
    received = await intake.submit(call.report, by, Directive(joins=case_id))
    answer = msgspec.json.decode(received.answer, type=Answer)
    made = Attached(answer.receipt_no, answer.track_code, answer.outcome, answer.case_no, spoken)
    return made, received.status


async def _spoken(at: Workplace, call: Attaching, by: Principal) -> str:
    """What is said about the incident. One that is over takes no call any more; a call that was taken in gets its answer again."""
    assert call.incident is not None
    try:
        known = await incidents.one(at, by, call.incident)
    except NotFound:
        raise BadInput(field="incident", problem="there is no such incident") from None
    if known.closed_at is not None:
        before = await reports.by_key(at.pool, call.report.channel, call.report.external_id)
        if before is None:
            raise RuleBroken(problem="the incident is over", field="incident")
    return known.spoken
