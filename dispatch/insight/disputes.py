"""Disputes (争议) counted, and what settled ones propose for the duty book (权责清单)."""

from datetime import datetime
from typing import Any

from dispatch.casework.actions import Workplace
from dispatch.domain.errors import NotFound
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "disputes")


async def counted(at: Workplace, since: datetime, until: datetime) -> dict[str, Any]:
    """Rulings of a period by category and pair of units, with the seconds they took; and cases in dispute now."""
    rows = await at.pool.fetch(SQL.pairs, since, until)
    return {"settled": [dict(row) for row in rows], "open": await at.pool.fetchval(SQL.open_disputes)}


async def proposals(
    at: Workplace, status: str | None, after: tuple[datetime, int] | None, limit: int
) -> list[dict[str, Any]]:
    """Changes that rulings propose, newest first."""
    moment, last = after or (datetime.fromisoformat("9999-01-01T00:00:00+00:00"), 0)
    return [dict(row) for row in await at.pool.fetch(SQL.proposals, status, moment, last, limit)]


async def decide(at: Workplace, proposal: int, by: Principal, *, accept: bool) -> dict[str, Any]:
    """A person takes a proposal up or not; the first word stands. Raises NotFound."""
    by.require("proposal.decide")
    status = "accepted" if accept else "declined"
    await at.pool.execute(SQL.decide, proposal, status, by.name, await at.clock.now(at.pool))
    row = await at.pool.fetchrow(SQL.proposal, proposal)
    if row is None:
        raise NotFound(noun="proposal", key=str(proposal))
    return dict(row)
