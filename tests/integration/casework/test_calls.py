"""Urgent levels are acknowledged with a logged call that reached somebody."""

from datetime import timedelta

import pytest

from tests.harness.town import START, Town
from tests.integration.casework.looking import ack, clocks_of, events, fire_at, levels, the_clock
from tests.integration.casework.people import CITIZEN, DISPATCHER, HEAD, SUPERVISOR, account
from tests.integration.casework.walks import brought, opened

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REACHED = {"to": "drainage", "reached": True}
# The urgent ladder of the demo city: signed within 30 minutes; +30 min, +2 h; climbs after 15 and 30 minutes.
DUE = START + 30 * MINUTE


async def urgent_level(town: Town) -> tuple[str, int]:
    number = await opened(town, caller=CITIZEN)
    await fire_at(town, DUE)
    return number, (await levels(town, number))[1]["id"]


async def test_an_urgent_level_is_acknowledged_with_a_call_that_reached_somebody_only(a_town: Town) -> None:
    await account(a_town, "h1", "unit_head", "drainage")
    number, level = await urgent_level(a_town)
    status, refused = await ack(a_town, level, HEAD)
    assert (status, refused["type"], refused["field"]) == (409, "/problems/rule-broken", "call")
    status, tried = await ack(a_town, level, HEAD, call={"to": "h1", "reached": False, "note": "张三丰没有接"})
    assert (status, tried["acked_by"], tried["call_demanded"]) == (200, None, True)
    assert (await the_clock(a_town, number))["next_at"] == DUE + 15 * MINUTE
    status, done = await ack(a_town, level, HEAD, call={"to": "drainage", "reached": True})
    assert (status, done["acked_by"]) == (200, HEAD.name)
    assert [(call["to"], call["reached"], call["by"]) for call in done["calls"]] == [
        ("h1", False, HEAD.name),
        ("drainage", True, HEAD.name),
    ]
    bodies = await events(a_town, number, "called")
    assert [(each["to"], each["reached"], each["escalation"]) for each in bodies] == [
        ("h1", False, level),
        ("drainage", True, level),
    ]
    assert "张三丰" not in str(bodies)
    notes = await a_town.rows("SELECT sealed FROM texts WHERE kind = 'note' AND author = $1", HEAD.name)
    assert len(notes) == 1
    assert "张三丰".encode() not in notes[0]["sealed"]
    _, page = await a_town.get("/escalations?level=1", SUPERVISOR)
    (listed,) = [each for each in page["items"] if each["id"] == level]
    assert (listed["call_demanded"], len(listed["calls"])) == (True, 2)
    _, case = await a_town.get(f"/cases/{number}", DISPATCHER)
    (shown,) = [each for each in case["escalations"] if each["id"] == level]
    assert (shown["call_demanded"], len(shown["calls"]), shown["acked_by"]) == (True, 2, HEAD.name)


async def test_a_call_goes_to_somebody_who_is_there_and_never_to_a_number(a_town: Town) -> None:
    await account(a_town, "former", "unit_head", "drainage")
    await a_town.rows("UPDATE accounts SET retired_at = $1 WHERE username = 'former'", START)
    number, level = await urgent_level(a_town)
    for to in ("13812345678", "former", "nobody"):
        status, refused = await ack(a_town, level, HEAD, call={"to": to, "reached": True})
        assert (status, refused["field"]) == (400, "call.to")
    assert await events(a_town, number, "called", "acknowledged") == []


async def test_the_same_request_again_logs_no_second_call(a_town: Town) -> None:
    number, level = await urgent_level(a_town)
    tried = {"to": "drainage", "reached": False}
    assert await ack(a_town, level, HEAD, key="k1", call=tried) == await ack(a_town, level, HEAD, key="k1", call=tried)
    assert len(await events(a_town, number, "called")) == 1
    assert (await ack(a_town, level, HEAD, key="k1", call=REACHED))[0] == 422


async def test_the_schema_lets_no_demanded_call_be_left_out(a_town: Town) -> None:
    _, level = await urgent_level(a_town)
    with pytest.raises(Exception, match="demanded_call_reached_somebody"):
        await a_town.rows("UPDATE escalations SET acked_by = 'x', acked_at = $2 WHERE id = $1", level, DUE)


async def test_an_ordinary_level_needs_no_call_and_keeps_one_that_is_sent(a_town: Town) -> None:
    number = await brought(a_town, "triage")
    (close,) = await clocks_of(a_town, number, "close")
    await fire_at(a_town, close["due_at"])
    found = await levels(a_town, number, "close", close["unit"])
    first = next(each for each in found if each["level"] == 1)
    status, tried = await ack(a_town, first["id"], SUPERVISOR, call={"to": "hotline", "reached": False})
    assert (status, tried["acked_by"], len(tried["calls"])) == (200, None, 1)
    status, done = await ack(a_town, first["id"], SUPERVISOR)
    assert (status, done["acked_by"], done["call_demanded"]) == (200, SUPERVISOR.name, False)
