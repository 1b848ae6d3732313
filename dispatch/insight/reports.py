"""Reading a report back, for the side that sent it."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from dispatch.domain import workflow
from dispatch.store.statements import load

SQL = load(__file__, "reports")
# What a citizen is told of a case's state; whatever is not open any more is closed.
PUBLIC = {
    **dict.fromkeys(("received", "need_info", "triage", "verifying", "consulting", "returned", "ruling"), "accepted"),
    **dict.fromkeys(("to_sign", "handling", "suspended", "review"), "in_progress"),
    "followup": "answered",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A report and its case now; without a case it is still in quarantine."""

    channel: str
    receipt_no: str
    first_answer: bytes
    recorded_at: datetime
    case_no: str | None
    state: str | None
    expected_by: datetime | None
    case_id: int | None = None

    @property
    def public_state(self) -> str:
        """under_check, accepted, in_progress, answered or closed."""
        if self.state is None:
            return "under_check"
        return PUBLIC[self.state] if self.state in workflow.OPEN else "closed"


async def by_key(pool: asyncpg.Pool, channel: str, external_id: str) -> Standing | None:
    """The report of a sender's key."""
    return await _standing(pool, await pool.fetchrow(SQL.by_key, channel, external_id))


async def by_receipt(pool: asyncpg.Pool, receipt_no: str) -> Standing | None:
    """The report of a receipt."""
    return await _standing(pool, await pool.fetchrow(SQL.by_receipt, receipt_no))


async def _standing(pool: asyncpg.Pool, row: asyncpg.Record | None) -> Standing | None:
    if row is None:
        return None
    case_id = row["case_id"]
    case = await pool.fetchrow(SQL.state_of, case_id) if case_id else None
    case_no, state, expected_by = (case["case_no"], case["state"], case["expected_by"]) if case else (None, None, None)
    return Standing(
        row["channel"], row["receipt_no"], row["answer"], row["recorded_at"], case_no, state, expected_by, case_id
    )
