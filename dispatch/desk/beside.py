"""What stands beside a preview while a call is being typed: articles, incidents, and whether the number is known."""

from msgspec import Struct

from dispatch.casework.actions import Workplace
from dispatch.desk import callers, incidents, knowledge
from dispatch.desk.incidents import Incident
from dispatch.desk.knowledge import Found
from dispatch.intake.candidates import Prepared
from dispatch.people.principal import Principal

INCIDENTS = 5


class Beside(Struct, frozen=True):
    """`caller_known` is None for those who may not look callers up."""

    knowledge: list[Found]
    incidents: list[Incident]
    caller_known: bool | None


async def beside(at: Workplace, item: Prepared, by: Principal) -> Beside:
    """What may help with a report that is not taken in yet; each part only for those who may read it."""
    city, category = at.cities.current, item.category
    kinds = city.categories.path(category.code, category.table_version) if category else ()
    found = (
        await knowledge.offered(at, item.reading.masked, kinds, item.place.areas) if by.may("knowledge.read") else []
    )
    near = await incidents.around(at, by, item.place.areas, kinds, INCIDENTS) if by.may("incident.read") else []
    known = await callers.is_known(at, by, item.reading.identity) if by.may("caller.lookup") else None
    return Beside(found, near, known)
