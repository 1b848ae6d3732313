"""Reports: taking one or many in, previewing, reading back, supplements."""

from typing import Any

import msgspec
from msgspec import Struct

from dispatch.api.call import Call, Reply, Route, body_reader
from dispatch.api.problems import problem_of
from dispatch.casework import supplements
from dispatch.casework.supplements import Supplement, Supplemented
from dispatch.desk.addresses import compared
from dispatch.desk.beside import beside
from dispatch.desk.incidents import Incident
from dispatch.desk.knowledge import Found
from dispatch.domain.errors import DispatchError, NotFound, TooLarge
from dispatch.domain.reports import AddressView, Answer, MatchView, PlaceView, Report, RouteView, UnsuitedView, Warned
from dispatch.insight import reports
from dispatch.insight.reports import Standing
from dispatch.intake.intake import Received
from dispatch.intake.match import new_in

MAX_LINES = 10_000


class ByKey(Struct, frozen=True, forbid_unknown_fields=True):
    """The sender's own key of a report."""

    channel: str
    external_id: str


class Line(Struct, frozen=True):
    """The fate of one line of a batch."""

    index: int
    status: int
    body: Any


class Preview(Struct, frozen=True):
    """What intake would make of a report: nothing is stored."""

    category: str | None
    cell: str | None
    area: str | None
    near_cells: list[str]
    match: MatchView
    route: RouteView
    lead_unit: str | None
    warnings: list[Warned]
    # Answers and incidents at hand; whether the number called before, for those who may look callers up.
    knowledge: list[Found] = []
    incidents: list[Incident] = []
    caller_known: bool | None = None
    # Words by which they say that they said it before.
    again: list[str] = []
    # What the words may mean, best first, where no point was given.
    places: list[PlaceView] = []
    # Categories that the model of subjects would name, with its confidence.
    suggestions: list[tuple[str, float]] = []
    # Endings that are suggested: it would wait for a person.
    unsuited: list[UnsuitedView] = []
    # How its address compares with that of the case it was matched with, where both have one.
    address: AddressView | None = None


class Progress(Struct, frozen=True):
    """A report as its sender sees it now."""

    receipt_no: str
    outcome: str
    case_no: str | None
    state: str | None
    public_state: str
    first_answer: Answer


async def submit(call: Call[Report, None]) -> Reply:
    received = await call.services.intake.submit(call.body, call.actor)
    return Reply(received.answer, received.status)


async def submit_batch(call: Call[None, None]) -> Reply:
    raw = await call.request.read()
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if len(lines) > MAX_LINES:
        raise TooLarge(field="lines", limit=MAX_LINES)
    fates = await call.services.intake.submit_all([_report(line) for line in lines], call.actor)
    body = b"".join(_line(index, fate, call.request_id) for index, fate in enumerate(fates))
    return Reply(body, headers={"Content-Type": "application/x-ndjson"})


_read_report = body_reader(Report)
_encoder = msgspec.json.Encoder()


def _report(line: bytes) -> Report | DispatchError:
    try:
        return _read_report(line)
    except DispatchError as refusal:
        return refusal


def _line(index: int, fate: Received | DispatchError, request_id: str) -> bytes:
    if isinstance(fate, DispatchError):
        status, problem = problem_of(fate, request_id)
        return _encoder.encode(Line(index, status, problem)) + b"\n"
    return _encoder.encode(Line(index, fate.status, msgspec.Raw(fate.answer))) + b"\n"


async def preview(call: Call[Report, None]) -> Reply:
    item, found, routed, suggested = await call.services.intake.preview(call.body, call.actor)
    case_no = found.candidate.case_no if found.candidate else None
    at_hand = await beside(call.services.workplace, item, call.actor)
    return Reply(
        Preview(
            item.category.code if item.category else None,
            item.place.cell,
            item.place.area,
            list(item.place.near),
            MatchView(
                found.verdict,
                found.score,
                found.suggested,
                case_no,
                list(found.reasons),
                found.label,
                new_in(item, found),
            ),
            routed.view,
            routed.lead,
            list(item.reading.warnings),
            at_hand.knowledge,
            at_hand.incidents,
            at_hand.caller_known,
            list(item.reading.again),
            item.place.views,
            list(item.classified.suggestions),
            suggested,
            await compared(call.services.workplace, item, found),
        )
    )


async def by_key(call: Call[None, ByKey]) -> Reply:
    query = call.query
    standing = await reports.by_key(call.services.pool, query.channel, query.external_id)
    return Reply(_progress(_theirs(standing, call, f"{query.channel}/{query.external_id}")))


async def by_receipt(call: Call[None, None]) -> Reply:
    receipt_no = call.params["receipt_no"]
    return Reply(_progress(_theirs(await reports.by_receipt(call.services.pool, receipt_no), call, receipt_no)))


def _theirs(standing: Standing | None, call: Call[Any, Any], key: str) -> Standing:
    """A machine reads back only what came through its own channels."""
    by = call.actor
    if standing is None or (by.kind == "key" and by.channels and standing.channel not in by.channels):
        raise NotFound(noun="report", key=key)
    return standing


def _progress(standing: Standing) -> Progress:
    first = msgspec.json.decode(standing.first_answer, type=Answer)
    return Progress(standing.receipt_no, first.outcome, standing.case_no, standing.state, standing.public_state, first)


async def supplement(call: Call[Supplement, None]) -> Reply:
    receipt_no = call.params["receipt_no"]
    _theirs(await reports.by_receipt(call.services.pool, receipt_no), call, receipt_no)
    added = await supplements.add(call.services.workplace, receipt_no, call.body, call.actor.name)
    call.services.changed()
    return Reply(added, 201)


V1 = "/api/v1"
ROUTES = [
    Route(
        "POST",
        f"{V1}/reports",
        submit,
        "Take in one report 登记诉求",
        "report.submit",
        body=Report,
        answer=Answer,
        statuses=(201, 200),
    ),
    Route(
        "POST",
        f"{V1}/reports/batch",
        submit_batch,
        "Take in many, one a line, answered in order 批量登记",
        "report.submit",
        body=Report,
        answer=Line,
        raw_body="application/x-ndjson",
    ),
    Route(
        "POST",
        f"{V1}/preview",
        preview,
        "What a report would become; stores nothing 预览",
        "preview.read",
        body=Report,
        answer=Preview,
    ),
    Route(
        "GET",
        f"{V1}/reports",
        by_key,
        "A report by the sender's own key 按来源查询",
        "report.read",
        query=ByKey,
        answer=Progress,
    ),
    Route(
        "GET",
        f"{V1}/reports/{{receipt_no}}",
        by_receipt,
        "A report by its receipt 按登记编号查询",
        "report.read",
        answer=Progress,
    ),
    Route(
        "POST",
        f"{V1}/reports/{{receipt_no}}/supplements",
        supplement,
        "Add to a report 补充",
        "report.supplement",
        body=Supplement,
        answer=Supplemented,
        statuses=(201,),
    ),
]
