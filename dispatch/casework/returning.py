"""Returns (退单): a unit says with a reason why it is not the one, and the case goes back to the desk.

| the return of a lead                                        | what follows                                             |
|-------------------------------------------------------------|----------------------------------------------------------|
| says that the place is a neighbour's, near that border      | none: it leads on (首接负责) until a supervisor rules     |
| is the last of so many (`casework.max_returns`)             | the case waits for a ruling                              |
| any other                                                   | the desk dispatches it anew, before the ruling's limit   |

Nothing of it moves the case clock. A task that a ruling bound, or that leads until there is one, is never returned.
"""

from dispatch.casework import clocks, disputes
from dispatch.casework.actions import Action, Turn
from dispatch.casework.handling import at_work, moved
from dispatch.casework.leading import at_desk, end_parts, end_tasks
from dispatch.casework.levels import HANDED_UP
from dispatch.city.model import ReturnReason
from dispatch.domain.cases import Assignment, Deadline
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import assignment_step, case_step
from dispatch.intake.open import view


def return_(turn: Turn) -> None:
    """退单: inside its window a unit gives its task back; a lead's case goes on at the dispatch desk, with its clock."""
    task = at_work(turn, "return")
    assignment_step(task.state, "return")
    reason = _reason(turn, task)
    _refuse_bound(turn, task)
    turn.say("reason")
    if task.role == "lead" and reason.border and _is_near_border(turn, task):
        _leads_on(turn, task, reason)
        return
    moved(turn, "return")
    at = turn.at
    task.ended_at, task.return_reason = at, reason.code
    for clock in turn.change.of_task(task):
        clock.stop(at, cancelled=clock.clock != "sign")
    turn.change.event(
        "returned", at, turn.by.name, assignment=task.id, unit=task.unit, role=task.role, reason=reason.code,
        proposed=turn.body.unit,
    )  # fmt: skip
    parent = turn.change.task(task.parent_id)
    told, roles = (parent.unit, ("handler", "unit_head")) if parent else (turn.city.desk.dispatch, ("dispatcher",))
    turn.change.post(told, roles, "returned", by_unit=task.unit, role=task.role)
    end_parts(turn.change, task, turn.at)
    if task.role == "lead":
        _back_to_desk(turn)


def _reason(turn: Turn, task: Assignment) -> ReturnReason:
    """The reason with all that it demands: another unit, evidence, words."""
    code, proposed = turn.needs("reason_code"), turn.body.unit
    reason = turn.city.return_reasons.get(code)
    if reason is None:
        raise BadInput(field="reason_code", problem=f"not one of {', '.join(sorted(turn.city.return_reasons))}")
    if reason.proposes_unit and not proposed:
        raise BadInput(field="unit", problem="this reason needs the unit that is responsible instead")
    if proposed is not None and (proposed not in turn.city.units or proposed == task.unit):
        raise BadInput(field="unit", problem=f"{proposed} is not another unit of this city")
    if reason.evidence and not turn.body.evidence:
        raise BadInput(field="evidence", problem="this reason must be shown: a picture, a document, a record")
    turn.needs("note")
    return reason


def _refuse_bound(turn: Turn, task: Assignment) -> None:
    """Raises RuleBroken for a task that cannot be returned, or not any more."""
    if task.role == "consult":
        raise RuleBroken(problem="an opinion is asked for: it is given, not returned", field="assignment")
    if task.return_locked:
        why = "it leads until it is ruled whose the case is" if task.interim else "a ruling bound it"
        raise RuleBroken(problem=f"{task.unit} cannot return this case: {why}", field="reason_code")
    until = clocks.window(turn.opened_under, turn.change.case, "return", task.unit, task.dispatched_at)
    if turn.at > until:
        shown = until.astimezone(turn.city.tz).isoformat(timespec="minutes")
        raise RuleBroken(problem=f"it could be returned until {shown}", field="reason_code")


def _is_near_border(turn: Turn, task: Assignment) -> bool:
    """Whether the place is so near an area that the unit does not answer for that the matter may be that one's."""
    units, areas = turn.city.units, turn.city.map.areas
    return any(task.unit not in units.answering(areas.path(a)) for a in turn.change.case.border if a in areas)


def _leads_on(turn: Turn, task: Assignment, reason: ReturnReason) -> None:
    """首接负责: near a border the unit that has it acts, and cannot give it away, until it is ruled."""
    change, at = turn.change, turn.at
    task.interim = task.return_locked = True
    task.version += 1
    change.case.version += 1
    started = _ruling(turn)
    change.event(
        "disputed", at, turn.by.name, assignment=task.id, unit=task.unit, reason=reason.code, proposed=turn.body.unit,
        border=change.case.border, interim=True, deadlines=[view(each) for each in started],
    )  # fmt: skip
    disputes.tell(change)


def _back_to_desk(turn: Turn) -> None:
    """Nobody leads the case now; of so many returns the last leads to a ruling."""
    change, case, city = turn.change, turn.change.case, turn.city
    # What was handed up the levels was no return: nobody said that it is not theirs.
    returns = sum(
        a.role == "lead" and a.state == "returned" and a.return_reason != HANDED_UP for a in change.assignments
    )
    to_ruling = returns >= city.casework.max_returns
    case.state = case_step(case.state, "return_to_ruling" if to_ruling else "return").target
    case.version += 1
    case.lead_assignment_id = None
    end_tasks(change, turn.at)
    at_desk(change, city)
    started = list(_ruling(turn))
    if not to_ruling:
        round = turn.next_round("dispatch")
        again = clocks.start(turn.opened_under, case, "dispatch", unit=city.desk.dispatch, at=turn.at, round=round)
        change.deadlines.append(again)
        started.append(again)
    change.event(
        "back_at_desk",
        turn.at,
        turn.by.name,
        owner=case.owner_unit,
        returns=returns,
        deadlines=[view(d) for d in started],
    )
    if to_ruling:
        disputes.tell(change)


def _ruling(turn: Turn) -> list[Deadline]:
    """The clock of the ruling, if none runs yet."""
    if turn.change.live("ruling"):
        return []
    desk, round = turn.city.desk.dispatch, turn.next_round("ruling")
    return [disputes.start_ruling(turn.change, turn.opened_under, unit=desk, at=turn.at, round=round)]


ACTIONS = {"return": Action("case.return", True, return_)}
