"""Two services on one database: whatever is due acts once, also when one of them is killed in the middle."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import msgspec

from tests.faults.callers import report
from tests.faults.service import Ground, Service, serving

CASES = 600


async def test_deadlines_of_many_cases_act_once_though_one_of_two_services_is_killed(
    on_embedded: Ground, tmp_path: Path
) -> None:
    environment = on_embedded.environment(tmp_path)
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(serving(tmp_path / name, environment=environment)) for name in ("first", "second")
        )
        await take(first, on_embedded.key)
        due = await on_embedded.rows("SELECT id FROM deadlines WHERE next_at IS NOT NULL")
        assert len(due) > CASES
        before = await on_embedded.value("SELECT count(*) FROM case_events WHERE actor = 'deadlines'")
        await on_embedded.rows("UPDATE deadlines SET next_at = clock_timestamp() WHERE next_at IS NOT NULL")
        await acted(on_embedded, before + 1)
        left = await on_embedded.value("SELECT count(*) FROM deadlines WHERE next_at <= clock_timestamp()")
        first.kill()
        await acted(on_embedded, before + len(due))
        assert left, "everything had acted before the kill"
        await check_acted_once(on_embedded)
        assert second.end() == 0


async def take(service: Service, key: str) -> None:
    """Has so many cases made, each of a place of its own."""
    lines = b"\n".join(msgspec.json.encode(report(3 * number, "due")) for number in range(CASES))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
        where = f"{service.url}/api/v1/reports/batch"
        async with http.post(where, data=lines, headers={"Content-Type": "application/x-ndjson"}) as answer:
            assert {msgspec.json.decode(line)["status"] for line in (await answer.read()).splitlines()} == {201}


async def acted(ground: Ground, count: int) -> None:
    """Waits until so many steps of deadlines are on record."""
    async with asyncio.timeout(60):
        while await ground.value("SELECT count(*) FROM case_events WHERE actor = 'deadlines'") < count:
            await asyncio.sleep(0.01)


async def check_acted_once(ground: Ground) -> None:
    """No step of a clock is on record twice, was escalated twice, or told anybody twice."""
    steps = await ground.rows("SELECT body FROM case_events WHERE actor = 'deadlines'")
    bodies = [msgspec.json.decode(row["body"]) for row in steps]
    known = [
        (b["case_no"], b.get("clock"), b.get("assignment"), b.get("round"), b.get("planned_at"), b["type"])
        for b in bodies
    ]
    assert len(known) == len(set(known))
    for twice in (
        "SELECT deadline_id, level FROM escalations GROUP BY 1, 2 HAVING count(*) > 1",
        """SELECT case_id, recipient, medium, body FROM notices WHERE topic = 'deadline'
           GROUP BY 1, 2, 3, 4 HAVING count(*) > 1""",
    ):
        assert not await ground.rows(twice)
