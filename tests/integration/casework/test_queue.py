"""A unit's queue: priority order, and each task to one person."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.harness.town import Town, principal, report
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import HANDLER, HEAD
from tests.integration.casework.walks import opened


async def pull(town: Town, name: str, count: int, key: str | None = None, unit: str = "drainage") -> tuple[int, Any]:
    headers = town.acts_as(principal("handler", unit, name=name))
    if key:
        headers["Idempotency-Key"] = key
    async with town.http.post(
        f"{town.url}/api/v1/units/{unit}/queue/pull", json={"count": count}, headers=headers
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def many(town: Town, count: int) -> None:
    """That many cases of one unit, each a matter of its own."""
    made = [report(location={"lon": 116.17 + 0.003 * (i % 12), "lat": 33.12 + 0.003 * (i // 12)}) for i in range(count)]
    for answer in await asyncio.gather(*(town.send(one) for one in made)):
        assert answer[1]["outcome"] in ("opened", "linked"), answer
    await town.rows("UPDATE assignments SET unit = 'drainage' WHERE role = 'lead'")


async def test_twenty_people_who_pull_at_once_get_each_task_once(a_town: Town) -> None:
    await many(a_town, 50)
    rounds = [await asyncio.gather(*(pull(a_town, f"h{i}", 2) for i in range(20))) for _ in range(2)]
    fates = [fate for one in rounds for fate in one]
    assert {status for status, _ in fates} == {200}
    taken = [task["case_no"] for _, tasks in fates for task in tasks]
    assert len(taken) == len(set(taken)) == 50
    rows = await a_town.rows(
        "SELECT count(*) AS n, count(DISTINCT case_id) AS cases FROM case_events WHERE type = 'signed'"
    )
    assert tuple(rows[0]) == (50, 50)


async def test_a_pull_meets_actions_on_the_same_tasks_and_nothing_is_taken_twice(a_town: Town) -> None:
    await many(a_town, 30)
    numbers = [r["case_no"] for r in await a_town.rows("SELECT case_no FROM cases ORDER BY id")]
    by_hand = principal("handler", "drainage", name="by-hand")
    fates = await asyncio.gather(
        *(a_town.act(number, "sign", by_hand, version=1) for number in numbers),
        *(pull(a_town, f"p{i}", 3) for i in range(10)),
    )
    assert {status for status, _ in fates} <= {200, 412, 409}
    assert {status for status, _ in fates[30:]} == {200}
    assert (
        await a_town.value(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM case_events WHERE type = 'signed' GROUP BY case_id) AS s"
        )
        == 1
    )


async def test_a_pull_that_is_sent_again_takes_nothing_more(a_town: Town) -> None:
    await many(a_town, 6)
    fates = await asyncio.gather(*(pull(a_town, "one", 2, key="again") for _ in range(5)))
    assert {status for status, _ in fates} == {200}
    assert len({str(tasks) for _, tasks in fates}) == 1
    assert await a_town.value("SELECT count(*) FROM assignments WHERE state = 'handling' AND role = 'lead'") == 2
    assert (await pull(a_town, "one", 3, key="again"))[0] == 422


async def test_a_quiet_urgent_case_comes_before_a_loud_ordinary_one(a_town: Town) -> None:
    caller = {"name": "李四", "phone": "13900000001"}
    loud = await opened(a_town, category="E0110", caller=caller)
    for _ in range(47):
        status, again = await a_town.send(report(category="E0110", caller=caller))
        assert (status, again["outcome"], again["match"]["verdict"]) == (201, "attached", "repeat")
    a_town.clock.travel(timedelta(minutes=1))
    urgent = await opened(a_town, category="E0502", text="煤气味很大", location={"lon": 116.19, "lat": 33.136})
    await a_town.rows("UPDATE assignments SET unit = 'drainage' WHERE role = 'lead'")
    await a_town.rows("UPDATE cases SET owner_unit = 'drainage'")
    _, page = await a_town.get("/units/drainage/queue", HANDLER)
    assert [row["case_no"] for row in page["items"] if row["role"] == "lead"] == [urgent, loud]
    assert (await a_town.rows("SELECT people, urgency FROM cases WHERE case_no = $1", loud))[0]["people"] == 1
    assert [task["case_no"] for task in (await pull(a_town, "h", 1))[1]] == [urgent]
    # Every call is on the timeline; what the unit is told within the window is one reminder.
    assert (await events_of(a_town, loud)).count("attached") == 47
    assert await a_town.value("SELECT count(*) FROM notices WHERE topic = 'reminder'") == 1


async def test_a_head_pulls_only_from_the_own_subtree(a_town: Town) -> None:
    await many(a_town, 2)
    above, beside = principal("handler", "water-affairs"), principal("handler", "gas")
    for who, expected in ((above, 200), (HEAD, 200), (beside, 403)):
        async with a_town.http.post(
            f"{a_town.url}/api/v1/units/drainage/queue/pull", json={}, headers=a_town.acts_as(who)
        ) as answer:
            assert answer.status == expected, who
