"""What the matter is and how urgent (分类、定级), said by a person: limits follow it, from each clock's own start."""

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.city.categories import Urgency
from dispatch.domain.errors import BadInput
from dispatch.domain.reports import URGENCIES
from dispatch.domain.workflow import case_step


def reclassify(turn: Turn) -> None:
    """Says what the matter is, or how urgent: every clock gets the limit of that, from its own start, less what was suspended."""
    case_step(turn.change.case.state, "reclassify")
    turn.needs("note")
    if turn.body.category is None and turn.body.urgency is None:
        raise BadInput(field="category", problem="name a category, an urgency, or both")
    turn.say("reason")
    turn.change.case.version += 1
    classify(turn, turn.body.category, turn.body.urgency)
    reread(turn)


def reread(turn: Turn) -> None:
    """The clocks by what the case is now known to be: other limits, perhaps, and the same starts."""
    change = turn.change
    for deadline in change.live():
        before = deadline.due_at
        if deadline.id is not None and clocks.reread(turn.opened_under, change.case, deadline):
            clocks.recomputed(change, deadline, before, turn.by.name, change.instant(turn.at))


def classify(turn: Turn, code: str | None, urgency: Urgency | None = None) -> None:
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
        urgency=case.urgency, safety=case.safety, restricted=case.restricted, **({"said": urgency} if urgency else {}),
    )  # fmt: skip


ACTIONS = {"reclassify": Action("case.dispatch", False, reclassify)}
