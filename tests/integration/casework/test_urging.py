"""A written reminder reaches whoever has the next move, and nobody gets it twice."""

from datetime import timedelta
from typing import Any

from tests.harness.town import REPLY, Town, principal
from tests.integration.casework.always import examine
from tests.integration.casework.looking import events
from tests.integration.casework.people import COMMANDER, DISPATCHER, HANDLER, OPERATOR, SUPERVISOR, account, staffed
from tests.integration.casework.walks import brought, opened

NOTE: dict[str, Any] = {"note": "请抓紧办理"}


async def told(town: Town) -> list[str]:
    """Who found a reminder in an inbox, in the order in which they came."""
    rows = await town.rows(
        "SELECT recipient FROM notices WHERE topic = 'urged' AND medium = 'inbox' ORDER BY created_at, event_seq, recipient"
    )
    return [row["recipient"] for row in rows]


async def test_within_the_window_whoever_urges_again_is_counted_and_nobody_is_told_twice(a_town: Town) -> None:
    await staffed(a_town)
    await account(a_town, "w2", "handler", "drainage")
    number = await opened(a_town, assigned_unit="drainage")
    assert (await a_town.act(number, "sign", HANDLER))[0] == 200
    assert (await a_town.act(number, "assign", principal("unit_head", "drainage"), account="w1"))[0] == 200
    status, answer = await a_town.act(number, "urge", SUPERVISOR, **NOTE)
    assert (status, answer["merged_into_previous"]) == (200, False)
    assert await told(a_town) == ["account:h1", "account:w1"]  # who has the task and the head, no other handler
    for minutes, who in ((1, OPERATOR), (60, DISPATCHER), (178, COMMANDER)):
        a_town.clock.travel(timedelta(minutes=minutes))
        status, answer = await a_town.act(number, "urge", who, **NOTE)
        assert (status, answer["merged_into_previous"]) == (200, True), who
    assert len(await told(a_town)) == 2
    a_town.clock.travel(timedelta(minutes=1))  # four hours after the first
    assert (await a_town.act(number, "urge", OPERATOR))[1]["merged_into_previous"] is False
    assert len(await told(a_town)) == 4
    _, case = await a_town.get(f"/cases/{number}", SUPERVISOR)
    assert [(each["nth"], each["merged_into"]) for each in case["urges"]] == [
        (1, None),
        (2, 1),
        (3, 1),
        (4, 1),
        (5, None),
    ]
    assert [each["merged_into"] for each in await events(a_town, number, "urged")] == [None, 1, 1, 1, None]
    assert [text["text"] for text in case["texts"] if text["kind"] == "note"] == [NOTE["note"]] * 4
    async with a_town._owner() as connection:
        await examine(connection, {})


async def test_once_the_next_move_is_somebody_elses_a_reminder_is_a_first_one_again(a_town: Town) -> None:
    await staffed(a_town)
    await account(a_town, "rev", "reviewer", "dispatch")
    number = await brought(a_town, "handling", assigned_unit="drainage")
    assert (await a_town.act(number, "urge", SUPERVISOR))[1]["merged_into_previous"] is False
    assert (await a_town.act(number, "reply", HANDLER, **REPLY))[0] == 200
    a_town.clock.travel(timedelta(minutes=1))
    assert (await a_town.act(number, "urge", SUPERVISOR))[1]["merged_into_previous"] is False
    assert (await told(a_town))[-1] == "account:rev"


async def test_a_repeated_key_is_no_second_reminder(a_town: Town) -> None:
    number = await opened(a_town, assigned_unit="drainage")
    version = await a_town.version_for(number, "urge", SUPERVISOR)
    first = await a_town.act(number, "urge", SUPERVISOR, version=version, key="k1")
    assert await a_town.act(number, "urge", SUPERVISOR, version=version, key="k1") == first
    assert await a_town.value("SELECT count(*) FROM urges") == 1


async def test_a_ruling_that_is_awaited_is_urged_at_the_supervisors(a_town: Town) -> None:
    await staffed(a_town)
    number = await brought(a_town, "ruling", assigned_unit="drainage")
    assert (await a_town.act(number, "urge", DISPATCHER))[0] == 200
    assert await told(a_town) == ["account:sup"]
