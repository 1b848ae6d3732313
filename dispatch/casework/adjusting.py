"""What stops and moves the clocks of a case at a unit (挂账、延期): at the request of the unit, or directed by a supervisor.

| action    | clocks of the case and its tasks                                                                  |
|-----------|---------------------------------------------------------------------------------------------------|
| `suspend` | stand still from now to the promised instant; `resume` ends then, and the case goes on by itself   |
| `resume`  | stand still no longer: what was left when the case was suspended is left now                       |
| `extend`  | the case clock and the lead's reply get one more limit at their end                                |

A due instant is computed as if the promise were kept, so that a case which resumes by itself needs no new one. What a
superior has set (`given`) is neither suspended nor extended here.

A desk that suspended of its own accord would decide what it asked: only a supervisor does, and the record says `directed`. A
suspension names its reason by code; what a citizen who can be reached is told of it is kept as `progress`.
"""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.city.model import City
from dispatch.domain.cases import Change, Deadline, Words
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import case_step
from sla.limits import Limit, parse_limit

# The unit's own clocks and that of the case; a request (申请) and an order run on.
FROZEN: Final = (*clocks.CASE_CLOCKS, "sign", "contact", "reply")
EXTENDED: Final = (clocks.CASE_CLOCK, "reply")
LONGEST: Final = timedelta(days=366)
MOST_EXTENSIONS: Final = 2


def suspend(turn: Turn, *, directed: bool = False) -> None:
    """Stops the clocks until `until`, at most a year ahead; why, and what the citizen is told, is kept with the case."""
    change, told = turn.change, turn.body.told
    target = case_step(change.case.state, "suspend").target
    turn.needs("note")
    until, why = promised(turn), reason(turn)
    if turn.reachable and not told:
        raise BadInput(field="told", problem="say what the citizen is told: why it waits, and until when")
    turn.say("reason")
    if told:
        change.words.append(Words(turn.ids.take("text"), "progress", turn.by.name, {"text": told}))
    at, lead = turn.at, change.lead
    assert lead is not None
    change.case.state = target
    change.case.version += 1
    change.event("suspended", at, turn.by.name, until=until, unit=lead.unit, reason_code=why, **_directed(directed))
    for waiting in change.live("approval"):  # what else was asked for lapses
        waiting.stop(at, cancelled=True)
    for deadline in _stoppable(change):
        kept = _kept(deadline)
        kept.setdefault("pauses", []).append([_text(at), _text(until)])
        _adjust(change, deadline, kept, turn.opened_under, turn.by.name, at)
    change.deadlines.append(
        clocks.start(
            turn.opened_under, change.case, "resume", unit=lead.unit, at=at, task=lead, round=turn.next_round("resume"), due_at=until
        )
    )  # fmt: skip


def promised(turn: Turn) -> datetime:
    """Until when the body asks that the case stand still. Raises BadInput."""
    until = turn.body.until
    if until is None or until.tzinfo is None:
        raise BadInput(field="until", problem="is required, with its offset")
    if not turn.at < until <= turn.at + LONGEST:
        raise BadInput(field="until", problem="must lie ahead, by a year at most")
    return until


def reason(turn: Turn) -> str:
    """Why the body asks for it: a code of the city's table. Raises BadInput."""
    code = turn.needs("reason_code")
    if code not in turn.city.suspensions:
        raise BadInput(field="reason_code", problem=f"not one of {', '.join(sorted(turn.city.suspensions))}")
    return code


def resume(turn: Turn) -> None:
    """Lets the clocks run on before the promised instant."""
    case_step(turn.change.case.state, "resume")
    turn.say("reason")
    _go_on(turn.change, turn.opened_under, turn.by.name, turn.at, turn.at)


def resume_due(change: Change, city: City, by: str, now: datetime) -> int:
    """Resumes a case whose promised instant has come: from that instant on, however late it is noticed. How many were."""
    due = [d for d in change.live("resume") if change.case.state == "suspended" and d.due_at <= now]
    for deadline in due:
        _go_on(change, city, by, change.instant(now), deadline.due_at)
    return len(due)


