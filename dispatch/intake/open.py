"""Last step: what a decision becomes. Builds new cases and adds reports to existing ones; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec

from dispatch.casework import clocks, dangers
from dispatch.city.emergencies import Emergency, highest
from dispatch.city.model import City
from dispatch.city.units import UnitTree
from dispatch.domain import numbers
from dispatch.domain.cases import Assignment, Case, Change, Deadline, Words
from dispatch.domain.reports import DeadlineView, UnsuitedView
from dispatch.intake.candidates import Prepared
from dispatch.intake.locate import tile_of
from dispatch.intake.match import Match
from dispatch.intake.route import Route
from dispatch.store.pool import Ids
from sla.limits import Limit

INTAKE = "intake"


@dataclass(frozen=True, slots=True)
class Moment:
    """When: `now` is the present, `at` the instant by which everything about this report is judged (its receipt)."""

    now: datetime
    at: datetime
    backfill: bool

    @property
    def past_at(self) -> datetime | None:
        return self.now if self.backfill else None


@dataclass(slots=True)
class Taken:
    """A report that was taken in, with the numbers it got and what it became."""

    prepared: Prepared
    report_id: int
    receipt_no: str
    moment: Moment
    change: Change
    match: Match
    route: Route | None
    outcome: str
    unsuited: list[UnsuitedView] = field(default_factory=list)


def new_case(
    prepared: Prepared, route: Route, moment: Moment, city: City, ids: Ids, *, unsuited: Sequence[str] = ()
) -> Change:
    """A case of its own, dispatched to its unit or waiting at the dispatch desk, with its clocks.

    `unsuited` are the codes of the endings that are suggested for it.
    """
    reading, place, category = prepared.reading, prepared.place, prepared.category
    case_id = ids.take("case")
    opened_at = reading.received_at or moment.now
    case = Case(
        id=case_id,
        case_no=numbers.case_no(opened_at.astimezone(city.tz).date(), case_id),
        opened_at=opened_at,
        opened_month=date(moment.now.year, moment.now.month, 1),
        state="to_sign" if route.lead else "received" if prepared.directive.hold else "triage",
        kind=reading.kind,
        urgency=highest(urgency(prepared, city), *(each.urgency for each in covering(prepared, city))),
        city_version=city.version,
        last_event_at=moment.now,
        channel=reading.report.channel,
        category=category.code if category else None,
        category_table=category.table_version if category else None,
        kin=category.kin if category else "",
        safety=(category is not None and category.urgency == "critical") or dangers.unsafe(reading.danger, city),
        people=1 if reading.human else 0,
        restricted=prepared.restricted,
        cell=place.cell,
        area=place.area,
        lon=place.lon,
        lat=place.lat,
        tile=tile_of(place.lon, place.lat) if place.lon is not None and place.lat is not None else None,
        owner_unit=route.lead or (city.desk.hotline if prepared.directive.hold else city.desk.dispatch),
        about_unit=prepared.about,
        object=prepared.object,
        source_ref=msgspec.json.encode(reading.report.source_ref).decode() if reading.report.source_ref else None,
        border=sorted(city.map.areas_of(place.near) - {place.area}),
    )
    change = Change(case)
    change.deadlines = [
        clocks.start(city, case, "dispatch", unit=city.desk.dispatch, at=opened_at, past_at=moment.past_at),
        clocks.start(
            city,
            case,
            "close",
            unit=case.owner_unit or city.desk.dispatch,
            at=opened_at,
            past_at=moment.past_at,
            due_at=reading.due_at,
        ),
    ]
    _received(change, prepared, moment, [each.id for each in covering(prepared, city)], unsuited)
    if not moment.backfill:
        dangers.alert(change, reading.danger, INTAKE, moment.now, city)
    if route.lead:
        dispatch(change, route, INTAKE, moment, city, ids, reachable=reachable(prepared))
    _somebody_looks(change, moment, city)
    return change


def urgency(prepared: Prepared, city: City) -> str:
    """Without emergencies: what was said or what the category is, and never less than the danger in the words."""
    reading, category = prepared.reading, prepared.category
    said = reading.urgency or (category.urgency if category else "ordinary")
    words = [] if prepared.backfill else [city.dangers.by_code[code].urgency for code in reading.danger]
    return highest(said, *words)


def covering(prepared: Prepared, city: City) -> tuple[Emergency, ...]:
    """The emergencies under which a new case stands; recorded history (backfill) is judged as it was then."""
    category = prepared.category
    if category is None or prepared.backfill:
        return ()
    return city.emergencies.covering(category.code, category.table_version, prepared.place.area)


def _somebody_looks(change: Change, moment: Moment, city: City) -> None:
    """An open case whose clocks all ran out before it was recorded still has a live deadline: a review."""
    if not any(d.next_at for d in change.live()):
        unit = city.desk.dispatch
        change.deadlines.append(clocks.start(city, change.case, "review", unit=unit, at=moment.now, task=change.lead))


def _received(
    change: Change, prepared: Prepared, moment: Moment, emergencies: list[int], unsuited: Sequence[str]
) -> None:
    case = change.case
    change.event(
        "received",
        moment.now,
        prepared.by,
        channel=prepared.reading.report.channel,
        opened_at=case.opened_at,
        kind=case.kind,
        category=case.category,
        category_table=case.category_table,
        urgency=case.urgency,
        safety=case.safety,
        restricted=case.restricted,
        people=case.people,
        area=case.area,
        cell=case.cell,
        owner_unit=case.owner_unit,
        city_version=case.city_version,
        deadlines=[view(d) for d in change.deadlines],
        **({"emergencies": emergencies} if emergencies else {}),
        **({"unsuited": list(unsuited)} if unsuited else {}),
    )


def dispatch(
    change: Change, route: Route, by: str, moment: Moment, city: City, ids: Ids, *, reachable: bool,
    interim: bool = False,
) -> None:  # fmt: skip
    """Gives the case to its lead and assists; their clocks start, those of the desk stop, the case clock runs on.

    A ruling that runs goes on where the lead is `interim`.
    """
    case = change.case
    assert route.lead is not None
    explained = msgspec.json.encode(
        {"rule": route.rule, "tried": list(route.reasons), "city_version": city.version}
    ).decode()
    busy = {a.unit for a in change.assignments if a.ended_at is None}
    tasks = [
        Assignment(ids.take("assignment"), case.id, role, unit, "to_sign", case.round, moment.at, by, explained)
        for role, unit in (
            ("lead", route.lead),
            *(("assist", u) for u in route.assists if u not in {route.lead, *busy}),
        )
    ]
    change.assignments += tasks
    case.lead_assignment_id, case.owner_unit, case.state = tasks[0].id, route.lead, "to_sign"
    for deadline in change.live("dispatch", "review", "need_info", "verify", *(() if interim else ("ruling",))):
        deadline.stop(moment.at, cancelled=deadline.clock not in ("dispatch", "ruling"))
    for deadline in change.live(*clocks.CASE_CLOCKS):
        deadline.unit = route.lead
    started = [
        d
        for task in tasks
        for d in clocks.to_dispatch(city, case, task, at=moment.at, reachable=reachable, past_at=moment.past_at)
    ]
    change.deadlines += started
    change.event(
        "dispatched",
        change.instant(moment.now),
        by,
        rule=route.rule,
        lead=route.lead,
        interim=interim,
        assists=[t.unit for t in tasks[1:]],
        assignments=[t.id for t in tasks],
        deadlines=[view(d) for d in started],
    )


def reopen(
    change: Change, by: str, moment: Moment, city: City, ids: Ids, *, units: UnitTree, reachable: bool,
    clock: str = clocks.CASE_CLOCK, limit: Limit | None = None,
) -> None:  # fmt: skip
    """A closed case whose matter is not solved goes back to its last lead, in a new round whose limit is that of `clock`.

    One that never had a lead, or whose lead is not among today's `units` any more, goes to the dispatch desk. `city` is the
    one whose limits apply.
    """
    case = change.case
    last = next((a for a in reversed(change.assignments) if a.role == "lead"), None)
    if last is not None and last.unit not in units:
        last = case.lead_assignment_id = None
    case.round += 1
    case.version += 1
    case.closed_at = case.settled_at = case.solved = case.reminded_at = case.supervised_at = None
    case.reminders = 0
    if last is None:
        case.state, case.owner_unit = "triage", city.desk.dispatch
        change.deadlines.append(
            clocks.start(city, case, "dispatch", unit=city.desk.dispatch, at=moment.at, past_at=moment.past_at)
        )
    unit = last.unit if last else city.desk.dispatch
    own = clocks.start(city, case, clock, unit=unit, at=moment.at, past_at=moment.past_at, limit=limit)
    change.deadlines.append(own)
    change.event(
        "reopened",
        change.instant(moment.now),
        by,
        round=case.round,
        clock=clock,
        deadlines=[view(own)],
    )
    if last is not None:
        again = Route(last.unit, (), "reopened", (f"round {case.round}: the unit that handled it",))
        dispatch(change, again, by, moment, city, ids, reachable=reachable)
        assert change.lead is not None
        # What a ruling bound stays bound.
        change.lead.return_locked = last.return_locked
    _somebody_looks(change, moment, city)


def reachable(prepared: Prepared) -> bool:
    """Whether the citizen can be contacted; anonymous callers have no contact clock."""
    identity = prepared.reading.identity
    return prepared.reading.human and identity is not None and identity.phone is not None


def words(prepared: Prepared, report_id: int, receipt_no: str, text_id: int) -> Words:
    """What was said, as it is sealed: the raw words, where they name people, and what was set aside."""
    reading = prepared.reading
    report = reading.report
    document = {
        "receipt_no": receipt_no,
        "title": report.title,
        "text": report.text,
        "personal": [[s.start, s.end, s.kind] for s in reading.spans],
        "address": report.location.address if report.location else None,
        "attributes": report.attributes,
        "attachments": report.attachments,
        "party": report.about.party if report.about else None,
        "object": report.about.object if report.about else None,
        "relayed": {
            k: v
            for k in ("order_no", "source_ref", "call_id", "callback_required")
            if (v := getattr(report, k)) is not None
        },
        "set_aside": reading.set_aside,
    }
    return Words(text_id, "report", prepared.by, {k: v for k, v in document.items() if v}, report_id)


def view(deadline: Deadline) -> DeadlineView:
    """A deadline as answers and events show it."""
    return DeadlineView(
        deadline.clock,
        deadline.unit,
        deadline.started_at,
        deadline.due_at,
        deadline.limit_text,
        deadline.status,
        deadline.provisional,
    )
