"""Site checks as collectors see them (采集员): what is to be looked at, and what was found there."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta, Struct

from dispatch.casework import evidence, inspections, record
from dispatch.casework.actions import SQL as ACTION_SQL
from dispatch.casework.actions import Workplace, first_answer
from dispatch.casework.checks import SQL, checked
from dispatch.casework.watch import watch
from dispatch.desk.figures import Figure, share
from dispatch.domain.cases import Words
from dispatch.domain.errors import BadInput, NotFound
from dispatch.intake.locate import on_earth
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection, one
from gridmap import crs

Degrees = Annotated[float, Meta(ge=-180, le=180)]


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a collector is: degrees in the named coordinate system."""

    lon: Degrees
    lat: Annotated[float, Meta(ge=-90, le=90)]
    crs: Annotated[str, Meta(max_length=16)] = "wgs84"


class Found(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found at the place."""

    # `done` and `not_done` answer a visit before closing (核实), the others one before dispatch (核查).
    result: Literal["found", "not_found", "unclear", "done", "not_done"]
    evidence: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = []
    note: Annotated[str, Meta(max_length=5000)] | None = None


class Visited(Struct, frozen=True):
    """The result that stands: the first one."""

    check: int
    result: str
    by_you: bool


async def place(at: Workplace, by: Principal, position: Position) -> None:
    """Keeps where a collector was seen last, in WGS-84. Raises BadInput."""
    by.require("check.report")
    if position.crs not in crs.OFFSETS:
        raise BadInput(field="crs", problem="not one of wgs84, cgcs2000, gcj02, bd09")
    lon, lat = (float(value) for value in crs.to_wgs84(position.lon, position.lat, position.crs))
    if not on_earth(lon, lat):
        raise BadInput(field="lon", problem="is not a point on earth")
    if by.kind != "account" or not await at.pool.fetchval(ACTION_SQL.account_is_there, by.name):
        raise BadInput(field="account", problem="only a person with an account is somewhere")
    await at.pool.execute(SQL.place_collector, by.name, lon, lat, await at.clock.now(at.pool))


async def pending(at: Workplace, by: Principal, limit: int) -> list[dict[str, Any]]:
    """Visits to be made: a collector sees their own and those of nobody, a desk all."""
    own, units = by.name if by.may("check.report") else None, at.cities.current.units
    above = list(units.path(by.unit)) if by.unit in units else []
    return [dict(row) for row in await at.pool.fetch(SQL.pending, own, limit, above)]


async def report(at: Workplace, check_id: int, found: Found, by: Principal, *, key: str | None) -> bytes:
    """The result of a visit for every case that waits for it; JSON of Visited. The first one stands.

    Raises NotFound for a visit that is somebody else's, BadInput for a result of another kind of visit or evidence that is not
    of its cases, IdempotencyConflict.
    """
    by.require("check.report")
    fingerprint = hashlib.sha256(msgspec.json.encode(["check", check_id, found], order="deterministic")).digest()
    async with at.pool.acquire() as connection, connection.transaction():
        if key is not None and (first := await first_answer(connection, by, key, fingerprint)):
            return first[1]
        await connection.execute(SQL.lock_check, check_id)
        row = await connection.fetchrow(SQL.check_of, check_id)
        if row is None or row["account"] not in (None, by.name):
            raise NotFound(noun="site check", key=str(check_id))
        if (found.result in inspections.RESULTS) != (row["kind"] == inspections.KIND):
            raise BadInput(field="result", problem=f"is not what a visit to {row['kind']} answers")
        stands, now = row["result"] or found.result, None
        if row["result"] is None:
            now = await _take(at, connection, check_id, row, found, by)
        answer = msgspec.json.encode(Visited(check_id, stands, now is not None))
        if key is not None:
            moment = now or await at.clock.now(connection)
            await connection.execute(ACTION_SQL.keep_answer, by.name, key, fingerprint, 200, answer, moment)
        return answer


async def _take(
    at: Workplace, connection: Connection, check_id: int, row: asyncpg.Record, found: Found, by: Principal
) -> datetime:
    """Puts the first result on record in every case of the visit; returns when. Raises NotFound, BadInput."""
    city, held = at.cities.current, await record.hold(connection, row["cases"])
    if row["kind"] == inspections.KIND and any(by.unit in inspections.concerned(each, city) for each in held.values()):
        raise NotFound(noun="site check", key=str(check_id))
    await evidence.named(connection, row["cases"], found.evidence)
    now = await at.clock.now(connection)
    await connection.execute(SQL.finish_check, check_id, found.result, found.evidence, by.name, now)
    for change in held.values():
        if row["kind"] == inspections.KIND:
            inspections.inspected(change, city, check_id, row["round"], found.result, by.name, now)
        else:
            checked(change, city, check_id, found.result, by.name, now)
        if found.note and change.events:
            ids = await at.ids.reserve(text=1)
            document = {"text": found.note, "evidence": found.evidence}
            change.words.append(Words(ids.take("text"), "note", by.name, document))
        await watch(connection, change, await at.cities.version(connection, change.case.city_version), now)
    changed = [change for change in held.values() if change.events]
    if changed:
        await record.save(connection, at.keyring, city.map.areas, changed)
    return now


async def repeat_rate(at: Workplace, since: datetime, until: datetime) -> Figure:
    """Of the visits made in a period those to a place and matter that had just been visited."""
    row = await one(at.pool, SQL.repeated, since, until)
    return share(row["again"], row["visits"], 0)
