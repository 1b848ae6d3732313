"""Which columns of a case, its tasks and its clocks are written, compared, and put on record.

The last event of every transaction says what was written with it (`wrote`), so that the tables can be made again from the events
alone (`dispatch.audit.rebuild`): of a new row everything, of one that was there what changed.

| not in events          | because                                                                                    |
|------------------------|--------------------------------------------------------------------------------------------|
| place, named object, whom it is about | they may say who called, or against whom; an event is never erased         |
| number, instant, seq, head            | they are the event's own                                                   |
| a clock's ladder, a task's reasons    | long; their digests are there                                              |
| attempts, when to act next            | how the loop is faring, no fact about the case                             |
"""

from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

import msgspec

from dispatch.domain.cases import Assignment, Case, Change, Deadline

CASE_COLUMNS = (
    "id", "case_no", "opened_at", "opened_month", "state", "round", "version", "seq", "head", "last_event_at", "kind", "category",
    "category_table", "kin", "urgency", "safety", "people", "restricted", "cell", "area", "lon", "lat", "tile", "city_version",
    "owner_unit", "lead_assignment_id", "about_unit", "next_due_at", "settled_at", "closed_at", "solved", "channel", "ending", "danger",
    "border", "source_ref", "object", "merged_into", "reminders", "reminded_at", "supervised_at",
)  # fmt: skip
# What an event alone moves: a call attached, a contact logged.
CASE_ADVANCED = ("id", "seq", "head", "last_event_at", "people", "reminders", "reminded_at", "supervised_at")
CASE_UPDATED = (
    "id", "state", "round", "version", "seq", "head", "last_event_at", "category", "category_table", "kin", "urgency", "safety",
    "people", "city_version", "owner_unit", "lead_assignment_id", "next_due_at", "settled_at", "closed_at", "solved", "cell", "area",
    "ending", "merged_into", "reminders", "reminded_at", "supervised_at", "restricted", "danger_codes",
)  # fmt: skip
ASSIGNMENT_COLUMNS = (
    "id", "case_id", "role", "unit", "state", "version", "round", "dispatched_at", "dispatched_by", "signed_at", "handler",
    "replied_at", "ended_at", "return_reason", "contact_attempts", "route", "parent_id", "return_locked", "interim", "called_by",
)  # fmt: skip
ASSIGNMENT_UPDATED = (
    "id",
    "unit",
    "state",
    "version",
    "signed_at",
    "handler",
    "replied_at",
    "ended_at",
    "return_reason",
    "contact_attempts",
    "return_locked",
    "interim",
)
DEADLINE_COLUMNS = (
    "case_id", "assignment_id", "clock", "round", "unit", "started_at", "due_at", "limit_text", "mode", "rule", "provisional",
    "status", "historic", "step", "next_at", "attempts", "stopped_at", "plan", "plan_provisional", "adjustments",
)  # fmt: skip
DEADLINE_UPDATED = (
    "id", "unit", "due_at", "status", "step", "next_at", "attempts", "stopped_at", "provisional", "plan", "limit_text", "mode", "rule",
    "plan_provisional", "adjustments",
)  # fmt: skip
# The values by which a held row is known to have changed; what did not change is not written.
decided = attrgetter(*(name for name in CASE_UPDATED if name not in CASE_ADVANCED))
tasked = attrgetter(*ASSIGNMENT_UPDATED)
clocked = attrgetter(*DEADLINE_UPDATED)

UNTOLD: Final = frozenset({
    "id", "case_no", "seq", "head", "last_event_at", "about_unit", "lon", "lat", "tile", "object", "case_id", "attempts", "next_at", "plan",
    "route", "danger_codes",
})  # fmt: skip
COUNTED: Final = ("people", "reminders", "reminded_at", "supervised_at")
DECIDED: Final = tuple(name for name in CASE_UPDATED if name not in CASE_ADVANCED)
_counted = attrgetter(*COUNTED)


def remember(change: Change) -> None:
    """Remembers what the database holds of the case now."""
    change.case.written, change.case.counted = decided(change.case), _counted(change.case)
    for assignment in change.assignments:
        assignment.written = tasked(assignment)
    for deadline in change.deadlines:
        deadline.written = clocked(deadline)


def wrote(change: Change) -> dict[str, Any]:
    """What this transaction writes of the case, its tasks by id, and its clocks by name, task and round."""
    case = change.case
    told: dict[str, Any] = {}
    if case.fresh:
        told["case"] = _whole(case, CASE_COLUMNS)
    elif changed := _of_case(case):
        told["case"] = changed
    tasks = [(task.id, row) for task in change.assignments if (row := _of_task(task))]
    clocks = [(*key_of(clock), row) for clock in change.deadlines if (row := _of_clock(clock))]
    return told | ({"tasks": tasks} if tasks else {}) | ({"clocks": clocks} if clocks else {})


def key_of(clock: Deadline) -> tuple[str, int | None, int]:
    """By what a clock of a case is known before the database gave it an id."""
    return clock.clock, clock.assignment_id, clock.round


@lru_cache(maxsize=4096)
def digest_of(document: str) -> str:
    """Of a JSON document, however it is laid out: sixteen figures."""
    return blake2b(msgspec.json.encode(msgspec.json.decode(document), order="sorted"), digest_size=8).hexdigest()


def _of_case(case: Case) -> dict[str, Any]:
    changed = _changed(case, DECIDED, case.written) | _changed(case, COUNTED, case.counted)
    if case.written is not None and case.danger_codes != case.written[DECIDED.index("danger_codes")]:
        changed["danger"] = case.danger
    return changed


def _of_task(task: Assignment) -> dict[str, Any]:
    if task.fresh:
        return _whole(task, ASSIGNMENT_COLUMNS) | {"reasons": digest_of(task.route)}
    return _changed(task, ASSIGNMENT_UPDATED, task.written)


def _of_clock(clock: Deadline) -> dict[str, Any]:
    if clock.written is None:
        return _whole(clock, DEADLINE_COLUMNS) | {"ladder": digest_of(clock.plan)}
    changed = _changed(clock, DEADLINE_UPDATED, clock.written)
    if clock.plan != clock.written[DEADLINE_UPDATED.index("plan")]:
        changed["ladder"] = digest_of(clock.plan)
    return changed


def _whole(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A new row without what is empty."""
    values = ((name, getattr(row, name)) for name in names if name not in UNTOLD)
    return {name: value for name, value in values if value not in (None, False, [], "", "{}")}


def _changed(row: Any, names: tuple[str, ...], before: tuple[Any, ...] | None) -> dict[str, Any]:
    assert before is not None
    return {
        name: value
        for name, was in zip(names, before, strict=True)
        if name not in UNTOLD and (value := getattr(row, name)) != was
    }
