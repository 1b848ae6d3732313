"""Rulings (裁定): whose a case is when units do not agree, decided by a supervisor and binding (边界裁判).

| action    | effect                                                                                              |
|-----------|-----------------------------------------------------------------------------------------------------|
| `dispute` | the case waits for a ruling, the desk owns it                                                       |
| `interim` | 先办后议: a unit acts meanwhile and cannot return it; the clock of the ruling runs on               |
| `rule`    | the unit named leads and cannot return it, also one that did; the clock of the ruling stops         |

Each ruling proposes a line of the duty book (权责清单), so that the next such case needs none.
"""

from dispatch.casework import disputes, leading
from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Change, Deadline
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.intake.route import Route, excluded_units
from dispatch.store.statements import load

SQL = load(__file__, "rulings")


def dispute(turn: Turn) -> None:
    """Says that it is in dispute whose the case is, before or after a return; a discussion ends with it."""
    change, case = turn.change, turn.change.case
    target = case_step(case.state, "dispute").target
    turn.needs("note")
    turn.say("reason")
    at, found, started = turn.at, case.state, list[Deadline]()
    _end_consultation(turn)
    case.state = target
    case.version += 1
    leading.at_desk(change, turn.city)
    if not change.live("ruling"):
        desk, round = turn.city.desk.dispatch, turn.next_round("ruling")
        started.append(disputes.start_ruling(change, turn.opened_under, unit=desk, at=at, round=round))
    change.event(
        "disputed",
        at,
        turn.by.name,
        found=found,
        interim=False,
        between=parties(change),
        deadlines=[view(d) for d in started],
    )
    disputes.tell(change)


def interim(turn: Turn) -> None:
    """先办后议: somebody acts while it is discussed whose it is; never a unit that returned it."""
    change = turn.change
    case_step(change.case.state, "interim")
    unit = _named(turn)
    if any(a.unit == unit and a.state == "returned" for a in change.assignments):
        raise RuleBroken(problem=f"{unit} returned this case; only a ruling gives it back", field="unit")
    turn.needs("note")
    turn.say("reason")
    leading.give(turn, Route(unit, (), "interim", (f"until it is ruled, named by {turn.by.name}",)), interim=True)


async def rule(turn: Turn) -> None:
    """裁定: binding for the unit named; one that leads already for the time being goes on with what it has done."""
    change, case = turn.change, turn.change.case
    case_step(case.state, "rule")
    asked = next(iter(change.live("ruling")), None)
    if asked is None:
        raise RuleBroken(problem="no ruling was asked for: nobody disputes whose this case is")
    unit = _named(turn)
    turn.needs("note")
    turn.say("reason")
    at, lead, before = turn.at, change.lead, [each for each in parties(change) if each != unit]
    stays = lead is not None and lead.unit == unit
    change.event("ruled", at, turn.by.name, unit=unit, before=before, stays=stays, asked_at=asked.started_at)
    values = (
        case.id,
        case.seq + len(change.events),
        case.category,
        case.area,
        before,
        unit,
        asked.started_at,
        turn.by.name,
        at,
    )
    if lead is not None and stays:
        lead.interim, lead.return_locked = False, True
        lead.version += 1
        case.version += 1
        asked.stop(at)
    else:
        route = Route(unit, (), "ruled", (f"ruled by {turn.by.name}",))
        leading.give(turn, route, keeps=("assist",), locked=True)
    await turn.connection.execute(SQL.propose, *values)


def parties(change: Change) -> list[str]:
    """Units that led the case or gave it back, in order, each once."""
    return list(dict.fromkeys(a.unit for a in change.assignments if a.role == "lead"))


def _named(turn: Turn) -> str:
    """The unit of the body; never one that is complained about, or below it."""
    unit = turn.needs("unit")
    if unit not in turn.city.units:
        raise BadInput(field="unit", problem=f"{unit} is not a unit of this city")
    if unit in excluded_units(turn.change.case.about_unit, turn.city):
        raise RuleBroken(problem=f"{unit} is complained about and cannot handle its own case", field="unit")
    return unit


def _end_consultation(turn: Turn) -> None:
    for task in turn.change.assignments:
        if task.role == "consult" and task.ended_at is None:
            leading.end_task(turn.change, task, turn.at)
    for clock in turn.change.live("consult"):
        clock.stop(turn.at, cancelled=True)


ACTIONS = {
    "dispute": Action("case.dispatch", False, dispute),
    "interim": Action("case.dispatch", False, interim),
    "rule": Action("case.rule", False, rule),
}
