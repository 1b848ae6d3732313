"""Duty rosters (值班表): who is on duty for a post, who is on leave, who stands in, and who may write that down.

| at an instant                                        | who is told of what concerns the post            |
|------------------------------------------------------|--------------------------------------------------|
| a shift covers it (from its start up to its end)     | those on shift                                   |
| none does                                            | everybody who holds the role in the unit         |
| one of them is on leave                              | their stand-in, whose own leave counts too       |
| … without one, or stand-ins go in a ring             | nobody in their place                            |
| nobody is left, and the unit has people or a roster  | the post is vacant: its ladder climbs at once    |
| the unit has neither                                 | its common inbox, as ever                        |

The rule itself is the database's (`on_duty`, `is_manned`), so that every notice follows it.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

import asyncpg
import msgspec
import structlog

from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.people.principal import Principal
from dispatch.people.scope import WATCHING, Units, scope_of
from dispatch.store.access import log_access
from dispatch.store.clock import Clock
from dispatch.store.pool import Connection, Executor
from dispatch.store.statements import load

SQL = load(__file__, "rosters")
EVERYWHERE: Final = "*"
# Whom a ladder names → the roles behind it: in the deadline's unit, or over all units.
IN_UNIT: Final = {"owner": ("handler", "dispatcher", "followup"), "unit_head": ("unit_head",)}
OVER_ALL: Final = {"supervisor": ("supervisor",), "commander": ("commander",)}
# The roles that notices go to: those of a unit, and those over all.
UnitRole = Literal["handler", "dispatcher", "reviewer", "followup", "unit_head"]
CityRole = Literal["supervisor", "commander"]
ROLES_OF: Final[dict[bool, Sequence[str]]] = {False: get_args(UnitRole), True: get_args(CityRole)}

log = structlog.get_logger(__name__)


class Shift(msgspec.Struct, frozen=True):
    """One account on duty for one post (unit and role) from `starts_at` up to `ends_at`."""

    id: int
    unit: str
    role: str
    account: str
    starts_at: datetime
    ends_at: datetime
    made_by: str
    made_at: datetime


class Leave(msgspec.Struct, frozen=True):
    """One account away from `starts_at` up to `ends_at`; `stand_in` is told instead, whatever role it has."""

    id: int
    account: str
    unit: str
    starts_at: datetime
    ends_at: datetime
    stand_in: str | None
    made_by: str
    made_at: datetime


class OnDuty(msgspec.Struct, frozen=True):
    """Who is on duty for one role; without a shift all who hold it are, unless they are on leave."""

    role: str
    accounts: list[str]
    by_shift: bool


class Roster(msgspec.Struct, frozen=True):
    """A unit at an instant; `vacant` are the posts, as ladders name them, that nobody stands although somebody should."""

    unit: str
    at: datetime
    duty: list[OnDuty]
    vacant: list[str]


Wanted = tuple[str, str, str, datetime, datetime]  # unit, role, account, starts_at, ends_at


async def vacant(connection: Executor, units: Collection[str], at: datetime) -> frozenset[tuple[str, str]]:
    """The vacant posts of these units and of those over all, as (unit, whom a ladder names)."""
    named = {(unit, roles): who for unit in units for who, roles in IN_UNIT.items()}
    named |= {(EVERYWHERE, roles): who for who, roles in OVER_ALL.items()}
    asked = {(unit, msgspec.json.encode(roles).decode()): who for (unit, roles), who in named.items()}
    rows = await connection.fetch(SQL.vacant, *map(list, zip(*asked, strict=True)), at)
    return frozenset((row["unit"], asked[row["unit"], row["roles"]]) for row in rows)


async def roster(connection: Executor, unit: str, at: datetime) -> Roster:
    """Who is on duty in a unit, or for the posts over all units (`*`)."""
    over_all = unit == EVERYWHERE
    duty = await connection.fetch(SQL.duty, unit, at, ROLES_OF[over_all])
    gone = await vacant(connection, [] if over_all else [unit], at)
    return Roster(unit, at, [OnDuty(**row) for row in duty], sorted(who for where, who in gone if where == unit))


class Rosters:
    """What people write down in the roster; each change says who and when, in its row and in the access log."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool, self._clock = pool, clock

    async def on_duty(self, by: Principal, units: Units, unit: str, at: datetime | None) -> Roster:
        """The roster of a unit now or `at` an instant. Raises NotFound outside what `by` may read."""
        if unit != EVERYWHERE and not _within(readable(by, units), unit, units):
            raise NotFound(noun="unit", key=unit)
        return await roster(self._pool, unit, at or await self._clock.now(self._pool))

    async def shifts(
        self, by: Principal, units: Units, *, unit: str | None, account: str | None, **page: Any
    ) -> list[Shift]:
        """Shifts that are not over, in the order in which they begin; those over all units are everybody's to see."""
        found = await self._page(SQL.shifts, readable(by, units), unit, account, **page)
        return [Shift(**row) for row in found]

    async def leaves(self, by: Principal, units: Units, *, account: str | None, **page: Any) -> list[Leave]:
        """Leaves that are not over, in the order in which they begin."""
        return [Leave(**row) for row in await self._page(SQL.leaves, readable(by, units), account, **page)]

    async def _page(
        self, statement: str, units: frozenset[str] | None, *narrowed: str | None,
        since: datetime | None, after: tuple[datetime, int] | None, limit: int,
    ) -> list[asyncpg.Record]:  # fmt: skip
        since = since or await self._clock.now(self._pool)
        behind = after or (datetime.min.replace(tzinfo=UTC), 0)
        scope = None if units is None else sorted(units)
        rows: list[asyncpg.Record] = await self._pool.fetch(statement, since, *behind, limit, scope, *narrowed)
        return rows

    async def add_shift(self, by: Principal, units: Units, wanted: Wanted) -> Shift:
        """Raises NotPermitted, BadInput naming the field, RuleBroken for one that is there already."""
        unit, role, account, starts_at, ends_at = wanted
        _require_manager(by, units, unit)
        if role not in ROLES_OF[unit == EVERYWHERE]:
            raise BadInput(
                field="role", problem=f"is not one of the unit {unit}: {', '.join(ROLES_OF[unit == EVERYWHERE])}"
            )
        _check_order(starts_at, ends_at)
        async with self._pool.acquire() as connection, connection.transaction():
            await _known(connection, account=account)
            now = await self._clock.now(connection)
            made = await _guarded(connection, SQL.insert_shift, *wanted, by.name, now)
            if made is None:
                raise RuleBroken(problem="There is this very shift already.")
            await _logged(connection, now, by.name, "shift.added", f"{unit}/{role}/{account}")
            return Shift(made, *wanted, by.name, now)

    async def remove_shift(self, by: Principal, units: Units, shift: int) -> None:
        """Raises NotFound, NotPermitted."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.shift, shift)
            if row is None:
                raise NotFound(noun="shift", key=str(shift))
            _require_manager(by, units, row["unit"])
            now = await self._clock.now(connection)
            if not await connection.fetchval(SQL.remove_shift, shift, by.name, now):
                raise NotFound(noun="shift", key=str(shift))
            await _logged(connection, now, by.name, "shift.removed", f"{row['unit']}/{row['role']}/{row['account']}")

    async def add_leave(
        self, by: Principal, units: Units, account: str, starts_at: datetime, ends_at: datetime, stand_in: str | None
    ) -> Leave:
        """Raises NotPermitted outside `by`'s people, BadInput naming the field, RuleBroken for overlapping leave."""
        _check_order(starts_at, ends_at)
        if stand_in == account:
            raise BadInput(field="stand_in", problem="is who is on leave")
        async with self._pool.acquire() as connection, connection.transaction():
            named = {"account": account} | ({"stand_in": stand_in} if stand_in is not None else {})
            unit = (await _known(connection, **named))[account]
            _require_manager(by, units, unit)
            now = await self._clock.now(connection)
            made = await _guarded(connection, SQL.insert_leave, account, starts_at, ends_at, stand_in, by.name, now)
            await _logged(connection, now, by.name, "leave.added", account)
            return Leave(made, account, unit, starts_at, ends_at, stand_in, by.name, now)

    async def remove_leave(self, by: Principal, units: Units, leave: int) -> None:
        """Raises NotFound, NotPermitted."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.leave, leave)
            if row is None:
                raise NotFound(noun="leave", key=str(leave))
            _require_manager(by, units, row["unit"])
            now = await self._clock.now(connection)
            if not await connection.fetchval(SQL.remove_leave, leave, by.name, now):
                raise NotFound(noun="leave", key=str(leave))
            await _logged(connection, now, by.name, "leave.removed", row["account"])


async def write(connection: Connection, shifts: Iterable[Wanted], by: str, now: datetime) -> int:
    """Puts a file of shifts on the roster, all or none; those that stand already stay. Returns how many are new."""
    added = 0
    for wanted in shifts:
        if await _guarded(connection, SQL.insert_shift, *wanted, by, now) is not None:
            await _logged(connection, now, by, "shift.added", "/".join(wanted[:3]))
            added += 1
    return added


def readable(by: Principal, units: Units) -> frozenset[str] | None:
    """The units whose roster `by` may read; None: all."""
    return None if by.roles & WATCHING else scope_of(by, units).units


def _require_manager(by: Principal, units: Units, unit: str) -> None:
    """Supervisors and commanders write every roster, a head those of the own unit and below."""
    mine = None if by.roles & WATCHING else units.subtree(by.unit) if units.get(by.unit) else frozenset[str]()
    if unit != EVERYWHERE and units.get(unit) is None:
        raise BadInput(field="unit", problem=f"{unit} is not a unit of this city")
    if mine is not None and unit not in mine:
        raise NotPermitted(permission=f"roster of {unit}")


def _within(reach: frozenset[str] | None, unit: str, units: Units) -> bool:
    return units.get(unit) is not None and (reach is None or unit in reach)


def _check_order(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise BadInput(field="ends_at", problem="is not after starts_at")


async def _known(connection: Connection, **named: str) -> dict[str, str]:
    """The units of these accounts by name. Raises BadInput naming the field whose account is not there or has left."""
    rows = await connection.fetch(SQL.accounts_named, list(named.values()))
    found: dict[str, str] = {row["username"]: row["unit"] for row in rows}
    for field, account in named.items():
        if account not in found:
            raise BadInput(field=field, problem=f"there is no account {account}")
    return found


_BROKEN = {
    "leaves_do_not_overlap": "This account is on leave then already.",
    "roster_names_no_retired_account": "One of these accounts has left.",
}


async def _guarded(connection: Connection, statement: str, *values: Any) -> Any:
    """Runs an insert; what the schema refuses is told in words."""
    try:
        return await connection.fetchval(statement, *values)
    except asyncpg.IntegrityConstraintViolationError as broken:
        problem = _BROKEN.get(getattr(broken, "constraint_name", None) or "")
        if problem is None:
            raise
        raise RuleBroken(problem=problem) from None


async def _logged(connection: Connection, now: datetime, by: str, action: str, subject: str) -> None:
    await log_access(connection, now, by, action, subject)
    log.info(action, actor=by, subject=subject)
