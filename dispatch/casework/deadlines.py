"""Deadlines that act, as the port of `sla.loop`: claim, effect, event, notices and the next instant are one transaction.

| step of the ladder    | effect                                                               |
|-----------------------|----------------------------------------------------------------------|
| before the due instant| `deadline_warned`; the owner is reminded                             |
| at the due instant    | the deadline is `missed`; `deadline_missed`, the unit's head is told  |
| after it              | `escalated` to the level's people                                    |
| a level that orders    | also an order (督办单) to the unit, once (`ordering`)                  |
| after the last        | a `review` deadline recurs each working day until a person decides   |

Two things move a step ahead (`climbing`): the one before it was not acknowledged in time, or all posts that one names are
vacant (`people.rosters`): then it is taken in the same turn. While the limit still runs a vacant post makes no level rise;
the notice goes at once to the people of the next steps, up to where somebody is on duty.

A `ruling` that is missed while nobody leads the case gives it a lead in the same turn (`appointing`).

A deadline is claimed through its case (`FOR UPDATE OF cases SKIP LOCKED`), so it never races with an action, and only steps of
deadlines still live under that lock act: one that was stopped or moved meanwhile does not.
"""

from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import structlog

from dispatch.casework import appointing, climbing, clocks, ordering, record
from dispatch.casework.adjusting import resume_due
from dispatch.casework.watch import ACTOR, watch
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain.cases import Change, Deadline, Escalation
from dispatch.metrics import Metrics
from dispatch.people import rosters
from dispatch.people.keyring import Keyring
from dispatch.people.rosters import EVERYWHERE, IN_UNIT, OVER_ALL
from dispatch.store.clock import Clock
from dispatch.store.pool import Connection, one
from dispatch.store.statements import load

SQL = load(__file__, "deadlines")
log = structlog.get_logger()
# A deadline whose effect failed this often is alarmed; it goes on being tried, ever more rarely.
ALARM_AFTER = 5


@dataclass(frozen=True, slots=True)
class _Turn:
    """What steps are taken with: the present, the case's city and today's, and the vacant posts, as (unit, whom a ladder names)."""

    now: datetime
    city: City
    today: City
    vacant: Set[tuple[str, str]]


class Deadlines:
    """The clocks of all cases, as the loop sees them."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        cities: Cities,
        keyring: Keyring,
        clock: Clock,
        metrics: Metrics,
        acted: Callable[[], None],
    ) -> None:
        """`acted` is told after each commit: there are messages and notices to send."""
        self._pool, self._cities, self._keyring, self._clock, self._metrics = pool, cities, keyring, clock, metrics
        self._acted = acted

    async def now(self) -> datetime:
        """The database's time."""
        return await self._clock.now(self._pool)

    async def next_at(self) -> datetime | None:
        """When the next deadline acts; may be past."""
        moment: datetime | None = await self._pool.fetchval(SQL.next_at)
        return moment

    async def fire(self, limit: int) -> int:
        """Lets at most `limit` due deadlines act, earliest first; returns how many steps did."""
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            due = list(dict.fromkeys(row["id"] for row in await connection.fetch(SQL.claim_due, now, limit)))
            fired = await self._fire_cases(connection, due, now) if due else 0
        fired += await self._fire_quarantine(limit)
        if fired:
            self._acted()
        return fired

    async def _fire_cases(self, connection: Connection, case_ids: list[int], now: datetime) -> int:
        try:
            async with connection.transaction():
                # Whatever the schema checks at commit is checked inside the fence, where one case fails for itself alone.
                await connection.execute(SQL.check_later)
                fired = await self._act(connection, case_ids, now)
                await connection.execute(SQL.check_now)
                return fired
        except Exception as fault:
            if len(case_ids) > 1:
                log.warning("deadlines.batch_failed", cases=len(case_ids), error=type(fault).__name__)
                return sum([await self._fire_cases(connection, [case_id], now) for case_id in case_ids])
            await self._postpone(connection, case_ids[0], now, fault)
            return 0

    async def _act(self, connection: Connection, case_ids: list[int], now: datetime) -> int:
        changes = await record.hold(connection, case_ids)
        units = {d.unit for change in changes.values() for d in _due(change, now)}
        units |= {_above(self._cities.current, unit) for unit in units} - {EVERYWHERE}
        vacant = await rosters.vacant(connection, units, now)
        fired = 0
        for case_id in case_ids:
            change = changes[case_id]
            city = await self._cities.version(connection, change.case.city_version)
            fired += resume_due(change, city, ACTOR, now) + _fire(
                change, _Turn(now, city, self._cities.current, vacant)
            )
            await ordering.issue_due(connection, change, city, now)
            if appointing.due(change):
                await appointing.appoint(connection, change, city, self._cities.current, now)
            if change.events:
                await watch(connection, change, city, now)
        acted = [c for c in changes.values() if c.events]
        steps = [(e.deadline.clock, str(e.level)) for c in acted for e in c.escalations]
        if acted:
            await record.save(connection, self._keyring, self._cities.current.map.areas, acted)
        for clock, level in steps:
            self._metrics.deadlines_fired.labels(clock, level).inc()
        return fired

    async def _postpone(self, connection: Connection, case_id: int, now: datetime, fault: Exception) -> None:
        attempts = 0
        # A case that breaks the schema's rules cannot be written at all: it stays due, and its neighbours act all the same.
        with suppress(asyncpg.IntegrityConstraintViolationError):
            async with connection.transaction():
                await connection.execute(SQL.check_now)
                rows = await connection.fetch(SQL.postpone, case_id, now)
                attempts = max([row["attempts"] for row in rows], default=0)
        self._metrics.deadline_failures.inc()
        report = log.warning if 0 < attempts < ALARM_AFTER else log.error
        report("deadlines.effect_failed", case_id=case_id, attempts=attempts, error=type(fault).__name__)

    async def _fire_quarantine(self, limit: int) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            now = await self._clock.now(connection)
            again = self._cities.current.calendar.due(now, clocks.WORKING_DAY, "hours8").at
            rows = await connection.fetch(SQL.claim_quarantine, now, again, limit)
            messages = [
                msgspec.json.encode({
                    "type": "escalation", "case_no": None, "at": now, "deadline": "quarantine", "receipt_no": r["receipt_no"],
                    "reason": r["reason"], "level": r["level"], "units": [r["owner_unit"]], "area": [], "restricted": False,
                })
                for r in rows
            ]  # fmt: skip
            if messages:
                await connection.execute(SQL.announce_quarantine, messages)
        return len(rows)

    async def late(self) -> tuple[int, float]:
        """The auditor: how many deadlines are late, and the seconds by which the oldest is."""
        now = await self.now()
        row = await one(self._pool, SQL.late, now)
        oldest = row["oldest"]
        return row["late"], (now - oldest).total_seconds() if oldest else 0.0


