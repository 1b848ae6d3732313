"""Who has opened an order, and when (签阅): the first time counts, and the first person of the unit ends the clock `unread`."""

from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from dispatch.casework import record
from dispatch.casework.actions import Workplace, sees
from dispatch.casework.orders import SQL, UNREAD
from dispatch.domain.cases import Change
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection, one


class Opened(Struct, frozen=True):
    """When somebody opened an order, the first time."""

    order: int
    case_no: str
    account: str
    read_at: datetime


async def read(at: Workplace, order: int, by: Principal) -> bytes:
    """Puts on record that `by` has opened it; JSON of Opened, the first one again later on.

    Raises NotFound outside their scope, RuleBroken for whoever it is not addressed to.
    """
    by.require("order.answer")
    async with at.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(SQL.one_order, order)
        change = (await record.hold(connection, [row["case_id"]]))[row["case_id"]] if row else None
        if change is None or not sees(change, by, at.cities.current):
            raise NotFound(noun="order", key=str(order))
        # Read again under the case's lock: a city may have moved it meanwhile.
        row = await one(connection, SQL.one_order, order)
        told = await connection.fetchval(SQL.was_told, change.case.id, by.name, order)
        if by.kind != "account" or not (by.unit == row["unit"] or told):
            raise RuleBroken(problem="only those to whom an order is addressed open it")
        await opened(connection, change, row, by, change.instant(await at.clock.now(connection)))
        if change.events:
            await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
        read_at = await connection.fetchval(SQL.read_at, order, by.name)
        return msgspec.json.encode(Opened(order, change.case.case_no, by.name, read_at))


async def opened(connection: Connection, change: Change, row: asyncpg.Record, by: Principal, at: datetime) -> None:
    """The receipt of one person, once; what needs no answer is done with the first."""
    if not await connection.fetchval(SQL.read, row["id"], by.name, at):
        return
    for clock in change.live(UNREAD):
        if clock.round == row["unread_round"]:
            clock.stop(at)
    if not row["needs_reply"] and row["state"] == "open":
        await connection.execute(SQL.done, row["id"], at)
    await connection.execute(SQL.open_notice, change.case.id, row["id"], by.name, by.unit, at)
    change.event("order_read", at, by.name, order=row["id"], unit=row["unit"])
