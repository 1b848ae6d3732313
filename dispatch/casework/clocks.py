"""Starts the clocks of a case: limit from the policy of the case's city version, due instant from the work calendar."""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from dispatch.city.categories import Categories
from dispatch.city.model import City
from dispatch.domain.cases import Assignment, Case, Deadline
from dispatch.domain.errors import RuleBroken
from sla.calendar import WorkCalendar
from sla.ladder import Ladder
from sla.limits import Limit, Mode, parse_limit
from sla.policies import PolicyBook, PolicyLimit

# A due instant that a superior has set: shares of it run through.
RUN_THROUGH = Limit(1, "h")
WORKING_DAY = Limit(1, "wd")


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
) -> Deadline:
    """A clock of `case` that starts at `at`.

    `past_at` is the present while history is taken in: what was due before it is on record as missed, without escalation.
    `due_at` is a due instant that a superior has set. Raises RuleBroken where the city's policies forgot the clock.
    """
    policy = policy_of(city, case, clock, unit) if due_at is None else PolicyLimit(RUN_THROUGH, "hours8", "given")
    due_at, provisional, plan = _timetable(
        city.calendar, city.ladder, clock, case.urgency, policy.limit, policy.mode, at, due_at
    )
    deadline = Deadline(
        case_id=case.id,
        assignment_id=task.id if task else None,
        clock=clock,
        round=case.round if round is None else round,
        unit=unit,
        started_at=at,
        due_at=due_at,
        limit_text="given" if policy.rule == "given" else str(policy.limit),
        mode=policy.mode,
        rule=policy.rule,
        provisional=provisional,
        plan=plan,
    )
    if past_at is not None and due_at <= past_at:
        deadline.status, deadline.historic = "missed", True
    else:
        deadline.next_at = planned_at(deadline)
    return deadline


def move(city: City, case: Case, deadline: Deadline, due_at: datetime) -> None:
    """Gives a running deadline of known limit another due instant, with the ladder that leads to it."""
    limit = parse_limit(deadline.limit_text)
    _, _, plan = _timetable(
        city.calendar, city.ladder, deadline.clock, case.urgency, limit, deadline.mode, deadline.started_at, due_at
    )
    deadline.due_at, deadline.provisional, deadline.plan = due_at, False, _climbed(deadline, plan)
    deadline.next_at = planned_at(deadline)


def reread(city: City, case: Case, deadline: Deadline) -> bool:
    """After category or urgency changed: the limit that now applies to a running deadline, from its original start.

    A due instant that a superior has set stays. True if anything changed.
    """
    if deadline.status != "running" or deadline.limit_text == "given":
        return False
    policy = policy_of(city, case, deadline.clock, deadline.unit)
    due_at, provisional, plan = _timetable(
        city.calendar, city.ladder, deadline.clock, case.urgency, policy.limit, policy.mode, deadline.started_at, None
    )
    before = deadline.rule, deadline.limit_text, deadline.mode, deadline.due_at, deadline.plan
    deadline.rule, deadline.limit_text, deadline.mode = policy.rule, str(policy.limit), policy.mode
    deadline.due_at, deadline.provisional, deadline.plan = due_at, provisional, _climbed(deadline, plan)
    deadline.next_at = planned_at(deadline)
    return before != (deadline.rule, deadline.limit_text, deadline.mode, deadline.due_at, deadline.plan)


def _climbed(deadline: Deadline, plan: str) -> str:
    """A new ladder for a deadline that may have climbed its old one: steps that were taken stay, and no level comes twice."""
    if deadline.step == 0:
        return plan
    taken = deadline.ladder[: deadline.step]
    highest = max(step["level"] for step in taken)
    ahead = [step for step in msgspec.json.decode(plan) if step["level"] > highest]
    return msgspec.json.encode([*taken, *ahead]).decode()


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
) -> tuple[datetime, bool, str]:
    """Due instant, whether it is provisional, and the ladder as JSON: equal for all that starts at one moment under one limit."""
    provisional = False
    if due_at is None:
        due = calendar.due(at, limit, mode)
        due_at, provisional = due.at.astimezone(UTC), due.provisional
    steps = [
        {"level": p.step.level, "at": p.at.astimezone(UTC).isoformat(), "colour": p.step.colour, "who": p.step.who}
        for p in ladder.plan(clock, urgency, calendar, at, due_at, limit, mode)
    ]
    return due_at, provisional, msgspec.json.encode(steps).decode()


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


def policy_of(city: City, case: Case, clock: str, unit: str) -> PolicyLimit:
    """The limit of one clock of a case that `unit` must keep. Raises RuleBroken where the city's policies forgot the clock."""
    # Only what some row asks for, so that most cases share one look-up.
    named = city.policies.named
    area = city.map.areas.path(case.area) if "area" in named and case.area and case.area in city.map.areas else ()
    level = city.units.units[unit].level if "level" in named and unit in city.units else None
    found = _policy(
        city.policies, city.categories, clock, case.category, case.category_table, case.kind, case.urgency, area, level
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
        category_limit=categories.limit(category.code, category.table_version) if category else None,
    )