# A limit that runs out where the ladder has no step is missed all the same; that is a fact and no level of supervision.
_NO_STEP: dict[str, Any] = {"level": None, "colour": None, "who": ("owner", "unit_head")}


def _due(change: Change, now: datetime) -> list[Deadline]:
    return [d for d in change.live() if d.next_at is not None and d.next_at <= now]


def _fire(change: Change, turn: _Turn) -> int:
    """Takes every step that is due by now, in the order in which the steps were planned; returns how many."""
    fired = 0
    while due := _due(change, turn.now):
        _step(change, min(due, key=lambda d: (clocks.planned_at(d), d.id)), turn)
        fired += 1
    return fired


def _step(change: Change, deadline: Deadline, turn: _Turn) -> None:
    # The planned instant stays on record, whenever the step is taken: after downtime, or after failed attempts.
    planned = clocks.planned_at(deadline)
    assert planned is not None
    step, name = _NO_STEP, "escalated"
    following = deadline.ladder[deadline.step : deadline.step + 1]
    if following and datetime.fromisoformat(following[0]["at"]) == planned:
        step = following[0]
        deadline.step += 1
    warning = planned < deadline.due_at
    if warning:
        name = "deadline_warned"
    elif deadline.status == "running":
        deadline.status, name = "missed", "deadline_missed"
    at, gone = change.instant(turn.now), _gone(deadline, step, turn)
    nobody = len(gone) == len(step["who"])
    if not warning:
        calendar = clocks.calendar_of(turn.city, deadline.clock, deadline.unit)
        climbing.await_acknowledgement(deadline, calendar, step, at)
        if nobody:
            climbing.climb_at_once(deadline, turn.now)
    deadline.attempts, deadline.next_at = 0, clocks.planned_at(deadline)
    change.event(
        name, at, ACTOR, clock=deadline.clock, unit=deadline.unit, assignment=deadline.assignment_id,
        round=deadline.round, level=step["level"], colour=step["colour"], due_at=deadline.due_at, planned_at=planned,
        **climbing.reasons(step), **({"vacant": gone} if gone else {}),
    )  # fmt: skip
    if step["level"] is not None:
        call = "phone" in climbing.media(step)
        change.escalations.append(Escalation(deadline, step["level"], step["colour"], planned, call))
    _tell(change, deadline, step, [step, *(_until_present(deadline, turn) if warning and nobody else ())], turn)


def _until_present(deadline: Deadline, turn: _Turn) -> Iterator[dict[str, Any]]:
    """The next steps of a ladder, up to the first that somebody is on duty for."""
    for step in deadline.ladder[deadline.step :]:
        yield step
        if len(_gone(deadline, step, turn)) < len(step["who"]):
            return


def _gone(deadline: Deadline, step: dict[str, Any], turn: _Turn) -> list[str]:
    """Which of the posts that a step names are vacant."""
    return [who for who in step["who"] if _post(deadline, who, turn) in turn.vacant]


def _post(deadline: Deadline, who: str, turn: _Turn) -> tuple[str, str]:
    """The unit and the post behind whom a ladder names, as `rosters.vacant` has them."""
    if who == "superior":
        above = _above(turn.today, deadline.unit)
        return (above, "unit_head") if above != EVERYWHERE else (EVERYWHERE, "supervisor")
    return (deadline.unit, who) if who in IN_UNIT else (EVERYWHERE, who)


def _above(city: City, unit: str) -> str:
    """The next unit above one; over all where none is."""
    return next(iter(city.units.path(unit)[1:]), EVERYWHERE) if unit in city.units else EVERYWHERE


def _tell(change: Change, deadline: Deadline, step: dict[str, Any], told: list[dict[str, Any]], turn: _Turn) -> None:
    """Notices of a step by its media, a post each: a vacant one falls to its unit's common inbox.

    Warnings of ordinary matters are reminders, of which one person gets only so many an hour one by one.
    """
    media = tuple(climbing.media(step))
    reminder = step["level"] == 0 and change.case.urgency == "ordinary" and "phone" not in media
    most = turn.today.casework.reminders_per_hour if reminder else None
    body = {
        "clock": deadline.clock, "due_at": deadline.due_at, "level": step["level"], "colour": step["colour"], "deadline": deadline.id,
    }  # fmt: skip
    for unit, who in dict.fromkeys(_post(deadline, who, turn) for each in told for who in each["who"]):
        change.post(unit, IN_UNIT.get(who) or OVER_ALL[who], "deadline", media=media, most=most, **body)