def extend(turn: Turn, *, directed: bool = False) -> None:
    """Adds `limit`, or what each clock was given at first, behind the due instant. Not once it is past, and twice at most."""
    change, at = turn.change, turn.at
    case_step(change.case.state, "extend")
    turn.needs("note")
    held, asked = extendable(turn)
    turn.say("reason")
    change.case.version += 1
    change.event("extended", at, turn.by.name, limit=str(asked) if asked else None, **_directed(directed))
    for deadline in held:
        kept = _kept(deadline)
        kept.setdefault("extensions", []).append(str(asked or deadline.limit_text))
        _adjust(change, deadline, kept, turn.opened_under, turn.by.name, at)


def extendable(turn: Turn) -> tuple[list[Deadline], Limit | None]:
    """The clocks that an extension moves, and the limit it adds, if one is named. Raises BadInput, RuleBroken."""
    change, at = turn.change, turn.at
    asked = clocks.named_limit(turn.body.limit)
    if change.live(clocks.RECTIFY):
        raise RuleBroken(problem="what has to be put right is not extended", field="limit")
    held = [d for d in _stoppable(change) if d.clock in EXTENDED and d.status == "running" and _of_lead(change, d)]
    if not held or any(d.due_at <= at for d in change.live(*EXTENDED) if _of_lead(change, d)):
        raise RuleBroken(problem="what is overdue, or was given by a superior, is not extended", field="limit")
    if asked and any(parse_limit(d.limit_text).natural != asked.natural for d in held):
        raise BadInput(field="limit", problem="must run as the limit that it extends: through, or in working time")
    if any(len(_kept(d).get("extensions", ())) >= MOST_EXTENSIONS for d in held):
        raise RuleBroken(problem=f"it was extended {MOST_EXTENSIONS} times already", field="limit")
    return held, asked


def _directed(directed: bool) -> dict[str, bool]:
    """Whether a supervisor did it without a request, as its event says it."""
    return {"directed": True} if directed else {}


def _go_on(change: Change, city: City, by: str, at: datetime, from_: datetime) -> None:
    change.case.state = case_step(change.case.state, "resume").target
    change.case.version += 1
    change.event("resumed", at, by, resumed_from=from_)
    assert change.lead is not None
    change.post(change.lead.unit, ("handler", "unit_head"), "resumed", resumed_from=from_)
    for waiting in change.live("resume"):
        waiting.stop(from_)
    for deadline in _stoppable(change):
        kept = _kept(deadline)
        pauses = kept.get("pauses", [])
        if pauses and datetime.fromisoformat(pauses[-1][1]) > from_:
            pauses[-1][1] = _text(from_)
            _adjust(change, deadline, kept, city, by, at)


def _adjust(change: Change, deadline: Deadline, kept: dict[str, list[Any]], city: City, by: str, at: datetime) -> None:
    before, deadline.adjustments = deadline.due_at, msgspec.json.encode(kept).decode()
    clocks.recount(city, change.case, deadline)
    if deadline.due_at != before:
        clocks.recomputed(change, deadline, before, by, at)


def _stoppable(change: Change) -> list[Deadline]:
    return [d for d in change.live(*FROZEN) if d.limit_text != "given" and not d.historic]


def _of_lead(change: Change, deadline: Deadline) -> bool:
    return deadline.assignment_id in (None, change.case.lead_assignment_id)


def _kept(deadline: Deadline) -> dict[str, list[Any]]:
    kept: dict[str, list[Any]] = msgspec.json.decode(deadline.adjustments)
    return kept


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


ACTIONS = {
    "suspend": Action("case.direct", False, partial(suspend, directed=True)),
    "resume": Action("case.adjust", False, resume),
    "extend": Action("case.direct", False, partial(extend, directed=True)),
}
