"""Starts the clocks of a case: limit from the policy of the case's city version, due instant from the work calendar."""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from dispatch.casework import climbing
from dispatch.casework.adjustments import EARLIEST, GIVEN, adjusted, earliest
from dispatch.city.categories import Categories
from dispatch.city.model import City
from dispatch.domain.cases import Assignment, Case, Change, Deadline
from dispatch.domain.errors import BadInput, RuleBroken
from sla.calendar import UNADJUSTED, Adjusted, WorkCalendar
from sla.errors import SlaError
from sla.ladder import Ladder
from sla.limits import Limit, Mode, parse_limit
from sla.policies import PolicyBook, PolicyLimit

# A due instant that a superior has set: shares of it run through.
RUN_THROUGH = Limit(1, "h")
WORKING_DAY = Limit(1, "wd")
CASE_CLOCK = "close"
# A round that begins with rework or a bad review has its own limit, beside or in place of the one from intake.
RECTIFY = "rectify"
CASE_CLOCKS = (CASE_CLOCK, RECTIFY)
# Clocks of orders (督办单) and appeals (考核申诉): no end of the case stops them, and an open case is not watched over by them alone.
OUTLASTING = ("order", "unread", "appeal")
# The rule of a limit that a person named.
NAMED = "named"


def start(
    city: City,
    case: Case,
    clock: str,
    *,
    unit: str,
    at: datetime,
    task: Assignment | None = None,
    round: int | None = None,
    past_at: datetime | None = None,
    due_at: datetime | None = None,
    limit: Limit | None = None,
) -> Deadline:
    """A clock of `case` that starts at `at`; `limit` is one that a person named.

    `past_at` is the present while history is taken in: what was due before it is on record as missed, without escalation.
    `due_at` is a due instant that a superior has set. Raises RuleBroken where the city's policies forgot the clock.
    """
    if due_at is not None:
        policy = PolicyLimit(RUN_THROUGH, "hours8", GIVEN)
    else:
        policy = policy_of(city, case, clock, unit) if past_at else limit_of(city, case, clock, unit, at)
    if limit is not None and due_at is None:
        policy = PolicyLimit(limit, policy.mode, NAMED)
    due_at, provisional, unsettled, plan = _timetable(
        calendar_of(city, clock, unit), city.ladder, clock, case.urgency, policy.limit, policy.mode, at, due_at
    )
    deadline = Deadline(
        case_id=case.id,
        assignment_id=task.id if task else None,
        clock=clock,
        round=case.round if round is None else round,
        unit=unit,
        started_at=at,
        due_at=due_at,
        limit_text=GIVEN if policy.rule == GIVEN else str(policy.limit),
        mode=policy.mode,
        rule=policy.rule,
        provisional=provisional,
        plan_provisional=unsettled,
        plan=plan,
    )
    if past_at is not None and due_at <= past_at:
        deadline.status, deadline.historic = "missed", True
    else:
        deadline.next_at = planned_at(deadline)
    return deadline


def within(city: City, case: Case, deadline: Deadline, due_at: datetime, at: datetime, because: str) -> None:
    """Holds a clock from `at` on to an instant by which it has to end, whatever its own limit; pauses move that instant too."""
    if due_at >= deadline.due_at:
        return
    kept = msgspec.json.decode(deadline.adjustments)
    if deadline.limit_text == GIVEN:
        kept.setdefault(GIVEN, deadline.due_at.isoformat())
    kept.setdefault(EARLIEST, []).append([because, due_at.isoformat(), at.isoformat()])
    deadline.adjustments = msgspec.json.encode(kept).decode()
    recount(city, case, deadline)


def released(city: City, case: Case, deadline: Deadline, because: str) -> None:
    """Takes back what `within` did for this reason."""
    kept = msgspec.json.decode(deadline.adjustments)
    if EARLIEST in kept:
        kept[EARLIEST] = [each for each in kept[EARLIEST] if each[0] != because]
        deadline.adjustments = msgspec.json.encode({name: value for name, value in kept.items() if value}).decode()
        recount(city, case, deadline)


