"""Loading a city: what it would change, what it moves, and who goes on under which version."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dispatch.casework.moves import mover
from dispatch.city import load as loading
from dispatch.city.archive import pack
from dispatch.city.files import CONFIG
from dispatch.city.load import Plan
from dispatch.domain.errors import RuleBroken
from tests.harness.town import DEMO, KEYRING, REPLY, START, Town, load_city, principal, report, town
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import events_of
from tests.integration.casework.people import DISPATCHER, SUPERVISOR
from tests.integration.casework.walks import brought, opened, ordered
from tests.integration.city.conftest import Change

UNIT = "drainage,云川排水公司,water-affairs,1,utility,9901,\n"


@pytest.fixture
async def old_town(database_url: str, redis_url: str, old_city: bytes) -> AsyncIterator[Town]:
    """A service on the city as it was."""
    await load_city(database_url, old_city)
    async with town(database_url, redis_url, loaded=True) as made:
        yield made


async def planned(at: Town, archive: bytes) -> Plan:
    connection = await asyncpg.connect(at.database_url)
    try:
        return await loading.plan(connection, archive)
    finally:
        await connection.close()


async def applied(at: Town, plan: Plan) -> int:
    connection = await asyncpg.connect(at.database_url, server_settings={"timezone": "UTC"})
    try:
        async with connection.transaction():
            return await loading.apply(connection, plan, by="test", now=at.clock.at, move=mover(KEYRING))
    finally:
        await connection.close()


def replaced(folder: Path, change: Change, unit: str, *, named: bool = True) -> None:
    """The city without the drainage company; `unit` does its work."""
    change("units.csv", UNIT, "")
    change("duty.csv", "drainage", unit)
    change("accounts.csv", ",drainage\n", f",{unit}\n")
    if named:
        (folder / "successors.csv").write_text(f"kind,code,successor\nunit,drainage,{unit}\n", "utf-8")


async def clocks(at: Town) -> list[Any]:
    rows = await at.rows(
        "SELECT id, clock, started_at, due_at, status, step, next_at, plan, stopped_at FROM deadlines ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def test_a_plan_says_what_would_change_and_changes_nothing(
    old_town: Town, folder: Path, change: Change, old_city: bytes
) -> None:
    await opened(old_town)
    assert (await planned(old_town, old_city)).same
    replaced(folder, change, "gas", named=False)
    plan = await planned(old_town, pack(folder))
    assert plan.difference is not None
    assert (plan.difference.units.removed, plan.orphans, plan.touched, plan.same) == (
        ("drainage",),
        (("unit", "drainage"),),
        1,
        False,
    )
    with pytest.raises(RuleBroken, match="removed without a successor: unit drainage"):
        await applied(old_town, plan)
    assert await old_town.value("SELECT count(*) FROM city_versions") == 1
    assert await old_town.value("SELECT retired_at FROM units WHERE code = 'drainage'") is None


async def test_the_cases_of_a_removed_unit_move_with_an_event_and_unchanged_clocks(
    old_town: Town, folder: Path, change: Change
) -> None:
    waiting = await opened(old_town)
    crowded = await brought(old_town, "triage", location={"lon": 116.2, "lat": 33.14})
    assert (await old_town.act(crowded, "dispatch", DISPATCHER, unit="drainage", assists=["gas"]))[0] == 200
    about = await opened(
        old_town,
        about={"unit": "drainage"},
        category="S020101",
        text="收费不合理",
        location={"lon": 116.18, "lat": 33.125},
    )
    closed = await old_town.value("SELECT count(*) FROM assignments")
    before = await clocks(old_town)
    replaced(folder, change, "gas")
    plan = await planned(old_town, pack(folder))
    old_town.clock.travel(timedelta(minutes=5))
    assert (plan.touched, plan.orphans) == (2, ())
    assert await applied(old_town, plan) == 2
    after = await clocks(old_town)
    ended = {row[0] for row in after if row[8] is not None} - {row[0] for row in before if row[8] is not None}
    assert [row for row in after if row[0] not in ended] == [row for row in before if row[0] not in ended]
    # The assist that would have been the lead's double has ended, and nothing else.
    rows = await old_town.rows(
        "SELECT a.unit, a.role, a.state FROM assignments a JOIN cases c ON c.id = a.case_id WHERE c.case_no = $1 ORDER BY a.id",
        crowded,
    )
    assert [tuple(row) for row in rows] == [("gas", "lead", "to_sign"), ("gas", "assist", "withdrawn")]
    assert len(ended) == 2
    for number in (waiting, crowded):
        assert (await events_of(old_town, number))[-1] == "moved"
        assert await old_town.value("SELECT owner_unit FROM cases WHERE case_no = $1", number) == "gas"
    assert await old_town.value("SELECT count(*) FROM deadlines WHERE unit = 'drainage' AND stopped_at IS NULL") == 0
    assert await old_town.value("SELECT count(*) FROM assignments") == closed
    # What was said against the old unit is now against its successor.
    assert await old_town.value("SELECT about_unit FROM cases WHERE case_no = $1", about) == "gas"
    # The running service swaps, and the successor's people go on.
    assert await old_town.services.cities.refresh(old_town.services.pool)
    assert old_town.services.cities.current.version == 2
    assert (await old_town.act(waiting, "sign", principal("handler", "gas")))[0] == 200
    assert (await old_town.get(f"/cases/{waiting}", principal("handler", "drainage")))[0] == 404
    _, answer = await old_town.send(report(location={"lon": 116.21, "lat": 33.15}))
    assert answer["lead_unit"] == "gas"


async def test_parts_opinions_and_visits_outlive_a_removed_unit(old_town: Town, folder: Path, change: Change) -> None:
    asked = await brought(old_town, "triage")
    assert (await old_town.act(asked, "consult", DISPATCHER, units=["drainage", "housing"], note="是否在你单位"))[
        0
    ] == 200
    parted = await brought(old_town, "handling", location={"lon": 116.2, "lat": 33.14})
    assert (await old_town.act(parted, "divide", DISPATCHER, units=["water-affairs"], note="分工"))[0] == 200
    replaced(folder, change, "gas")
    await applied(old_town, await planned(old_town, pack(folder)))
    assert await old_town.services.cities.refresh(old_town.services.pool)
    assert (await old_town.act(asked, "advise", principal("handler", "gas"), note="不在我司管线范围"))[0] == 200
    for action in ("sign", "reply"):
        assert (await old_town.act(parted, action, principal("handler", "water-affairs"), **BODY[action]))[0] == 200
    assert (await old_town.act(parted, "reply", principal("handler", "gas"), **REPLY))[0] == 200


async def test_parts_of_a_doubled_task_end_with_it(old_town: Town, folder: Path, change: Change) -> None:
    number = await brought(old_town, "triage")
    assert (await old_town.act(number, "dispatch", DISPATCHER, unit="gas", assists=["drainage"], category="E0506"))[
        0
    ] == 200
    assert (await old_town.act(number, "sign", principal("handler", "drainage")))[0] == 200
    task = await old_town.value("SELECT id FROM assignments WHERE role = 'assist'")
    # A part as `delegate` gives it: no unit of the demo city is below this one.
    await old_town.rows(
        "INSERT INTO assignments (id, case_id, role, unit, state, dispatched_at, dispatched_by, route, parent_id)"
        " SELECT id + 1000, case_id, 'child', 'housing', 'to_sign', dispatched_at, 'test', '{}', id FROM assignments WHERE id = $1",
        task,
    )
    replaced(folder, change, "gas")
    await applied(old_town, await planned(old_town, pack(folder)))
    rows = await old_town.rows("SELECT role, state FROM assignments WHERE role <> 'lead' ORDER BY id")
    assert [tuple(row) for row in rows] == [("assist", "withdrawn"), ("child", "withdrawn")]


async def test_a_closed_case_of_a_removed_unit_reopens_at_the_dispatch_desk(
    old_town: Town, folder: Path, change: Change
) -> None:
    number = await brought(old_town, "closed")
    replaced(folder, change, "gas")
    await applied(old_town, await planned(old_town, pack(folder)))
    assert await old_town.services.cities.refresh(old_town.services.pool)
    status, answer = await old_town.act(number, "reopen", SUPERVISOR, note="没有解决")
    assert (status, answer["state"]) == (200, "triage")
    assert await old_town.value("SELECT owner_unit FROM cases WHERE case_no = $1", number) == "dispatch"
    assert (await old_town.act(number, "dispatch", DISPATCHER, unit="gas", note="由继任单位办理"))[0] == 200


async def test_an_order_to_a_removed_unit_is_its_successors_also_about_a_closed_case(
    old_town: Town, folder: Path, change: Change
) -> None:
    number = await brought(old_town, "closed", assigned_unit="drainage")
    order = await ordered(old_town, number)
    replaced(folder, change, "gas")
    plan = await planned(old_town, pack(folder))
    assert plan.touched == 1
    await applied(old_town, plan)
    assert await old_town.services.cities.refresh(old_town.services.pool)
    assert await old_town.value("SELECT unit FROM orders WHERE id = $1", order) == "gas"
    answered = await old_town.act(number, "answer_order", principal("handler", "gas"), note="由本单位接续处置")
    assert answered[0] == 200, answered
    assert (await old_town.act(number, "decide_order", SUPERVISOR, approve=True))[0] == 200


async def test_a_case_whose_last_acting_clock_ends_with_a_doubled_task_gets_a_review(
    old_town: Town, folder: Path, change: Change
) -> None:
    number = await brought(old_town, "triage")
    assert (await old_town.act(number, "dispatch", DISPATCHER, unit="drainage", assists=["gas"], category="E0506"))[
        0
    ] == 200
    # Only the clocks of the assist, which the lead's successor has already, are left to act.
    await old_town.rows(
        "UPDATE deadlines SET status = 'missed', next_at = NULL WHERE stopped_at IS NULL AND unit <> 'gas'"
        " AND case_id = (SELECT id FROM cases WHERE case_no = $1)",
        number,
    )
    replaced(folder, change, "gas")
    await applied(old_town, await planned(old_town, pack(folder)))
    assert (await events_of(old_town, number))[-3:] == ["withdrawn", "moved", "review_set"]
    assert await old_town.value("SELECT count(*) FROM deadlines WHERE clock = 'review' AND next_at IS NOT NULL") == 1


async def test_a_new_unit_takes_over_cases_that_were_opened_before_it_existed(
    old_town: Town, folder: Path, change: Change
) -> None:
    number = await opened(old_town)
    change("units.csv", UNIT, UNIT.replace("drainage,云川排水公司", "sewage,云川水务集团"))
    change("duty.csv", "drainage", "sewage")
    change("accounts.csv", ",drainage\n", ",sewage\n")
    (folder / "successors.csv").write_text("kind,code,successor\nunit,drainage,sewage\n", "utf-8")
    assert await applied(old_town, await planned(old_town, pack(folder))) == 1
    assert await old_town.services.cities.refresh(old_town.services.pool)
    sewage = principal("handler", "sewage")
    assert (await old_town.act(number, "sign", sewage))[0] == 200
    assert (await old_town.act(number, "reply", sewage, **REPLY))[0] == 200


async def test_the_cases_of_removed_cells_move_to_the_successors(old_town: Town, folder: Path, change: Change) -> None:
    numbers = [await opened(old_town, location={"lon": 116.17 + 0.004 * i, "lat": 33.13}) for i in range(4)]
    before = await clocks(old_town)
    change("city.toml", "size_m = 900", "size_m = 2000")
    plan = await planned(old_town, pack(folder))
    assert {kind for kind, _ in plan.orphans} == {"cell"}
    lines = [f"cell,{code},{code[:12]}001" for _, code in plan.orphans]
    (folder / "successors.csv").write_text("\n".join(["kind,code,successor", *lines, ""]), "utf-8")
    plan = await planned(old_town, pack(folder))
    gone = {code for _, code in (await planned(old_town, plan.archive)).city.successors}
    there = await old_town.value("SELECT count(*) FROM cases WHERE cell = ANY ($1)", sorted(gone))
    assert there == plan.touched > 0
    assert await applied(old_town, plan) == there
    assert await clocks(old_town) == before
    rows = await old_town.rows("SELECT cell, area FROM cases")
    cells = {cell.code: cell.area for cell in plan.city.map.cells}
    assert all(cells[row["cell"]] == row["area"] for row in rows)
    assert sum([(await events_of(old_town, number))[-1] == "moved" for number in numbers]) == there


async def test_old_cases_keep_the_limits_of_their_version(old_town: Town, folder: Path, change: Change) -> None:
    old = await brought(old_town, "returned")
    urgent = 'urgency = ["urgent", "critical"]\nlimit = '
    defaults = (CONFIG / "policies.toml").read_text("utf-8")
    (folder / "policies.toml").write_text(defaults.replace(f'{urgent}"30min"', f'{urgent}"50min"'), "utf-8")
    await applied(old_town, await planned(old_town, pack(folder)))
    assert await old_town.services.cities.refresh(old_town.services.pool)
    assert (await old_town.act(old, "dispatch", DISPATCHER, unit="gas"))[0] == 200
    new = await opened(old_town, location={"lon": 116.2, "lat": 33.14})
    limits = {}
    for number in (old, new):
        _, explained = await old_town.get(f"/cases/{number}/deadlines/explain", principal("supervisor", "supervision"))
        limits[number] = (
            explained["city_version"],
            [d["limit_text"] for d in explained["deadlines"] if d["clock"] == "sign"][-1],
        )
    assert limits == {old: (1, "30min"), new: (2, "50min")}


async def test_of_two_loads_at_once_one_is_told_to_compare_again(old_town: Town, folder: Path, change: Change) -> None:
    change("city.toml", "radius_m = 150", "radius_m = 140")
    first = await planned(old_town, pack(folder))
    change("city.toml", "radius_m = 140", "radius_m = 130")
    second = await planned(old_town, pack(folder))
    fates = await asyncio.gather(applied(old_town, first), applied(old_town, second), return_exceptions=True)
    assert sorted(type(fate).__name__ for fate in fates) == ["RuleBroken", "int"]
    assert await old_town.value("SELECT count(*) FROM city_versions") == 2


async def test_a_report_that_waits_while_a_city_is_loaded_is_taken_in_under_the_new_one(
    a_town: Town, tmp_path: Path
) -> None:
    folder = tmp_path / "city"
    shutil.copytree(DEMO, folder)
    settings = folder / "city.toml"
    settings.write_text(settings.read_text("utf-8").replace("route = true", "route = false"), "utf-8")
    before = a_town.services.cities.current.version
    await load_city(a_town.database_url, pack(folder), START)
    status, answer = await a_town.send(report())
    assert (status, answer["outcome"], answer["route"]["rule"]) == (201, "triage", "by_hand")
    assert await a_town.value("SELECT city_version FROM cases") == before + 1
