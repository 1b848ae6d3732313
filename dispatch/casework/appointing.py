"""Somebody leads (属地兜底): past the limit of the ruling the deadline loop names a unit that acts until it is ruled.

No open case is without a lead for longer than this, whatever anybody does; asking, looking and discussing stop no clock of it:

| since when it has none           | at most                                                                |
|----------------------------------|------------------------------------------------------------------------|
| its intake, not dispatched yet   | the limit `dispatch`, then the limit `ruling`                          |
|   while it waits for facts       | the limit `need_info` where that ends later, then the limit `ruling`   |
| a return                         | the limit `ruling`                                                     |

The unit appointed leads as interim: the missed clock of the ruling climbs on, and a supervisor can still rule. Recorded
history (backfill) appoints nobody. A complaint about the city itself excludes every unit: then the ladder alone climbs.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime

from dispatch.casework.leading import end_tasks
from dispatch.casework.watch import ACTOR
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.domain.workflow import case_step
from dispatch.intake import open as opening
from dispatch.intake.route import Route, excluded_units
from dispatch.store import pool
from dispatch.store.pool import Connection, Ids, one
from dispatch.store.statements import load

SQL = load(__file__, "actions")


def due(change: Change) -> bool:
    """Whether a ruling did not come in time and nobody leads."""
    unled = change.case.is_open and change.case.lead_assignment_id is None
    return unled and any(d.status == "missed" and not d.historic for d in change.live("ruling"))


def stand_in(change: Change, city: City) -> str | None:
    """The unit that leads in the end: the fallback, else the dispatch desk, else the topmost; never one that is complained about.

    One that returned the case leads again only by a ruling. None where every unit is complained about.
    """
    gave_back = {a.unit for a in change.assignments if a.state == "returned"}
    barred = excluded_units(change.case.about_unit, city) | gave_back
    return next((unit for unit in _in_turn(city) if unit in city.units and unit not in barred), None)


def _in_turn(city: City) -> Iterator[str]:
    yield from (city.desk.fallback, city.desk.dispatch)
    yield from (
        unit.code for unit in sorted(city.units, key=lambda each: (each.level, len(city.units.path(each.code))))
    )


async def appoint(connection: Connection, change: Change, opened_under: City, city: City, now: datetime) -> None:
    """Makes the stand-in the interim lead, of the units of `city` today; limits are those of `opened_under`."""
    unit = stand_in(change, city)
    if unit is None:
        return
    case, before, at = change.case, change.case.state, change.instant(now)
    target = case_step(before, "appoint").target
    end_tasks(change, at)
    for clock in change.live("consult"):
        clock.stop(at, cancelled=True)
    change.event("appointed", at, ACTOR, unit=unit, found=before)
    change.post("*", ("supervisor",), "appointed", to_unit=unit)
    change.post(unit, ("dispatcher", "handler", "unit_head"), "appointed", to_unit=unit)
    reachable = (await one(connection, SQL.about_case, case.id))["reachable"]
    ids = await connection.fetch(pool.SQL.take_ids, "assignment_ids", 1)
    route = Route(unit, (), "appointed", ("nobody led when the limit of the ruling passed",))
    opening.dispatch(
        change, route, ACTOR, opening.Moment(at, at, False), opened_under, Ids({"assignment": deque(r["id"] for r in ids)}),
        reachable=reachable, interim=True,
    )  # fmt: skip
    assert change.lead is not None
    assert case.state == target
    change.lead.interim = change.lead.return_locked = True
    case.version += 1
