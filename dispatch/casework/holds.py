"""Legal holds (法律保全): a case whose words stay, whatever their age, until the hold is released. Both are on its record."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch.casework import record
from dispatch.casework.actions import Workplace
from dispatch.casework.retention import SQL
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.people.keyring import aad
from dispatch.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Hold:
    """A case that is held, by whom, since when and why."""

    case_no: str
    placed_by: str
    placed_at: datetime
    reason: str


async def place(at: Workplace, case_no: str, reason: str, by: str) -> None:
    """Holds a case, open or over. Raises NotFound, RuleBroken for one that is held or whose words are gone already."""
    ids = await at.ids.reserve(text=1)
    async with at.pool.acquire() as connection, connection.transaction():
        change, moment = await _held(at, connection, case_no)
        case_id = change.case.id
        if case_id not in await record.case_keys(connection, at.keyring, [case_id]):
            raise RuleBroken(problem="the words of this case were erased already")
        if await connection.fetchval(SQL.held, case_id):
            raise RuleBroken(problem="this case is held already")
        text = ids.take("text")
        change.words.append(Words(text, "reason", by, {"text": reason}))
        change.event("hold_placed", moment, by)
        await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
        await connection.execute(SQL.place, case_id, text, by, moment)


async def release(at: Workplace, case_no: str, by: str) -> None:
    """Ends the hold of a case. Raises NotFound where there is none."""
    async with at.pool.acquire() as connection, connection.transaction():
        change, moment = await _held(at, connection, case_no)
        if await connection.fetchval(SQL.release, change.case.id, by, moment) is None:
            raise NotFound(noun="hold", key=case_no)
        change.event("hold_released", moment, by)
        await record.save(connection, at.keyring, at.cities.current.map.areas, [change])


async def listed(at: Workplace) -> list[Hold]:
    """Cases that are held, the oldest hold first."""
    rows = await at.pool.fetch(SQL.holds)
    keys = await record.case_keys(at.pool, at.keyring, [row["case_id"] for row in rows])
    found = []
    for row in rows:
        plain = keys[row["case_id"]].open(row["nonce"], row["sealed"], aad("texts", "sealed", row["text_id"]))
        reason = str(msgspec.json.decode(plain)["text"])
        found.append(Hold(row["case_no"], row["placed_by"], row["placed_at"], reason))
    return found


async def _held(at: Workplace, connection: Connection, case_no: str) -> tuple[Change, datetime]:
    """The case, whose row is held, and the time of what happens to it now."""
    change, told = await record.hold_numbered(connection, case_no)
    if change is None or told is None:
        raise NotFound(noun="case", key=case_no)
    return change, change.instant(at.clock.when(told))
