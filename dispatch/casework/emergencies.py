"""Emergency mode (应急状态): the commander's one command, its end, and what either would do before it is done.

| command | in one short transaction, holding the city's lock                        | afterwards (`sweeping`)        |
|---------|--------------------------------------------------------------------------|--------------------------------|
| `start` | the emergency is in force: what is reported from now on stands under it   | open cases are raised           |
| `end`   | it is not any more                                                        | what it raised is taken back     |

Both are in the access log, and neither says its reason in an event, a message or a log: that is the commander's own text.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import asyncpg
import msgspec
from msgspec import Meta, Struct

from dispatch.casework.actions import Workplace
from dispatch.city.emergencies import CLOCKS, Emergency, resolved
from dispatch.city.versions import SQL as VERSIONS
from dispatch.domain.errors import BadInput, NotFound
from dispatch.people.masking import find_personal
from dispatch.people.principal import Principal
from dispatch.store.access import log_access
from dispatch.store.pool import Executor, one
from dispatch.store.statements import load
from sla.errors import SlaError
from sla.limits import Limit, parse_limit

SQL = load(__file__, "emergencies")
encode = msgspec.json.Encoder().encode
MANAGE: Final = "emergency.manage"
MOST: Final = 200
STATES: Final = {"raising": "started", "raised": "swept", "lowering": "ended", "lowered": "ended"}
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=20)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits that hold instead of the policies' wherever they end earlier; canonical (`4h`, `30min`, `1wd`)."""

    close: Text | None = None
    reply: Text | None = None
    sign: Text | None = None


class Declaring(Struct, frozen=True, forbid_unknown_fields=True):
    """An emergency as it is declared: codes of categories and areas cover what is below them, no area the whole city."""

    categories: Annotated[list[Code], Meta(min_length=1, max_length=50)]
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]
    urgency: Literal["urgent", "critical"] = "critical"
    areas: Annotated[list[Code], Meta(max_length=50)] = []
    limits: Limits = Limits()
    expected_end: Annotated[datetime, Meta(tz=True)] | None = None
    incident: Annotated[int, Meta(ge=1, le=2**62)] | None = None


class Declared(Struct, frozen=True):
    """One as it stands: `state` is started, swept or ended; `done` of `total` open cases were swept since it began, or
    ended, and `swept` once none is left."""

    id: int
    state: str
    categories: list[str]
    areas: list[str]
    urgency: str
    limits: dict[str, str]
    reason: str
    expected_end: datetime | None
    incident: int | None
    started_by: str
    started_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    done: int
    total: int
    swept: bool


async def start(at: Workplace, new: Declaring, by: Principal) -> Declared:
    """Puts an emergency in force. Raises NotPermitted, BadInput naming the field."""
    by.require(MANAGE)
    found = await checked(at, new)
    total = await at.pool.fetchval(SQL.how_many_covered, *where(found))
    async with at.pool.acquire() as connection, connection.transaction():
        await connection.execute(VERSIONS.lock_loading)
        now = await at.clock.now(connection)
        id: int = await connection.fetchval(
            SQL.start, new.categories, new.areas, new.urgency, encode(new.limits).decode(), new.reason, new.expected_end, new.incident,
            by.name, now, total,
        )  # fmt: skip
        await log_access(connection, now, by.name, "emergency.start", f"emergency:{id}")
        row = await one(connection, SQL.one, id)
        await connection.execute(VERSIONS.announce, message(row, now))
    await at.cities.refresh(at.pool)
    return _view(row)


