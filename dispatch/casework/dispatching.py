"""The dispatch desk (派单台): giving a case to its unit by hand, again after a return, and opening it anew."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.reports import URGENCIES
from dispatch.domain.workflow import case_step
from dispatch.intake import open as opening
from dispatch.intake.route import Route, excluded_units


def dispatch(turn: Turn) -> None:
    """Names the lead and assists, and the category where it is not known yet. Never back to a unit that returned it (S06)."""
    case, city = turn.change.case, turn.city
    case_step(case.state, "dispatch")
    unit = turn.needs("unit")
    if turn.body.category is not None:
        _classify(turn, turn.body.category)
    assists = tuple(dict.fromkeys(turn.body.assists))
    gave_back = {a.unit for a in turn.change.assignments if a.state == "returned"}
    for field, code in (("unit", unit), *(("assists", each) for each in assists)):
        if code not in city.units:
            raise BadInput(field=field, problem=f"{code} is not a unit of this city")
        if code in excluded_units(case.about_unit, city):
            raise RuleBroken(problem=f"{code} is complained about and cannot handle its own case", field=field)
        if code in gave_back:
            raise RuleBroken(problem=f"{code} returned this case; it needs another unit or a ruling", field=field)
    case.version += 1
    turn.say("reason")
    route = Route(unit, assists, "by_hand", (f"named by {turn.by.name}",))
    opening.dispatch(
        turn.change,
        route,
        turn.by.name,
        opening.Moment(turn.at, turn.at, False),
        turn.opened_under,
        turn.ids,
        reachable=turn.reachable,
    )
    if turn.body.category is not None:
        _reread(turn)


def _reread(turn: Turn) -> None:
    """The case clock by what the case is now known to be: another limit, perhaps, and the same start."""
    change = turn.change
    for deadline in change.live("close"):
        before = deadline.due_at
        if clocks.reread(turn.opened_under, change.case, deadline):
            change.event(
                "deadline_recomputed", change.instant(turn.at), turn.by.name, clock=deadline.clock, unit=deadline.unit,
                round=deadline.round, limit=deadline.limit_text, rule=deadline.rule, before=before, due_at=deadline.due_at,
            )  # fmt: skip


def _classify(turn: Turn, code: str) -> None:
    """A category given by hand says the same of urgency, safety and who may read as one that came with the report."""
    category = turn.city.categories.get(code)
    if category is None:
        raise BadInput(field="category", problem=f"{code} is not a code of the current tables")
    case = turn.change.case
    case.category, case.category_table, case.kin = category.code, category.table_version, category.kin
    case.urgency = max(case.urgency, category.urgency, key=URGENCIES.index)
    case.safety = case.safety or category.urgency == "critical"
    case.restricted = case.restricted or category.restricted
    turn.change.event(
        "classified", turn.at, turn.by.name, category=category.code, category_table=category.table_version,
        urgency=case.urgency, safety=case.safety, restricted=case.restricted,
    )  # fmt: skip


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


ACTIONS = {"dispatch": Action("case.dispatch", False, dispatch), "reopen": Action("case.reopen", False, reopen)}
