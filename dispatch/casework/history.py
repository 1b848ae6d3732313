"""Closings of recorded history (backfill), many at once: what `dispatch replay` sends after the openings before them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from dispatch.casework import record
from dispatch.casework.actions import SQL, Workplace
from dispatch.casework.closing import settle
from dispatch.domain.cases import Change
from dispatch.domain.errors import ActionNotAllowed, BadInput, DispatchError, NotFound
from dispatch.domain.reports import Channel, ExternalId
from dispatch.people.principal import Principal


class Closing(Struct, forbid_unknown_fields=True, frozen=True):
    """A report that was taken in before, and when its matter was closed."""

    channel: Channel
    external_id: ExternalId
    at: datetime


class Closed(Struct, frozen=True):
    """The case of a closing and its state afterwards."""

    case_no: str
    state: str
    changed: bool


async def settle_all(at: Workplace, closings: Sequence[Closing], by: Principal) -> list[Closed | DispatchError]:
    """Closes the cases of these reports at their recorded times; one that is closed already stays as it is."""
    by.require("case.settle")
    fates: list[Closed | DispatchError] = []
    async with at.pool.acquire() as connection, connection.transaction():
        known = [await connection.fetchval(SQL.case_of_key, c.channel, c.external_id) for c in closings]
        held = await record.hold(connection, sorted({case_id for case_id in known if case_id}))
        now = await at.clock.now(connection)
        for closing, case_id in zip(closings, known, strict=True):
            if closing.at.tzinfo is None:
                fates.append(BadInput(field="at", problem="a time needs an offset"))
            elif case_id is None:
                fates.append(NotFound(noun="report", key=closing.external_id))
            else:
                fates.append(_settle(held[case_id], closing.at, now, by.name))
        changed = [change for change in held.values() if change.events]
        if changed:
            await record.save(connection, at.keyring, at.cities.current.map.areas, changed)
    return fates


def _settle(change: Change, closed_at: datetime, now: datetime, by: str) -> Closed | DispatchError:
    if not change.case.is_open:
        return Closed(change.case.case_no, change.case.state, False)
    try:
        settle(change, closed_at, now, by)
    except ActionNotAllowed as refusal:
        return refusal
    return Closed(change.case.case_no, change.case.state, True)