def recount(city: City, case: Case, deadline: Deadline) -> bool:
    """Due instant and ladder of a live deadline anew, from its original start: by the calendar of today, with what was adjusted.

    A due instant that a superior has set stays unless it was held to an earlier one, and so does one that is missed. True if
    anything changed.
    """
    given = deadline.limit_text == GIVEN
    original = msgspec.json.decode(deadline.adjustments).get(GIVEN) if given else None
    if deadline.stopped_at is not None or deadline.historic or (given and original is None):
        return False
    calendar, limit = (
        calendar_of(city, deadline.clock, deadline.unit),
        RUN_THROUGH if given else parse_limit(deadline.limit_text),
    )
    cap = earliest(calendar, deadline.adjustments, natural=limit.natural)
    fixed = None if deadline.status == "running" else deadline.due_at
    if fixed is None and original is not None:
        fixed = min(filter(None, (datetime.fromisoformat(original), cap)))
    due_at, provisional, unsettled, plan = _timetable(
        calendar, city.ladder, deadline.clock, case.urgency, limit, deadline.mode, deadline.started_at, fixed,
        adjusted(deadline.adjustments), cap,
    )  # fmt: skip
    before = deadline.due_at, deadline.ladder, deadline.provisional, deadline.plan_provisional
    deadline.due_at, deadline.provisional, deadline.plan_provisional = due_at, provisional, unsettled
    deadline.plan = _climbed(deadline, plan)
    deadline.next_at = planned_at(deadline)
    return before != (deadline.due_at, deadline.ladder, deadline.provisional, deadline.plan_provisional)


def reread(city: City, case: Case, deadline: Deadline) -> bool:
    """After category, urgency or policies changed: the limit that now applies to a running deadline, from its original start.

    What was suspended stays suspended. A due instant that a superior has set stays; of what is missed only the levels ahead
    change. True if anything changed.
    """
    if deadline.limit_text == GIVEN:
        return False
    if deadline.status != "running" or deadline.rule == NAMED:
        return recount(city, case, deadline)
    policy = limit_of(city, case, deadline.clock, deadline.unit, deadline.started_at)
    before = deadline.rule, deadline.limit_text, deadline.mode
    deadline.rule, deadline.limit_text, deadline.mode = policy.rule, str(policy.limit), policy.mode
    return recount(city, case, deadline) or before != (deadline.rule, deadline.limit_text, deadline.mode)


def recomputed(change: Change, deadline: Deadline, before: datetime, by: str, at: datetime) -> None:
    """Puts on record that a clock has another limit or due instant now."""
    change.event(
        "deadline_recomputed", at, by, clock=deadline.clock, unit=deadline.unit, assignment=deadline.assignment_id,
        round=deadline.round, limit=deadline.limit_text, rule=deadline.rule, before=before, due_at=deadline.due_at,
    )  # fmt: skip


def calendar_of(city: City, clock: str, unit: str) -> WorkCalendar:
    """By which hours a clock runs: those of the case, which the citizen is told, by the city's, every other by its unit's."""
    return city.calendar if clock in CASE_CLOCKS else city.calendars.of(unit)


def _climbed(deadline: Deadline, plan: str) -> str:
    """A new ladder for a deadline that may have climbed its old one: steps that were taken stay, and no level comes twice."""
    if deadline.step == 0:
        return plan
    taken = deadline.ladder[: deadline.step]
    highest = max(step["level"] for step in taken)
    ahead = [step for step in msgspec.json.decode(plan) if step["level"] > highest]
    return msgspec.json.encode(climbing.pulled(deadline, [*taken, *ahead])).decode()


@lru_cache(maxsize=4096)
def _timetable(
    calendar: WorkCalendar,
    ladder: Ladder,
    clock: str,
    urgency: str,
    limit: Limit,
    mode: Mode,
    at: datetime,
    due_at: datetime | None,
    adjusted: Adjusted = UNADJUSTED,
    earliest: datetime | None = None,
) -> tuple[datetime, bool, bool, str]:
    """Due instant, whether it is provisional, whether its ladder is, and the ladder as JSON.

    Equal for all that starts at one moment under one limit, hence kept.
    """
    provisional = False
    if due_at is None:
        due = calendar.due(at, limit, mode, adjusted)
        due_at, provisional = due.at.astimezone(UTC), due.provisional
        if earliest is not None and earliest < due_at:
            due_at, provisional = earliest, False
    planned = ladder.plan(clock, urgency, calendar, at, due_at, limit, mode, adjusted.pauses)
    steps = msgspec.json.encode([climbing.frozen(each) for each in planned]).decode()
    return due_at, provisional, any(each.provisional for each in planned), steps


