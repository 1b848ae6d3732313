"""What could not be taken in (待核): listed with its owner and deadline, read at the desk, corrected and released."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from dispatch.domain.errors import BadInput, NotFound
from dispatch.domain.reports import Report
from dispatch.intake.commit import SQL, Entry
from dispatch.intake.intake import Intake, Received
from dispatch.people.keyring import Keyring, Sealed, aad
from dispatch.people.principal import Principal
from dispatch.store.access import log_access
from dispatch.store.clock import Clock

EARLIEST = (datetime(1970, 1, 1, tzinfo=UTC), 0)


class Quarantine:
    """The entries that wait for a person."""

    def __init__(self, pool: asyncpg.Pool, intake: Intake, keyring: Keyring, clock: Clock) -> None:
        self._pool, self._intake, self._keyring, self._clock = pool, intake, keyring, clock

    async def entries(self, after: tuple[Any, ...] | None, limit: int) -> list[dict[str, Any]]:
        """A page of open entries, oldest first; without the words."""
        return [dict(row) for row in await self._pool.fetch(SQL.quarantine_list, *(after or EARLIEST), limit)]

    async def waiting(self) -> int:
        """How many entries wait for a person."""
        count: int = await self._pool.fetchval(SQL.quarantine_waiting)
        return count

    async def entry(self, number: int, by: Principal) -> dict[str, Any]:
        """One open entry with the report as it was sent; who looked is logged. Raises NotFound."""
        row = await self._row(number)
        await log_access(self._pool, await self._clock.now(self._pool), by.name, "quarantine.read", row["receipt_no"])
        shown = {
            k: row[k]
            for k in (
                "id",
                "receipt_no",
                "channel",
                "external_id",
                "reason",
                "field",
                "owner_unit",
                "entered_at",
                "due_at",
                "level",
            )
        }
        return {**shown, "report": msgspec.to_builtins(self._entry(row).report)}

    async def release(self, number: int, corrected: Report, by: Principal) -> Received:
        """Takes the corrected report in under the same receipt. Raises NotFound, BadInput, and what intake raises.

        It is judged as it came: what only its sender might say stays, and recorded history stays history.
        """
        row = await self._row(number)
        for name in ("channel", "external_id"):
            if getattr(corrected, name) != row[name]:
                raise BadInput(field=name, problem=f"stays {row[name]}: it is the same report")
        came_as = {"report.backfill"} if self._entry(row).backfill else {"report.relay"}
        return await self._intake.release(corrected, replace(by, permissions=by.permissions | came_as), by.name)

    async def _row(self, number: int) -> asyncpg.Record:
        row = await self._pool.fetchrow(SQL.quarantine_entry, number)
        if row is None:
            raise NotFound(noun="quarantine entry", key=str(number))
        return row

    def _entry(self, row: asyncpg.Record) -> Entry:
        sealed = Sealed(row["key_id"], row["nonce"], row["sealed"])
        return msgspec.json.decode(
            self._keyring.open(sealed, aad("quarantine", "sealed", row["receipt_no"])), type=Entry
        )
