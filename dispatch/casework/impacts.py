"""What an emergency, or its end, would do to open cases: counted, and nothing written (预演)."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from msgspec import Struct

from dispatch.casework import raising, record
from dispatch.casework.actions import Workplace
from dispatch.casework.emergencies import MANAGE, SQL, Declaring, checked, show, where
from dispatch.casework.sweeping import known
from dispatch.city.emergencies import Emergencies, highest
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection

FIRST: Final = 20
# Cases that are looked at without letting anything else of the process have its turn.
AT_ONCE: Final = 100


class Impact(Struct):
    """Open cases that would change, by unit, by their urgency and state now; due instants that would come earlier or later.

    `overdue` of the earlier ones would be past at once. `first` are case numbers, none of a restricted case.
    """

    cases: int
    by_unit: dict[str, int]
    by_urgency: dict[str, int]
    by_state: dict[str, int]
    earlier: int
    later: int
    overdue: int
    first: list[str]


class _Count:
    def __init__(self, now: datetime) -> None:
        self.now, self.cases, self.earlier, self.later, self.overdue = now, 0, 0, 0, 0
        self.units: Counter[str] = Counter()
        self.urgencies: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.first: list[str] = []

    def add(self, change: Change, foreseen: raising.Foreseen) -> None:
        case = change.case
        if foreseen.urgency == case.urgency and not foreseen.clocks:
            return
        self.cases += 1
        unit = change.lead.unit if change.lead else case.owner_unit
        self.units[unit or ""] += 1
        self.urgencies[case.urgency] += 1
        self.states[case.state] += 1
        if len(self.first) < FIRST and not case.restricted:
            self.first.append(case.case_no)
        for deadline, due_at in foreseen.clocks:
            self.earlier += due_at < deadline.due_at
            self.later += due_at > deadline.due_at
            self.overdue += due_at <= self.now < deadline.due_at

    def impact(self) -> Impact:
        return Impact(
            self.cases, dict(sorted(self.units.items())), dict(self.urgencies), dict(sorted(self.states.items())), self.earlier,
            self.later, self.overdue, self.first,
        )  # fmt: skip


async def of_start(at: Workplace, new: Declaring, by: Principal) -> Impact:
    """What `start` would do. Raises what it raises."""
    by.require(MANAGE)
    emergency = await checked(at, new)
    count = _Count(await at.clock.now(at.pool))
    there = at.cities.current.emergencies
    would_be = replace(there, active=(*there.active, emergency))
    async with at.pool.acquire() as connection:
        async for changes in _open(connection, SQL.covered, *where(emergency)):
            for change in changes:
                city = await _under(at, connection, change, would_be)
                count.add(change, raising.foresee(change, highest(change.case.urgency, emergency.urgency), city))
    return count.impact()


async def of_end(at: Workplace, id: int, by: Principal) -> Impact:
    """What `end` would do. Raises what it raises."""
    by.require(MANAGE)
    count = _Count(await at.clock.now(at.pool))
    if (await show(at.pool, id)).ended_at is not None:
        return count.impact()
    there = at.cities.current.emergencies
    would_be = replace(there, active=tuple(each for each in there.active if each.id != id))
    active = {each.id: each.urgency for each in would_be.active}
    async with at.pool.acquire() as connection:
        async for changes in _open(connection, SQL.raised, id):
            claims = await known(connection, at.cities.current, changes, id)
            for change in changes:
                city = await _under(at, connection, change, would_be)
                urgency = raising.without(id, claims[change.case.id], active, change.case.urgency)
                count.add(change, raising.foresee(change, urgency, city))
    return count.impact()


async def _open(connection: Connection, statement: str, *values: object) -> AsyncIterator[Sequence[Change]]:
    """The open cases that a statement names, as they stand, some at a time."""
    behind = 0
    while rows := await connection.fetch(statement, *values, behind, AT_ONCE):
        ids = [row["id"] for row in rows]
        yield list((await record.look(connection, ids)).values())
        behind = ids[-1]


async def _under(at: Workplace, connection: Connection, change: Change, emergencies: Emergencies) -> City:
    """The city whose limits a case keeps, if these emergencies were in force."""
    return replace(await at.cities.version(connection, change.case.city_version), emergencies=emergencies)
