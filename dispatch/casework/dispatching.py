"""The dispatch desk (派单台): giving a case to its unit by hand, again after a return, and opening it anew."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.city.categories import Urgency
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


def reclassify(turn: Turn) -> None:
    """Says what the matter is, or how urgent: every clock gets the limit of that, from its own start, less what was suspended."""
    case_step(turn.change.case.state, "reclassify")
    turn.needs("note")
    if turn.body.category is None and turn.body.urgency is None:
        raise BadInput(field="category", problem="name a category, an urgency, or both")
    turn.say("reason")
    turn.change.case.version += 1
    _classify(turn, turn.body.category, turn.body.urgency)
    _reread(turn)


def _reread(turn: Turn) -> None:
    """The clocks by what the case is now known to be: other limits, perhaps, and the same starts."""
    change = turn.change
    for deadline in change.live():
        before = deadline.due_at
        if deadline.id is not None and clocks.reread(turn.opened_under, change.case, deadline):
            clocks.recomputed(change, deadline, before, turn.by.name, change.instant(turn.at))


def _classify(turn: Turn, code: str | None, urgency: Urgency | None = None) -> None:
    """A category given by hand says the same of urgency, safety and who may read as one that came with the report.

    An urgency that is named goes before that of the category.
    """
    case = turn.change.case
    if code is not None:
        category = turn.city.categories.get(code)
        if category is None:
            raise BadInput(field="category", problem=f"{code} is not a code of the current tables")
        case.category, case.category_table, case.kin = category.code, category.table_version, category.kin
        case.urgency = max(case.urgency, category.urgency, key=URGENCIES.index)
        case.safety = case.safety or category.urgency == "critical"
        case.restricted = case.restricted or category.restricted
    case.urgency = urgency or case.urgency
    turn.change.event(
        "classified", turn.at, turn.by.name, category=case.category, category_table=case.category_table,
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


ACTIONS = {
    "dispatch": Action("case.dispatch", False, dispatch),
    "reclassify": Action("case.dispatch", False, reclassify),
    "reopen": Action("case.reopen", False, reopen),
}
