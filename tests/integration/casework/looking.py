"""What can be seen of a case: its clocks, its record, its levels; and what happens to it in time."""

from datetime import datetime
from typing import Any

import msgspec

from dispatch.people.principal import Principal
from tests.harness.town import Town
from tests.integration.casework.people import HEAD


async def lead_of(town: Town, number: str) -> str:
    """The unit that leads a case."""
    unit: str = await town.value(
        "SELECT a.unit FROM assignments a JOIN cases c ON c.lead_assignment_id = a.id WHERE c.case_no = $1", number
    )
    return unit


async def receipt_of(town: Town, number: str) -> str:
    """The receipt of a case's first report."""
    receipt: str = await town.value(
        "SELECT r.receipt_no FROM reports r JOIN cases c ON c.id = r.case_id WHERE c.case_no = $1 ORDER BY r.id LIMIT 1",
        number,
    )
    return receipt


async def clocks_of(town: Town, number: str, clock: str) -> list[dict[str, Any]]:
    """Every clock of that name of a case, as stored."""
    rows = await town.rows(
        "SELECT d.* FROM deadlines d JOIN cases c ON c.id = d.case_id WHERE c.case_no = $1 AND d.clock = $2 ORDER BY d.id",
        number,
        clock,
    )
    return [dict(row) for row in rows]


async def events_of(town: Town, number: str) -> list[str]:
    """The types of a case's events in order."""
    rows = await town.rows(
        "SELECT e.type FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 ORDER BY e.seq", number
    )
    return [row["type"] for row in rows]


async def levels(town: Town, number: str, clock: str = "sign", unit: str = "drainage") -> list[dict[str, Any]]:
    """The levels that fired on one clock of a case, in order."""
    rows = await town.rows(
        "SELECT e.* FROM escalations e JOIN deadlines d ON d.id = e.deadline_id JOIN cases c ON c.id = e.case_id "
        "WHERE d.clock = $1 AND c.case_no = $2 AND d.unit = $3 ORDER BY e.id",
        clock,
        number,
        unit,
    )
    return [dict(row) for row in rows]


async def ack(
    town: Town, escalation: int, who: Principal = HEAD, key: str | None = None, **body: Any
) -> tuple[int, Any]:
    """Acknowledges a level; the status and the body."""
    headers = town.acts_as(who) | ({"Idempotency-Key": key} if key else {})
    async with town.http.post(
        f"{town.url}/api/v1/escalations/{escalation}/ack", json=body or None, headers=headers
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def events(
    town: Town, number: str, *types: str, clock: str = "sign", unit: str = "drainage"
) -> list[dict[str, Any]]:
    """The bodies of a case's events of these types about one clock."""
    rows = await town.rows(
        "SELECT e.body FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 AND e.type = ANY ($2) ORDER BY e.seq",
        number,
        types,
    )
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    return [each for each in bodies if each.get("clock", clock) == clock and each.get("unit", unit) == unit]


async def told(town: Town, number: str, level: int, clock: str = "sign") -> set[str]:
    """Who found a level of drainage's clock in an inbox."""
    rows = await town.rows(
        "SELECT n.recipient FROM notices n JOIN cases c ON c.id = n.case_id JOIN case_events e ON e.case_id = c.id AND e.seq = n.event_seq "
        "WHERE c.case_no = $1 AND n.body->>'level' = $2 AND n.body->>'clock' = $3 AND n.medium = 'inbox' "
        "AND convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage'",
        number,
        str(level),
        clock,
    )
    return {row["recipient"] for row in rows}


async def the_clock(town: Town, number: str, clock: str = "sign", unit: str = "drainage") -> dict[str, Any]:
    (found,) = [each for each in await clocks_of(town, number, clock) if each["unit"] == unit]
    return found


async def fire_at(town: Town, at: datetime) -> int:
    town.clock.at = at
    return await town.fire()
