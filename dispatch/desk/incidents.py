"""Known incidents (突发事件) and planned stoppages (计划停水停电): what operators say to everybody who calls about one.

Every caller is attached to its master case with a receipt of their own. When it is over, all of them are answered in one
transaction by what is told then: each receipt shows it. The case itself goes on: its unit still replies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import asyncpg
from msgspec import Meta, Struct

from dispatch.casework import record
from dispatch.casework.actions import Workplace
from dispatch.city.model import City
from dispatch.desk.codes import below, known_area, known_category, without_numbers
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.insight import cases as reading
from dispatch.insight.reader import reader
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "incidents")
MOST = 200
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Codes = Annotated[list[Code], Meta(max_length=50)]
Moment = Annotated[datetime, Meta(tz=True)]
Spoken = Annotated[str, Meta(min_length=1, max_length=2000)]


class Announcing(Struct, frozen=True, forbid_unknown_fields=True):
    """An incident as it is entered; `case_no` is its master case. Without `categories` it explains whatever is reported there."""

    kind: Literal["incident", "stoppage"]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    areas: Annotated[list[Code], Meta(min_length=1, max_length=50)]
    starts_at: Moment
    expected_end: Moment
    spoken: Spoken
    case_no: Code
    categories: Codes = []


class Changing(Struct, frozen=True, forbid_unknown_fields=True):
    """When it is expected to end now, and what is said; what is not given stays."""

    expected_end: Moment | None = None
    spoken: Spoken | None = None


class Ending(Struct, frozen=True, forbid_unknown_fields=True):
    """What everybody who called is told."""

    told: Spoken


class Incident(Struct, frozen=True):
    """One of them as it stands; `case_no` only for those who may read its master case."""

    id: int
    kind: str
    title: str
    areas: list[str]
    categories: list[str]
    starts_at: datetime
    expected_end: datetime
    spoken: str
    case_no: str | None
    closed_at: datetime | None
    made_at: datetime


class Ended(Struct, frozen=True):
    """An incident that is over, and how many receipts were answered by it."""

    id: int
    closed_at: datetime
    receipts: int


@dataclass(frozen=True, slots=True)
class Where:
    """What a list is narrowed to: an area or a point in degrees (WGS-84), a category; `open` false: those that are over."""

    area: str | None = None
    lon: float | None = None
    lat: float | None = None
    category: str | None = None
    open: bool = True


async def incidents(at: Workplace, by: Principal, where: Where) -> list[Incident]:
    """The newest at a place, at most 200: an incident covers a place if any of its areas does. Raises BadInput."""
    city = at.cities.current
    category = below(known_category(city, where.category))
    return await _list(at, by, where.open, below(_place(city, where)), category, MOST)


async def around(
    at: Workplace, by: Principal, area: Sequence[str], category: Sequence[str], limit: int
) -> list[Incident]:
    """Open ones that may be what somebody calls about. Without a place only those that name the category count."""
    found = await _list(at, by, True, below(area), below(category), MOST)
    named = [i for i in found if area or not set(i.categories).isdisjoint(category)]
    return named[:limit]


def _place(city: City, where: Where) -> Sequence[str]:
    if (where.lon is None) != (where.lat is None):
        raise BadInput(field="lon" if where.lon is None else "lat", problem="a point has both lon and lat")
    if where.lon is None or where.lat is None:
        return known_area(city, where.area)
    if where.area is not None:
        raise BadInput(field="area", problem="either an area or a point")
    area = city.map.fix(where.lon, where.lat).area
    if area is None:
        raise BadInput(field="lon", problem="the point lies outside this city")
    return city.map.areas.path(area)


async def _list(
    at: Workplace, by: Principal, is_open: bool, area: list[str] | None, category: list[str] | None, limit: int,
    id: int | None = None,
) -> list[Incident]:  # fmt: skip
    who = reader(by, at.cities.current)
    rows = await at.pool.fetch(
        SQL.incidents, is_open, area, category, who.units, who.areas, who.above, id is not None, id, limit
    )
    return [Incident(**row) for row in rows]


async def one(at: Workplace, by: Principal, id: int) -> Incident:
    """An incident, open or over. Raises NotFound."""
    found = await _list(at, by, True, None, None, 1, id)
    if not found:
        raise NotFound(noun="incident", key=str(id))
    return found[0]


async def announce(at: Workplace, new: Announcing, by: Principal) -> Incident:
    """A new incident. Raises BadInput naming the field, RuleBroken for a case that no call can join."""
    city = at.cities.current
    for n, area in enumerate(new.areas):
        known_area(city, area, f"areas[{n}]")
    for n, category in enumerate(new.categories):
        known_category(city, category, f"categories[{n}]")
    without_numbers(title=new.title, spoken=new.spoken)
    if new.expected_end <= new.starts_at:
        raise BadInput(field="expected_end", problem="is not after starts_at")
    case_id = await _master(at, by, new.case_no)
    made_at = await at.clock.now(at.pool)
    id: int = await at.pool.fetchval(
        SQL.add, new.kind, new.title, new.areas, new.categories, new.starts_at, new.expected_end, new.spoken, case_id,
        by.name, made_at,
    )  # fmt: skip
    return await one(at, by, id)


async def _master(at: Workplace, by: Principal, case_no: str) -> int:
    """The id of a case that calls can be attached to."""
    try:
        row = await reading.find(at, by, case_no)
    except NotFound:
        raise BadInput(field="case_no", problem="there is no such case here") from None
    if row["restricted"]:
        raise RuleBroken(problem="calls are never attached to a restricted case", field="case_no")
    if row["closed_at"] is not None or not row["is_open"]:
        raise RuleBroken(problem=f"the case is {row['state']}; calls join open ones", field="case_no")
    return int(row["id"])


async def change(at: Workplace, id: int, changing: Changing, by: Principal) -> Incident:
    """Another end, other words. Raises NotFound, BadInput, RuleBroken for one that is over."""
    if changing.expected_end is None and changing.spoken is None:
        raise BadInput(field="expected_end", problem="either this or spoken is required")
    without_numbers(spoken=changing.spoken)
    await _in_scope(at, by, id)
    async with at.pool.acquire() as connection, connection.transaction():
        held = await _held(connection, id)
        if held["closed_at"] is not None:
            raise RuleBroken(problem="the incident is over", field="incident")
        if changing.expected_end is not None and changing.expected_end <= held["starts_at"]:
            raise BadInput(field="expected_end", problem="is not after starts_at")
        until, spoken = changing.expected_end or held["expected_end"], changing.spoken or held["spoken"]
        await connection.execute(SQL.change, id, until, spoken)
    return await one(at, by, id)


async def close(at: Workplace, id: int, ending: Ending, by: Principal) -> Ended:
    """Closes it and answers every receipt of its case in one transaction; a second time nothing changes. Raises NotFound, NotPermitted, BadInput."""
    without_numbers(told=ending.told)
    await _in_scope(at, by, id)
    ids = await at.ids.reserve(text=1)
    async with at.pool.acquire() as connection, connection.transaction():
        master = await _hold_master(connection, id)
        held, case = await _held(connection, id), master.case
        if held["closed_at"] is not None:
            return Ended(id, held["closed_at"], await connection.fetchval(SQL.answered, id) or 0)
        now = master.instant(await at.clock.now(connection))
        receipts: int = await connection.fetchval(SQL.receipts, case.id)
        document = {"text": ending.told, "to": "everybody", "incident": id}
        master.words.append(Words(ids.take("text"), "told", by.name, document))
        master.event("all_answered", now, by.name, incident=id, receipts=receipts)
        if master.lead is not None:
            master.post(master.lead.unit, ("handler",), "all_answered", incident=id, receipts=receipts)
        await connection.execute(SQL.close, id, by.name, now)
        await record.save(connection, at.keyring, at.cities.current.map.areas, [master])
    return Ended(id, now, receipts)


async def master_of(at: Workplace, id: int) -> str:
    """The number of the case that its callers are on. Raises NotFound."""
    master = await at.pool.fetchrow(SQL.master, id)
    if master is None:
        raise NotFound(noun="incident", key=str(id))
    return str(master["case_no"])


async def _in_scope(at: Workplace, by: Principal, id: int) -> None:
    """Who changes an incident may read the case of its callers. Raises NotFound, NotPermitted."""
    case_no = await master_of(at, id)
    try:
        await reading.find(at, by, case_no)
    except NotFound:
        raise NotPermitted(permission="incident.manage where its case is", field="incident") from None


async def _hold_master(connection: Connection, id: int) -> Change:
    """The case of its callers, held; one that was merged while it was waited for is followed."""
    while True:
        found = await connection.fetchrow(SQL.master, id)
        if found is None:
            raise NotFound(noun="incident", key=str(id))
        change = (await record.hold(connection, [found["id"]]))[found["id"]]
        if change.case.merged_into is None:
            return change


async def _held(connection: Connection, id: int) -> asyncpg.Record:
    row = await connection.fetchrow(SQL.hold, id)
    if row is None:
        raise NotFound(noun="incident", key=str(id))
    return row
