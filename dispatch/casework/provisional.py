"""Deadlines that end in a year without a notice (暂定), once the notice is there.

| then the deadline            | what happens                                                                |
|------------------------------|-----------------------------------------------------------------------------|
| ends in a published year     | due instant and ladder computed anew from the original start; an event each |
| ran out, its ladder climbs   | the levels ahead are computed anew; what was judged by then stands          |
| still ends in no such year   | nothing: it stays provisional                                               |
| was stopped                  | nothing                                                                     |

A sweep goes in chunks, each its own transaction holding its cases; one that was broken off goes on where it is started
again, because what is settled is provisional no more.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from dispatch.casework import clocks, record
from dispatch.casework.adjustments import adjusted
from dispatch.city.calendars import Calendars
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain.cases import Change, Deadline
from dispatch.people.keyring import Keyring
from dispatch.store.clock import Clock
from dispatch.store.pool import Executor
from dispatch.store.statements import load
from sla.limits import parse_limit

SQL = load(__file__, "provisional")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline as it stands and as a calendar would have it."""

    case_no: str
    clock: str
    unit: str
    limit: str
    due_at: datetime
    moved_to: datetime


async def moved_by(connection: Executor, calendars: Calendars) -> AsyncIterator[Moved]:
    """The provisional deadlines that `calendars` would settle at another instant, by case; changes nothing."""
    behind = 0
    while rows := await connection.fetch(SQL.provisional_deadlines, behind, CHUNK):
        for row in rows:
            calendar = calendars.common if row["clock"] in clocks.CASE_CLOCKS else calendars.of(row["unit"])
            limit, approved = parse_limit(row["limit_text"]), adjusted(row["adjustments"])
            due = calendar.due(row["started_at"], limit, row["mode"], approved)
            if row["provisional"] and not due.provisional and due.at != row["due_at"]:
                moved_to = due.at.astimezone(UTC)
                yield Moved(row["case_no"], row["clock"], row["unit"], row["limit_text"], row["due_at"], moved_to)
        behind = rows[-1]["case_id"]


async def settle(
    pool: asyncpg.Pool, cities: Cities, keyring: Keyring, clock: Clock, *, by: str, done: Callable[[int], Any]
) -> int:
    """Settles what the calendar in force can settle; returns how many deadlines. `done` hears of each chunk of cases."""
    behind = settled = 0
    while rows := await pool.fetch(SQL.provisional_deadlines, behind, CHUNK):
        ids = sorted({row["case_id"] for row in rows})
        async with pool.acquire() as connection, connection.transaction():
            held = await record.hold(connection, ids)
            now = await clock.now(connection)
            for change in held.values():
                city = await cities.version(connection, change.case.city_version)
                settled += _settle(change, city, by, now)
            changed = [change for change in held.values() if change.events]
            if changed:
                await record.save(connection, keyring, cities.current.map.areas, changed)
        done(len(ids))
        behind = ids[-1]
    return settled


def _settle(change: Change, city: City, by: str, now: datetime) -> int:
    settled = 0
    for deadline in change.live():
        due_waits = deadline.provisional and deadline.status == "running"
        if due_waits or deadline.plan_provisional:
            before, ladder = deadline.due_at, deadline.ladder
            clocks.recount(city, change.case, deadline)
            if due_waits and not deadline.provisional:
                _say("deadline_settled", change, deadline, before, by, now)
                settled += 1
            elif ladder != deadline.ladder:
                _say("ladder_settled", change, deadline, before, by, now)
    return settled


def _say(event: str, change: Change, deadline: Deadline, before: datetime, by: str, now: datetime) -> None:
    change.event(
        event, change.instant(now), by, clock=deadline.clock, unit=deadline.unit, assignment=deadline.assignment_id,
        round=deadline.round, before=before, due_at=deadline.due_at,
    )  # fmt: skip