async def end(at: Workplace, id: int, by: Principal) -> Declared:
    """Ends an emergency; a second time nothing changes. Raises NotPermitted, NotFound."""
    by.require(MANAGE)
    total = await at.pool.fetchval(SQL.how_many_raised, id)
    async with at.pool.acquire() as connection, connection.transaction():
        # Its row comes first: a chunk of the sweep is waited for without keeping reports waiting.
        held = await connection.fetchrow(SQL.hold, id)
        if held is None:
            raise NotFound(noun="emergency", key=str(id))
        if held["ended_at"] is None:
            await connection.execute(VERSIONS.lock_loading)
            now = await at.clock.now(connection)
            await connection.execute(SQL.end, id, by.name, max(now, held["started_at"]), total)
            await log_access(connection, now, by.name, "emergency.end", f"emergency:{id}")
            await connection.execute(VERSIONS.announce, message(await one(connection, SQL.one, id), now))
        row = await one(connection, SQL.one, id)
    await at.cities.refresh(at.pool)
    return _view(row)


async def show(pool: Executor, id: int) -> Declared:
    """One, with its progress. Raises NotFound."""
    row = await pool.fetchrow(SQL.one, id)
    if row is None:
        raise NotFound(noun="emergency", key=str(id))
    return _view(row)


async def listed(pool: Executor, *, active: bool) -> list[Declared]:
    """The newest, at most 200: those in force, or all."""
    return [_view(row) for row in await pool.fetch(SQL.newest, active, MOST)]


async def checked(at: Workplace, new: Declaring) -> Emergency:
    """What is declared, with everything below what it names; its id is 0. Raises BadInput naming the field."""
    city = at.cities.current
    branches = {each.branch for each in city.categories}
    for n, code in enumerate(new.categories):
        if code not in branches and city.categories.get(code) is None:
            raise BadInput(field=f"categories[{n}]", problem="is not a category or a branch of this city")
    for n, code in enumerate(new.areas):
        if code not in city.map.areas:
            raise BadInput(field=f"areas[{n}]", problem="is not an area of this city")
    if not new.reason.strip():
        raise BadInput(field="reason", problem="is required")
    if find_personal(new.reason):
        raise BadInput(field="reason", problem="holds a telephone, identity or card number; leave it out")
    if new.expected_end is not None and new.expected_end <= await at.clock.now(at.pool):
        raise BadInput(field="expected_end", problem="must lie ahead")
    if new.incident is not None and not await at.pool.fetchval(SQL.incident_is_open, new.incident):
        raise BadInput(field="incident", problem="there is no such incident that goes on")
    limits = _limits(new.limits)
    return resolved(0, new.urgency, limits, new.categories, new.areas, city.categories, city.map.areas)


def where(emergency: Emergency) -> tuple[list[str], list[str], list[str] | None]:
    """What it covers as statements take it: codes, their tables, areas."""
    kinds = sorted(emergency.kinds)
    areas = None if emergency.areas is None else sorted(emergency.areas)
    return [code for code, _ in kinds], [table for _, table in kinds], areas


def message(row: asyncpg.Record, at: datetime) -> bytes:
    """What connected screens are told of it."""
    told = {name: row[name] for name in ("id", "categories", "areas", "urgency", "done", "total")}
    return encode({"type": "emergency", "state": STATES[row["phase"]], "at": at, **told})


def brief(each: Declared) -> dict[str, Any]:
    """The same of one for a snapshot."""
    names: Sequence[str] = (
        "id",
        "state",
        "categories",
        "areas",
        "urgency",
        "started_at",
        "expected_end",
        "done",
        "total",
    )
    return {name: getattr(each, name) for name in names}


def _limits(given: Limits) -> Mapping[str, Limit]:
    found = {}
    for clock in CLOCKS:
        if (text := getattr(given, clock)) is not None:
            try:
                found[clock] = parse_limit(text)
            except SlaError as error:
                raise BadInput(field=f"limits.{clock}", problem=str(error)) from None
    return found


def _view(row: asyncpg.Record) -> Declared:
    values = {name: row[name] for name in Declared.__struct_fields__ if name not in ("state", "limits")}
    return Declared(**values, state=STATES[row["phase"]], limits=msgspec.json.decode(row["limits"]))
