"""From the reply to the end: approval (办结), what a superior is told, and closings of recorded history."""

from datetime import datetime
from hashlib import blake2b

from dispatch.casework import clocks, inspections
from dispatch.casework.actions import Action, Turn
from dispatch.city.model import City
from dispatch.domain.cases import Case, Change, Deadline
from dispatch.domain.errors import RuleBroken
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.intake.open import view


async def approve(turn: Turn) -> None:
    """办结: the case clock stops. A citizen who can be reached is asked; without one the case is closed."""
    change, case = turn.change, turn.change.case
    asked, owed = case_step(case.state, "approve"), case.source_ref is not None
    reachable = turn.reachable and followed_up(case, turn.city)
    given = next((d.due_at for d in change.live("close") if d.limit_text == "given" and d.due_at > turn.at), None)
    await inspections.guard(turn)
    case.state = (asked if reachable or owed else case_step(case.state, "approve_without_followup")).target
    case.version += 1
    case.settled_at = at = turn.at
    end_tasks(change, at)
    for clock in change.live(*clocks.CASE_CLOCKS):
        clock.stop(at)
    cancel_rest(change, at)
    change.event("approved", at, turn.by.name, round=case.round)
    if reachable or owed:
        _ask_and_tell(turn, at, asks=reachable, owed=owed, given=given)
    else:
        case.closed_at = at
        change.event("closed", at, turn.by.name, solved=None, round=case.round)


def followed_up(case: Case, city: City) -> bool:
    """Whether somebody asks the citizen: always about what was urgent, else for the share of matters that the city chose (抽样).

    Which ones is settled by the case's number, so that nobody picks them.
    """
    share = city.casework.followup_share
    drawn = int.from_bytes(blake2b(case.case_no.encode(), digest_size=4).digest()) / 2**32
    return case.urgency != "ordinary" or drawn < share


def _ask_and_tell(turn: Turn, at: datetime, *, asks: bool, owed: bool, given: datetime | None) -> None:
    """The citizen is asked, and a superior told the result, each with its clock, before the case is closed."""
    change, case, hotline = turn.change, turn.change.case, turn.city.desk.hotline
    case.owner_unit = hotline
    started = []
    if asks:
        started.append(clocks.start(turn.opened_under, case, "followup", unit=hotline, at=at))
    if owed:
        started.append(
            clocks.start(
                turn.opened_under,
                case,
                "report_back",
                unit=hotline,
                at=at,
                round=turn.next_round("report_back"),
                due_at=given,
            )
        )
    change.deadlines += started
    change.event("followup_set", at, turn.by.name, owner=hotline, deadlines=[view(each) for each in started])
    change.post(hotline, ("followup",), "followup")


def report_back(turn: Turn) -> None:
    """The result is told to the superior from whom the case came."""
    change = turn.change
    case_step(change.case.state, "report_back")
    waiting = change.live("report_back")
    if not waiting:
        raise RuleBroken(problem="no superior waits for a result of this case", field="note")
    turn.needs("note")
    turn.say("reply")
    for clock in waiting:
        clock.stop(turn.at)
    change.event("reported_back", turn.at, turn.by.name, round=change.case.round)


def settle(change: Change, at: datetime, now: datetime, by: str) -> None:
    """Backfill: the case was closed at `at`, long ago; every clock ends as it was met or missed then."""
    case = change.case
    case.state = case_step(case.state, "settle").target
    case.version += 1
    at = max(at, case.opened_at)
    case.settled_at = case.closed_at = at
    for task in change.assignments:
        if task.ended_at is None:
            task.state = assignment_step(task.state, "settle").target
            task.version += 1
            task.ended_at = at
    for clock in _ending_with(change):
        clock.stop(max(at, clock.started_at), cancelled=clock.clock == "review")
    change.event("settled", change.instant(now), by, at_source=at, round=case.round)


def end(change: Change, state: str, at: datetime, *, ending: str | None = None, elsewhere: bool = False) -> None:
    """The case is over without a unit's answer: its tasks are withdrawn; the case clock was met or missed, all others are cancelled.

    A case that goes on `elsewhere` kept no promise yet: its clock is cancelled too, but stays missed if it was.
    """
    case = change.case
    case.state, case.ending, case.settled_at = state, ending, at
    case.version += 1
    end_tasks(change, at)
    for clock in change.live(*clocks.CASE_CLOCKS):
        clock.stop(at, cancelled=elsewhere)
    cancel_rest(change, at)


def end_tasks(change: Change, at: datetime) -> None:
    """Tasks end with the case: answered ones are done, others withdrawn."""
    for task in change.assignments:
        if task.ended_at is None:
            step = assignment_step(task.state, "approve" if task.state == "replied" else "withdraw")
            task.state, task.ended_at = step.target, at
            task.version += 1


def cancel_rest(change: Change, at: datetime) -> None:
    """Everything else that ran for the case; an order or an appeal goes on until it is decided."""
    for clock in _ending_with(change):
        clock.stop(at, cancelled=True)


def _ending_with(change: Change) -> list[Deadline]:
    """Live clocks that end with the case."""
    return [clock for clock in change.live() if clock.clock not in clocks.OUTLASTING]


ACTIONS = {
    "approve": Action("case.approve", False, approve),
    "report_back": Action("case.close", False, report_back),
}
