"""Returns (退单): a unit says with a reason why it is not the one, and the case goes back to the desk."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.casework.handling import moved
from dispatch.casework.leading import at_desk, end_tasks
from dispatch.domain.errors import BadInput
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view


def return_(turn: Turn) -> None:
    """退单: the unit says with a reason why it is not the one; a lead's case goes back to the dispatch desk, its clock runs on."""
    task = moved(turn, "return")
    reason = turn.needs("reason_code")
    if reason not in turn.city.return_reasons:
        raise BadInput(field="reason_code", problem=f"not one of {', '.join(sorted(turn.city.return_reasons))}")
    if turn.city.return_reasons[reason].proposes_unit and not turn.body.unit:
        raise BadInput(field="unit", problem="this reason needs the unit that is responsible instead")
    if turn.body.unit is not None and (turn.body.unit not in turn.city.units or turn.body.unit == task.unit):
        raise BadInput(field="unit", problem=f"{turn.body.unit} is not another unit of this city")
    at = turn.at
    task.ended_at, task.return_reason = at, reason
    for clock in turn.change.live():
        if clock.assignment_id == task.id:
            clock.stop(at, cancelled=clock.clock != "sign")
    turn.say("reason")
    turn.change.event(
        "returned",
        at,
        turn.by.name,
        assignment=task.id,
        unit=task.unit,
        role=task.role,
        reason=reason,
        proposed=turn.body.unit,
    )
    turn.change.post(turn.city.desk.dispatch, ("dispatcher",), "returned", by_unit=task.unit, role=task.role)
    if task.role == "lead":
        _back_to_desk(turn)


def _back_to_desk(turn: Turn) -> None:
    change, case, city = turn.change, turn.change.case, turn.city
    case.state = case_step(case.state, "return").target
    case.version += 1
    case.lead_assignment_id = None
    end_tasks(change, turn.at)
    at_desk(change, city)
    round = turn.next_round("dispatch")
    again = clocks.start(turn.opened_under, case, "dispatch", unit=city.desk.dispatch, at=turn.at, round=round)
    change.deadlines.append(again)
    change.event("back_at_desk", turn.at, turn.by.name, owner=case.owner_unit, deadlines=[view(again)])


ACTIONS = {"return": Action("case.return", True, return_)}
