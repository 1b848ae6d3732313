"""Up and down the five levels (上报、下派): the lead moves along the tree with one number, one timeline and the same case clock.

A unit that handed a case up never gets it back but by a ruling, and down is strictly down: so a case cannot go round.
"""

from dispatch.casework.actions import Action, Turn
from dispatch.casework.leading import check_unit, end_task, give
from dispatch.domain.cases import Assignment
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.route import Route, excluded_units

# Co-operating units go on under the other lead.
OTHERS = ("assist",)
HANDED_UP = "handed_up"


def hand_up(turn: Turn) -> None:
    """上报: what a unit cannot do itself goes to the nearest unit above it that can have it."""
    change, lead = turn.change, _lead(turn, "hand_up")
    turn.needs("note")
    city = turn.city
    returned = {task.unit for task in change.assignments if task.state == "returned"}
    barred = excluded_units(change.case.about_unit, city) | returned
    above = [unit for unit in city.units.path(lead.unit)[1:] if unit not in barred]
    if not above:
        raise RuleBroken(problem="there is no unit above that could have it", field="unit")
    turn.say("reason")
    lead.return_reason = HANDED_UP
    end_task(change, lead, turn.at, step="hand_up")
    change.event("handed_up", turn.at, turn.by.name, assignment=lead.id, unit=lead.unit, to=above[0])
    give(turn, Route(above[0], (), "handed_up", (f"handed up by {lead.unit}",)), keeps=OTHERS)


def hand_down(turn: Turn) -> None:
    """下派: a unit below leads from here on."""
    change, lead = turn.change, _lead(turn, "hand_down")
    unit = turn.needs("unit")
    turn.needs("note")
    if lead.unit not in turn.city.units or unit not in turn.city.units.subtree(lead.unit) - {lead.unit}:
        raise BadInput(field="unit", problem=f"{unit} is not below {lead.unit}")
    check_unit(turn, unit, "unit")
    turn.say("reason")
    change.event("handed_down", turn.at, turn.by.name, assignment=lead.id, unit=lead.unit, to=unit)
    give(turn, Route(unit, (), "handed_down", (f"handed down by {lead.unit}",)), keeps=OTHERS)


def _lead(turn: Turn, action: str) -> Assignment:
    change = turn.change
    case_step(change.case.state, action)
    if turn.task is None or turn.task.id != change.case.lead_assignment_id:
        raise NotFound(noun="lead", key="of your unit")
    if turn.task.return_locked:
        raise RuleBroken(problem="a ruling bound it, or will: it is answered here", field="unit")
    return turn.task


ACTIONS = {
    "hand_up": Action("task.manage", True, hand_up),
    "hand_down": Action("task.manage", True, hand_down),
}
