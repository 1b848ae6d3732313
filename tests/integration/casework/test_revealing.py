"""One caller's number, for who has to reach them, for a purpose, on record; nobody else and nowhere else."""

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog

from dispatch.people.principal import Principal
from tests.harness.town import DEMO, Town, principal, report
from tests.integration.casework.always import examine
from tests.integration.casework.looking import receipt_of
from tests.integration.casework.people import (
    CITIZEN,
    DISPATCHER,
    HANDLER,
    HEAD,
    OPERATOR,
    REVIEWER,
    STRANGER,
    SUPERVISOR,
)
from tests.integration.casework.walks import brought, elsewhere, opened

# As numbers are kept, and as the second caller gives theirs.
PHONE, OTHER = "+86" + CITIZEN["phone"], "+8613912345678"
LOOK: dict[str, Any] = {"purpose": "site_visit"}


def named_reader(who: Principal) -> Principal:
    """The same person, named for restricted matters."""
    return Principal(
        f"named-{who.name}",
        "account",
        who.unit,
        who.roles | {"restricted_reader"},
        who.permissions | {"restricted.read"},
    )


async def on_record(town: Town) -> list[tuple[str, str, str, str]]:
    rows = await town.rows("SELECT actor, action, subject, purpose FROM access_log ORDER BY id")
    return [tuple(row) for row in rows]


