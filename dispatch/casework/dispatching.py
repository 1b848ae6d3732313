"""The dispatch desk (派单台): giving a case to its unit by hand, to another one, at once in an emergency, and opening it anew."""

from dispatch.casework import dangers
from dispatch.casework.actions import Action, Turn
from dispatch.casework.classifying import classify, reread
from dispatch.casework.leading import check_unit, give
from dispatch.domain.errors import RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake import open as opening
from dispatch.intake.route import Route

# Tasks that go on under another lead.
OTHERS = ("assist",)
# Rounds of the danger's clock that an emergency starts: behind those that go by what was found in words.
EMERGENCY_ROUND = 100


def dispatch(turn: Turn) -> None:
    """Names the lead and assists, and the category where it is not known yet. Never back to a unit that returned it (S06).

    After a consultation (会商) the note is its record.
    """
    case_step(turn.change.case.state, "dispatch")
    if turn.change.case.state == "consulting":
        turn.needs("note")
    route = _named(turn)
    if turn.body.category is not None:
        classify(turn, turn.body.category)
    turn.say("reason")
    give(turn, route)
    if turn.body.category is not None:
        reread(turn)


def redispatch(turn: Turn) -> None:
    """改派: another unit leads, the former one's task ends; what a ruling bound stays where it is."""
    change = turn.change
    case_step(change.case.state, "redispatch")
    turn.needs("note")
    route, lead = _named(turn), change.lead
    assert lead is not None
    if lead.return_locked and not lead.interim:
        raise RuleBroken(problem="a ruling bound the case to its unit", field="unit")
    if route.lead == lead.unit:
        raise RuleBroken(problem=f"{lead.unit} leads it already", field="unit")
    turn.say("reason")
    change.event("taken_away", turn.at, turn.by.name, assignment=lead.id, unit=lead.unit)
    change.post(lead.unit, ("handler", "unit_head"), "taken_away")
    # While it is discussed whose it is, whoever acts instead does so until the ruling too.
    give(turn, route, keeps=OTHERS, interim=lead.interim)


def emergency(turn: Turn) -> None:
    """Act at once: critical, at the unit whatever the case waited for, and a logged call is demanded."""
    change = turn.change
    case_step(change.case.state, "emergency")
    turn.needs("note")
    route = _named(turn)
    classify(turn, turn.body.category, "critical")
    turn.say("reason")
    lead = give(turn, route)
    reread(turn)
    change.event("emergency_dispatched", turn.at, turn.by.name, unit=lead.unit, assignment=lead.id)
    change.post(lead.unit, ("handler", "unit_head"), "emergency")
    round = EMERGENCY_ROUND + turn.next_round(dangers.CLOCK)
    dangers.demand_call(change, turn.at, turn.opened_under, round=round)


def _named(turn: Turn) -> Route:
    """The lead and assists that a person named, each of them possible."""
    unit, assists = turn.needs("unit"), tuple(dict.fromkeys(turn.body.assists))
    for field, code in (("unit", unit), *(("assists", each) for each in assists)):
        check_unit(turn, code, field)
    return Route(unit, assists, "by_hand", (f"named by {turn.by.name}",))


def reopen(turn: Turn) -> None:
    """Opens a closed case again for its last lead, in a new round with its own limit; earlier rounds stay visible."""
    case_step(turn.change.case.state, "reopen")
    turn.needs("note")
    turn.say("reason")
    opening.reopen(
        turn.change,
        turn.by.name,
        opening.Moment(turn.at, turn.at, False),
        turn.opened_under,
        turn.ids,
        units=turn.city.units,
        reachable=turn.reachable,
    )


ACTIONS = {
    "dispatch": Action("case.dispatch", False, dispatch),
    "redispatch": Action("case.dispatch", False, redispatch),
    "emergency": Action("case.emergency", False, emergency),
    "reopen": Action("case.reopen", False, reopen),
}