def planned_at(deadline: Deadline) -> datetime | None:
    """When a deadline acts next by its frozen ladder: the next step, but no later than the due instant while that is ahead.

    None where nothing is left. After a failed attempt `next_at` is later than this.
    """
    instants = _instants(deadline.plan)[deadline.step : deadline.step + 1]
    if deadline.status == "running":
        instants = (*instants, deadline.due_at)
    return min(instants, default=None)


@lru_cache(maxsize=4096)
def _instants(plan: str) -> tuple[datetime, ...]:
    """When each step of a frozen ladder is planned."""
    return tuple(datetime.fromisoformat(step["at"]) for step in msgspec.json.decode(plan))


def to_dispatch(
    city: City, case: Case, task: Assignment, *, at: datetime, reachable: bool, past_at: datetime | None = None
) -> list[Deadline]:
    """The clocks of a task that is dispatched at `at`: sign and reply, for a lead also contact with a reachable citizen."""
    clocks = ("sign", "reply", "contact") if task.role == "lead" and reachable else ("sign", "reply")
    return [start(city, case, clock, unit=task.unit, at=at, task=task, past_at=past_at) for clock in clocks]


def named_limit(text: str | None) -> Limit | None:
    """A limit that a person named; raises BadInput."""
    try:
        return parse_limit(text) if text else None
    except SlaError as error:
        raise BadInput(field="limit", problem=str(error)) from None


def window(city: City, case: Case, name: str, unit: str, at: datetime) -> datetime:
    """Until when something may be done that began at `at` (`sla.clocks.WINDOWS`), by the unit's own hours."""
    policy = policy_of(city, case, name, unit)
    return calendar_of(city, name, unit).due(at, policy.limit, policy.mode).at.astimezone(UTC)


def limit_of(city: City, case: Case, clock: str, unit: str, at: datetime) -> PolicyLimit:
    """The limit of a clock that starts at `at`: the policy's, or that of an emergency, whichever ends first.

    Raises RuleBroken where the city's policies forgot the clock.
    """
    policy = policy_of(city, case, clock, unit)
    emergencies = [
        PolicyLimit(each.limits[clock], policy.mode, each.rule)
        for each in city.emergencies.covering(case.category, case.category_table, case.area)
        if clock in each.limits
    ]
    if not emergencies:
        return policy
    calendar = calendar_of(city, clock, unit)
    return min((policy, *emergencies), key=lambda each: calendar.due(at, each.limit, each.mode).at.astimezone(UTC))


def policy_of(city: City, case: Case, clock: str, unit: str) -> PolicyLimit:
    """The limit of one clock of a case that `unit` must keep. Raises RuleBroken where the city's policies forgot the clock."""
    # Only what some row asks for, so that most cases share one look-up.
    named = city.policies.named
    channel = case.channel if "channel" in named else ""
    area = city.map.areas.path(case.area) if "area" in named and case.area and case.area in city.map.areas else ()
    level = city.units.units[unit].level if "level" in named and unit in city.units else None
    found = _policy(
        city.policies,
        city.categories,
        clock,
        case.category,
        case.category_table,
        case.kind,
        case.urgency,
        area,
        level,
        channel,
    )
    if found is None:
        raise RuleBroken(problem=f"no policy gives a limit for the clock {clock}")
    return found


@lru_cache(maxsize=16384)
def _policy(
    policies: PolicyBook,
    categories: Categories,
    clock: str,
    code: str | None,
    table: str | None,
    kind: str,
    urgency: str,
    area: tuple[str, ...],
    level: int | None,
    channel: str,
) -> PolicyLimit | None:
    """The limit of one clock for one kind of case: asked for every clock of every case."""
    category = categories.get(code, table) if code else None
    return policies.limit(
        clock,
        category=categories.path(category.code, category.table_version) if category else (),
        kind=kind,
        urgency=urgency,
        branch=category.branch if category else "subject",
        area=area,
        level=level,
        channel=channel,
        category_limit=categories.limit(category.code, category.table_version) if category else None,
    )
