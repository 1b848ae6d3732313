"""Levels of the ladder that fired (升级): a person acknowledges them."""

from datetime import datetime

from msgspec import Struct

from dispatch.casework import record
from dispatch.casework.actions import Workplace, sees
from dispatch.casework.deadlines import SQL
from dispatch.domain.errors import NotFound
from dispatch.people.principal import Principal
from dispatch.store.pool import one


class Acknowledged(Struct, frozen=True):
    """Who has seen a level, and when; the first who did."""

    escalation: int
    case_no: str
    acked_by: str
    acked_at: datetime


class Escalations:
    """What supervisors do with levels that fired."""

    def __init__(self, workplace: Workplace) -> None:
        self._at = workplace

    async def acknowledge(self, escalation: int, by: Principal) -> Acknowledged:
        """Puts on record that `by` has seen it; a second one changes nothing. Raises NotFound outside their scope."""
        by.require("escalation.ack")
        at = self._at
        async with at.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(SQL.escalation, escalation)
            change = (await record.hold(connection, [row["case_id"]]))[row["case_id"]] if row else None
            if change is None or not sees(change, by, at.cities.current):
                raise NotFound(noun="escalation", key=str(escalation))
            moment = change.instant(await at.clock.now(connection))
            if await connection.fetchrow(SQL.acknowledge, escalation, by.name, moment):
                change.event("acknowledged", moment, by.name, escalation=escalation)
                await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
            seen = await one(connection, SQL.escalation, escalation)
            return Acknowledged(escalation, change.case.case_no, seen["acked_by"], seen["acked_at"])