async def test_the_handler_of_the_lead_sees_one_number_and_is_on_record(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    receipt = await receipt_of(a_town, number)
    status, answer = await a_town.act(number, "reveal", HANDLER, **LOOK)
    assert (status, answer["caller"]) == (200, {"receipt_no": receipt, "phone": PHONE})
    assert await on_record(a_town) == [(HANDLER.name, "caller.reveal", f"{number}/{receipt}", "site_visit")]
    _, record = await a_town.get(f"/cases/{number}/events", HANDLER)
    last = record["items"][-1]
    assert (last["type"], last["data"]["purpose"], last["data"]["receipt"]) == ("revealed", "site_visit", receipt)
    assert (await a_town.act(number, "reveal", HANDLER))[1]["field"] == "purpose"
    assert (await a_town.act(number, "reveal", HANDLER, purpose="curious"))[1]["field"] == "purpose"
    # No other action says anything of a caller.
    assert "caller" not in (await a_town.act(number, "contact", HANDLER, reached=True))[1]
    async with a_town._owner() as connection:
        await examine(connection, {})


async def test_nobody_else_sees_it(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    assert (await a_town.act(number, "assist", DISPATCHER, unit="gas", note="现场有燃气管线"))[0] == 200
    assert (await a_town.act(number, "sign", STRANGER))[0] == 200
    for who in (OPERATOR, DISPATCHER, REVIEWER, SUPERVISOR, principal("commander", "city")):
        assert (await a_town.act(number, "reveal", who, version=1, **LOOK))[0] == 403, who
    # Who only helps, and those above the unit that leads.
    assert (await a_town.act(number, "reveal", STRANGER, **LOOK))[0] == 404
    task = await a_town.value("SELECT id FROM assignments WHERE unit = 'drainage'")
    version = await a_town.value("SELECT version FROM assignments WHERE id = $1", task)
    above = principal("handler", "water-affairs")
    assert (await a_town.act(number, "reveal", above, version=version, assignment=task, **LOOK))[0] == 404
    # Not before the task was signed, nor after it was answered.
    waiting = await brought(a_town, "to_sign", location=elsewhere())
    assert (await a_town.act(waiting, "reveal", principal("handler", "drainage"), version=1, **LOOK))[0] in (404, 409)
    answered = await brought(a_town, "review", assigned_unit="drainage", location=elsewhere())
    assert (await a_town.act(answered, "reveal", HANDLER, **LOOK))[1]["type"] == "/problems/action-not-allowed"
    assert await on_record(a_town) == []


async def test_a_unit_that_is_complained_about_and_who_may_not_read_it_see_no_number(a_town: Town) -> None:
    complaint = await opened(a_town, about={"unit": "water-affairs"}, caller=CITIZEN)
    for who in (HANDLER, principal("unit_head", "water-affairs")):
        assert (await a_town.act(complaint, "reveal", who, version=1, **LOOK))[0] == 404
    secret = await opened(
        a_town, category="S110401", text="邻居天天被打", caller=CITIZEN, assigned_unit="drainage", location=elsewhere()
    )
    assert (await a_town.act(secret, "sign", HEAD))[0] == 200
    assert (await a_town.act(secret, "reveal", HANDLER, **LOOK))[0] == 404
    assert (await a_town.act(secret, "reveal", HEAD, **LOOK))[1]["caller"]["phone"] == PHONE


async def test_what_was_said_in_confidence_is_shown_to_named_readers_only(a_town: Town) -> None:
    number = await brought(a_town, "handling", caller={**CITIZEN, "confidential": True})
    status, problem = await a_town.act(number, "reveal", HANDLER, **LOOK)
    assert (status, problem["permission"]) == (403, "restricted.read")
    assert await on_record(a_town) == []
    assert (await a_town.act(number, "reveal", named_reader(HANDLER), **LOOK))[1]["caller"]["phone"] == PHONE


async def test_one_caller_is_shown_the_first_or_the_one_whose_receipt_is_named(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    _, second = await a_town.send(report(caller={"name": "李四", "phone": OTHER}))
    _, third = await a_town.send(report(caller=None))
    assert second["case_no"] == third["case_no"] == number
    assert (await a_town.act(number, "reveal", HANDLER, **LOOK))[1]["caller"]["phone"] == PHONE
    named = second["receipt_no"]
    assert (await a_town.act(number, "reveal", HANDLER, receipt_no=named, **LOOK))[1]["caller"]["phone"] == OTHER
    for receipt, status in ((third["receipt_no"], 409), ("nobody", 400)):
        refused, problem = await a_town.act(number, "reveal", HANDLER, receipt_no=receipt, **LOOK)
        assert (refused, problem["field"]) == (status, "receipt_no")
    # Who took their report back is called no more.
    taken_back: dict[str, Any] = {"receipt_no": await receipt_of(a_town, number)}
    assert (await a_town.act(number, "retract", OPERATOR, **taken_back))[0] == 200
    assert (await a_town.act(number, "reveal", HANDLER, **taken_back, **LOOK))[0] == 409
    assert (await a_town.act(number, "reveal", HANDLER, **LOOK))[1]["caller"]["phone"] == OTHER


async def test_the_number_is_kept_nowhere_and_a_repeated_key_brings_none(a_town: Town) -> None:
    number = await brought(a_town, "handling")
    first = await a_town.act(number, "reveal", HANDLER, key="k", **LOOK)
    again = await a_town.act(number, "reveal", HANDLER, key="k", **LOOK)
    assert first[1]["caller"]["phone"] == PHONE
    assert (again[0], again[1].get("caller")) == (200, None)
    assert {k: v for k, v in first[1].items() if k != "caller"} == again[1]
    assert len(await on_record(a_town)) == 1
    for table in await a_town.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        rows = await a_town.rows(f'SELECT t::text AS x FROM "{table["tablename"]}" t')
        digits = CITIZEN["phone"]
        assert not any(digits in row["x"] or digits.encode().hex() in row["x"] for row in rows), table


@pytest.fixture
def strict_town(a_town: Town) -> Town:
    """A city that expects two looks an hour."""
    city = a_town.services.cities.current
    few = msgspec.structs.replace(city.casework, max_reveals=2)
    a_town.services.cities.current = dataclasses.replace(city, casework=few)
    return a_town


async def test_many_looks_of_one_person_within_an_hour_raise_an_alarm(strict_town: Town) -> None:
    number = await brought(strict_town, "handling")

    def alarms() -> float:
        found: Any = strict_town.services.metrics.registry.get_sample_value(
            "dispatch_unusual_looks_total", {"kind": "caller.reveal"}
        )
        return float(found or 0)

    with structlog.testing.capture_logs() as lines:
        for who in (HANDLER, HANDLER, HEAD):
            assert (await strict_town.act(number, "reveal", who, **LOOK))[0] == 200
        assert alarms() == 0
        assert (await strict_town.act(number, "reveal", HANDLER, **LOOK))[0] == 200
        assert alarms() == 1
    (line,) = [line for line in lines if line["event"] == "numbers looked at"]
    assert (line["log_level"], line["actor"], line["within_the_hour"]) == ("warning", HANDLER.name, 3)
    assert CITIZEN["phone"] not in str(lines)
    strict_town.clock.travel(timedelta(hours=1, minutes=1))
    assert (await strict_town.act(number, "reveal", HANDLER, **LOOK))[0] == 200
    assert alarms() == 1


def test_the_demo_city_says_how_many_looks_it_expects() -> None:
    assert "\nmax_reveals = " in (DEMO / "city.toml").read_text("utf-8")
