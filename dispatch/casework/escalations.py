"""Levels of the ladder that fired (升级): a person acknowledges them, and logs the call that an urgent one demands.

| what is sent                          | level without a demand         | level that demands a call        |
|---------------------------------------|--------------------------------|----------------------------------|
| nothing                               | acknowledged                   | refused, naming `call`           |
| a call that reached nobody            | logged, not acknowledged       | logged, not acknowledged         |
| a call that reached somebody          | logged and acknowledged        | logged and acknowledged          |
| anything, once it is acknowledged     | the first answer stands        | the first answer stands          |

An acknowledged level does not climb by itself: the next one comes at its own instant again, if it was not taken yet.
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta, Struct

from dispatch.casework import actions, climbing, clocks, record
from dispatch.casework.actions import Workplace, sees
from dispatch.casework.deadlines import SQL
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection, Ids, one


class PhoneCall(Struct, forbid_unknown_fields=True, frozen=True):
    """A call (电话): `to` is the account or the unit that was called, never a number; the note is sealed with the case."""

    to: Annotated[str, Meta(min_length=1, max_length=64)]
    reached: bool
    note: Annotated[str, Meta(max_length=5000)] | None = None


class Acknowledgement(Struct, forbid_unknown_fields=True, frozen=True):
    """What a person sends with it; nothing is needed where no call is demanded."""

    call: PhoneCall | None = None


class Acknowledged(Struct, frozen=True):
    """Who has seen a level, and when: the first who did; nobody yet after a call that reached nobody."""

    escalation: int
    case_no: str
    acked_by: str | None
    acked_at: datetime | None
    call_demanded: bool
    calls: msgspec.Raw


class Escalations:
    """What supervisors do with levels that fired."""

    def __init__(self, workplace: Workplace) -> None:
        self._at = workplace

    async def acknowledge(
        self, escalation: int, sent: Acknowledgement, by: Principal, *, key: str | None = None
    ) -> bytes:
        """Puts on record that `by` has seen it, and the call if there was one; JSON of Acknowledged.

        A second one changes nothing, and a repeated key gets its first answer. Raises NotFound outside their scope,
        RuleBroken where a call is demanded, BadInput for somebody who is not there, IdempotencyConflict.
        """
        by.require("escalation.ack")
        at = self._at
        ids = await at.ids.reserve(text=1)
        fingerprint = hashlib.sha256(msgspec.json.encode(["ack", escalation, sent], order="deterministic")).digest()
        async with at.pool.acquire() as connection, connection.transaction():
            if key is not None and (first := await actions.first_answer(connection, by, key, fingerprint)):
                return first[1]
            row = await connection.fetchrow(SQL.escalation, escalation)
            change = (await record.hold(connection, [row["case_id"]]))[row["case_id"]] if row else None
            if change is None or not sees(change, by, at.cities.current):
                raise NotFound(noun="escalation", key=str(escalation))
            # Read again under the case's lock: somebody may have been faster.
            row = await one(connection, SQL.escalation, escalation)
            moment = change.instant(await at.clock.now(connection))
            if row["acked_at"] is None:
                await self._take(connection, change, row, sent, by, moment, ids)
                await record.save(connection, at.keyring, at.cities.current.map.areas, [change])
            answer = _answer(change, await one(connection, SQL.escalation, escalation))
            if key is not None:
                await connection.execute(actions.SQL.keep_answer, by.name, key, fingerprint, 200, answer, moment)
            return answer

    async def _take(
        self, connection: Connection, change: Change, row: asyncpg.Record, sent: Acknowledgement, by: Principal,
        moment: datetime, ids: Ids,
    ) -> None:  # fmt: skip
        call = sent.call
        if call is None and row["call_demanded"]:
            raise RuleBroken(field="call", problem="This level demands a logged phone call: send call {to, reached}.")
        if call is not None:
            await self._check_called(connection, call.to)
            logged: dict[str, Any] = {"to": call.to, "reached": call.reached}
            change.event("called", moment, by.name, escalation=row["id"], **logged)
            line = msgspec.json.encode([{"at": moment, "by": by.name, **logged}]).decode()
            await connection.execute(SQL.log_call, row["id"], line)
            if call.note:
                change.words.append(Words(ids.take("text"), "note", by.name, {"text": call.note, "evidence": []}))
        if call is None or call.reached:
            await connection.execute(SQL.acknowledge, row["id"], by.name, moment)
            for deadline in change.live():
                if deadline.id == row["deadline_id"] and climbing.acknowledged(deadline, row["level"]):
                    deadline.next_at = clocks.planned_at(deadline)
            change.event("acknowledged", moment, by.name, escalation=row["id"])

    async def _check_called(self, connection: Connection, to: str) -> None:
        if to not in self._at.cities.current.units and not await connection.fetchval(SQL.account_exists, to):
            raise BadInput(field="call.to", problem="is neither an account nor a unit")


def _answer(change: Change, row: asyncpg.Record) -> bytes:
    return msgspec.json.encode(
        Acknowledged(
            row["id"], change.case.case_no, row["acked_by"], row["acked_at"], row["call_demanded"],
            msgspec.Raw(row["calls"].encode()),
        )
    )  # fmt: skip
