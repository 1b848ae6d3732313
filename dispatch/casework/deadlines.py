"""Deadlines that act, as the port of `sla.loop`: claim, effect, event, notices and the next instant are one transaction.

| step of the ladder    | effect                                                               |
|-----------------------|----------------------------------------------------------------------|
| before the due instant| `deadline_warned`; the owner is reminded                             |
| at the due instant    | the deadline is `missed`; `deadline_missed`, the unit's head is told  |
| after it              | `escalated` to the level's people                                    |
| after the last        | a `review` deadline recurs each working day until a person decides   |

A deadline is claimed through its case (`FOR UPDATE OF cases SKIP LOCKED`), so it never races with an action, and only steps of
deadlines still live under that lock act: one that was stopped or moved meanwhile does not.
"""

from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog

from dispatch.metrics import Metrics
from dispatch.casework import clocks
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain.cases import Change, Deadline, Escalation
from dispatch.people.keyring import Keyring
from dispatch.store import record
from dispatch.store.clock import Clock
from dispatch.store.statements import load

SQL = load(__file__, "deadlines")
log = structlog.get_logger()
ACTOR = "deadlines"
# Who a ladder names → whose inbox: a role in the deadline's unit, or one that stands over all units.
IN_UNIT = {"owner": ("handler", "dispatcher"), "unit_head": ("unit_head",)}
OVER_ALL = {"supervisor": ("supervisor",), "commander": ("commander",)}
EVERYWHERE = "*"
# A deadline whose effect failed this often is alarmed; it goes on being tried, ever more rarely.
ALARM_AFTER = 5


class Deadlines:
    """The clocks of all cases, as the loop sees them."""

    def __init__(self, pool: asyncpg.Pool, cities: Cities, keyring: Keyring, clock: Clock, metrics: Metrics) -> None:
        self._pool, self._cities, self._keyring, self._clock, self._metrics = pool, cities, keyring, clock, metrics

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
            due = [row["id"] for row in await connection.fetch(SQL.claim_due, now, limit)]
            fired = await self._fire_cases(connection, due, now) if due else 0
        return fired + await self._fire_quarantine(limit)

    async def _fire_cases(self, connection: asyncpg.Connection, case_ids: list[int], now: datetime) -> int:
        try:
            async with connection.transaction():
                return await self._act(connection, case_ids, now)
        except Exception as fault:
            if len(case_ids) > 1:
                log.warning("deadlines.batch_failed", cases=len(case_ids), error=type(fault).__name__)
                return sum([await self._fire_cases(connection, [case_id], now) for case_id in case_ids])
            return await self._postpone(connection, case_ids[0], now, fault)

    async def _act(self, connection: asyncpg.Connection, case_ids: list[int], now: datetime) -> int:
        changes = await record.hold(connection, case_ids)
        fired = 0
        for case_id in case_ids:
            change = changes[case_id]
            city = await self._cities.version(connection, change.case.city_version)
            fired += sum([self._step(change, deadline, now, city) for deadline in change.live()])
            await self._review(connection, change, city, now)
        acted = [c for c in changes.values() if c.events]
        if acted:
            await record.save(connection, self._keyring, self._cities.current.map.areas, acted)
        return fired

    def _step(self, change: Change, deadline: Deadline, now: datetime, city: City) -> int:
        """Every step of one deadline that is due by now, in order; each planned instant stays on record."""
        fired = 0
        while deadline.next_at is not None and deadline.next_at <= now:
            fired += 1
            step = deadline.plan[deadline.step] if deadline.step < len(deadline.plan) else _AT_DUE
            planned, level, who = deadline.next_at, int(step["level"]), tuple(step["who"])
            deadline.step += 1
            deadline.attempts = 0
            deadline.next_at = datetime.fromisoformat(deadline.plan[deadline.step]["at"]) if deadline.step < len(deadline.plan) else None
            name = "escalated"
            if planned < deadline.due_at:
                name = "deadline_warned"
            elif deadline.status == "running":
                deadline.status, name = "missed", "deadline_missed"
            at = change.instant(now)
            change.event(
                name, at, ACTOR, clock=deadline.clock, unit=deadline.unit, assignment=deadline.assignment_id, round=deadline.round,
                level=level, colour=step["colour"], due_at=deadline.due_at, planned_at=planned,
            )  # fmt: skip
            change.escalations.append(Escalation(deadline, level, str(step["colour"]), planned))
            _tell(change, deadline, level, str(step["colour"]), who)
            self._metrics.deadlines_fired.labels(deadline.clock, str(level)).inc()
            if deadline.status == "running" and deadline.next_at is None:
                deadline.next_at = deadline.due_at
        return fired

    async def _review(self, connection: asyncpg.Connection, change: Change, city: City, now: datetime) -> None:
        """When nothing is left that would act on an open case, a review does, next working day, again and again."""
        if not change.events or any(d.next_at is not None for d in change.live()):
            return
        for passed in change.live("review"):
            passed.stop(now)
        round = 1 + await connection.fetchval(SQL.review_rounds, change.case.id)
        at = change.instant(now)
        change.deadlines.append(clocks.start(city, change.case, "review", unit=city.desk.dispatch, at=at, round=round))
        change.event("review_set", at, ACTOR, round=round, due_at=change.deadlines[-1].due_at)

    async def _postpone(self, connection: asyncpg.Connection, case_id: int, now: datetime, fault: Exception) -> int:
        attempts = max([row["attempts"] for row in await connection.fetch(SQL.postpone, case_id, now, now)], default=1)
        again = now + timedelta(seconds=min(5 * 2**attempts, 3600))
        await connection.execute(SQL.postpone, case_id, now, again)
        self._metrics.deadline_failures.inc()
        report = log.error if attempts >= ALARM_AFTER else log.warning
        report("deadlines.effect_failed", case_id=case_id, attempts=attempts, error=type(fault).__name__, again=again.isoformat())
        return 0

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
        row = await self._pool.fetchrow(SQL.late, now)
        oldest = row["oldest"]
        return row["late"], (now - oldest).total_seconds() if oldest else 0.0


_AT_DUE = {"level": 1, "colour": "blue", "who": ("owner", "unit_head")}


def _tell(change: Change, deadline: Deadline, level: int, colour: str, who: tuple[str, ...]) -> None:
    body = {"clock": deadline.clock, "due_at": deadline.due_at, "level": level, "colour": colour}
    if in_unit := tuple(role for name in who for role in IN_UNIT.get(name, ())):
        change.post(deadline.unit, in_unit, "deadline", **body)
    if over_all := tuple(role for name in who for role in OVER_ALL.get(name, ())):
        change.post(EVERYWHERE, over_all, "deadline", **body)
