"""Evidence (佐证): files that an action names, and what a category needs before the lead's reply is accepted (S20).

| the row of the city says | the reply needs in this round                                                                 |
|--------------------------|-------------------------------------------------------------------------------------------------|
| photo_before             | a picture of kind `before`                                                                       |
| photo_after              | a picture of kind `after`, added since the lead has its task                                    |
| within_m                 | one of those was taken so near the case's place; a case without a place is not measured          |

Whatever is missing is named; the city version that counts is the one whose limits the case keeps.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dispatch.city.evidence import Evidence
from dispatch.city.model import City
from dispatch.domain.cases import Case
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.store.pool import Connection
from dispatch.store.statements import load

if TYPE_CHECKING:
    from dispatch.casework.actions import Turn

SQL = load(__file__, "evidence")
WANTED: Final = {"photo_before": "before", "photo_after": "after"}


def needs(case: Case, city: City) -> Evidence | None:
    """What the city asks to be shown for a case of this category."""
    if case.category is None or city.categories.get(case.category, case.category_table) is None:
        return None
    return city.evidence.of(city.categories.path(case.category, case.category_table))


async def named(connection: Connection, case_ids: Sequence[int], evidence: Sequence[str]) -> None:
    """Raises BadInput for evidence that is no file of these cases."""
    ids = {each: int(each) for each in evidence if each.isascii() and each.isdecimal() and len(each) <= 18}
    rows = await connection.fetch(SQL.of_cases, list(case_ids), list(ids.values())) if ids else []
    found = {row["id"] for row in rows}
    for each in evidence:
        if ids.get(each) not in found:
            raise BadInput(field="evidence", problem=f"{each[:40]} is not a file of this case")


async def required(turn: "Turn") -> None:
    """Called when a reply is about to be accepted. Raises RuleBroken with `missing` while something is not shown."""
    case, task = turn.change.case, turn.task
    need = needs(case, turn.opened_under)
    if need is None or task is None or task.role != "lead":
        return
    rows = await turn.connection.fetch(SQL.shown, case.id, case.round, task.dispatched_at)
    missing = [want for want, kind in WANTED.items() if want in need.needs and all(r["kind"] != kind for r in rows)]
    if missing:
        raise RuleBroken(
            problem=f"this matter is shown in pictures: {' and '.join(missing)}", field="evidence", missing=missing
        )
    if need.within_m is None or case.lon is None:
        return
    away = [row["distance_m"] for row in rows if row["kind"] == "after" and row["distance_m"] is not None]
    if not away:
        problem = "no picture of the finished work says where it was taken"
    elif min(away) > need.within_m:
        problem = f"the finished work was pictured {min(away)} m from the place; at most {need.within_m} m are allowed"
    else:
        return
    raise RuleBroken(problem=problem, field="evidence", missing=["position"], within_m=need.within_m)
