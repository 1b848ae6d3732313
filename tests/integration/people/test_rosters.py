"""Rosters over the API and from the command line."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import main
from dispatch.people.principal import Principal
from tests.harness.town import Town, principal
from tests.integration.casework.people import account

HEAD, GAS_HEAD = principal("unit_head", "drainage"), principal("unit_head", "gas")
HANDLER, OPERATOR = principal("handler", "drainage"), principal("operator", "hotline")
SUPERVISOR, COMMANDER = principal("supervisor", "supervision"), principal("commander", "city")
NIGHT = {"starts_at": "2026-11-18T20:00:00+08:00", "ends_at": "2026-11-19T08:00:00+08:00"}
SHIFT = {"unit": "drainage", "role": "unit_head", "account": "w1", **NIGHT}


async def send(town: Town, method: str, path: str, who: Principal, body: Any = None) -> tuple[int, Any]:
    async with town.http.request(method, f"{town.url}/api/v1{path}", json=body, headers=town.acts_as(who)) as answer:
        return answer.status, await answer.json(content_type=None) if answer.status != 204 else None


@pytest.fixture
async def staffed(a_town: Town) -> Town:
    """A town with a handler and a head at drainage, and a commander."""
    for name, role, unit in (
        ("w1", "handler", "drainage"),
        ("h1", "unit_head", "drainage"),
        ("com", "commander", "city"),
    ):
        await account(a_town, name, role, unit)
    return a_town


async def test_a_shift_is_written_seen_and_taken_back(staffed: Town) -> None:
    status, made = await send(staffed, "POST", "/shifts", HEAD, SHIFT)
    assert (status, made["made_by"], made["account"]) == (201, HEAD.name, "w1")
    assert (await send(staffed, "POST", "/shifts", HEAD, SHIFT))[0] == 409
    _, page = await send(staffed, "GET", "/shifts?unit=drainage", HANDLER)
    assert [each["id"] for each in page["items"]] == [made["id"]]
    _, roster = await send(staffed, "GET", "/rosters/drainage?at=2026-11-18T23:30:00%2B08:00", HANDLER)
    duty = {each["role"]: (each["accounts"], each["by_shift"]) for each in roster["duty"]}
    assert duty == {"handler": (["w1"], False), "unit_head": (["w1"], True)}
    assert (await send(staffed, "DELETE", f"/shifts/{made['id']}", HEAD))[0] == 204
    assert (await send(staffed, "DELETE", f"/shifts/{made['id']}", HEAD))[0] == 404
    _, page = await send(staffed, "GET", "/shifts?unit=drainage", HANDLER)
    assert page["items"] == []
    row = (await staffed.rows("SELECT removed_by, removed_at FROM shifts"))[0]
    assert tuple(row) == (HEAD.name, staffed.clock.at)
    logged = await staffed.rows("SELECT actor, action, subject FROM access_log ORDER BY id")
    assert [tuple(each) for each in logged] == [
        (HEAD.name, "shift.added", "drainage/unit_head/w1"),
        (HEAD.name, "shift.removed", "drainage/unit_head/w1"),
    ]


async def test_leave_brings_the_stand_in_and_without_one_the_post_is_vacant(staffed: Town) -> None:
    status, made = await send(staffed, "POST", "/leaves", HEAD, {"account": "h1", **NIGHT})
    assert (status, made["unit"], made["stand_in"]) == (201, "drainage", None)
    at = "?at=2026-11-18T20:00:00%2B08:00"
    _, roster = await send(staffed, "GET", f"/rosters/drainage{at}", HEAD)
    assert roster["vacant"] == ["unit_head"]
    status, refused = await send(staffed, "POST", "/leaves", HEAD, {"account": "h1", **NIGHT, "stand_in": "w1"})
    assert (status, refused["type"]) == (409, "/problems/rule-broken")
    assert (await send(staffed, "DELETE", f"/leaves/{made['id']}", HEAD))[0] == 204
    assert (await send(staffed, "POST", "/leaves", HEAD, {"account": "h1", **NIGHT, "stand_in": "w1"}))[0] == 201
    _, roster = await send(staffed, "GET", f"/rosters/drainage{at}", HEAD)
    assert (roster["vacant"], [each["accounts"] for each in roster["duty"] if each["role"] == "unit_head"]) == (
        [],
        [["w1"]],
    )
    _, page = await send(staffed, "GET", "/leaves?account=h1", HANDLER)
    assert [each["stand_in"] for each in page["items"]] == ["w1"]


async def test_a_street_without_a_head_shows_the_vacant_post(staffed: Town) -> None:
    await account(staffed, "street", "handler", "s-990101001")
    _, roster = await send(staffed, "GET", "/rosters/s-990101001", SUPERVISOR)
    assert ([each["role"] for each in roster["duty"]], roster["vacant"]) == (["handler"], ["unit_head"])
    _, roster = await send(staffed, "GET", "/rosters/*", HANDLER)
    assert ([(each["role"], each["accounts"]) for each in roster["duty"]], roster["vacant"]) == (
        [("commander", ["com"])],
        [],
    )


@pytest.mark.parametrize(
    ("who", "unit", "status"),
    [
        (HEAD, "drainage", 201),
        (GAS_HEAD, "drainage", 403),
        (principal("unit_head", "water-affairs"), "drainage", 201),  # drainage is below it
        (SUPERVISOR, "drainage", 201),
        (principal("supervisor", "d-990101"), "drainage", 201),
        (COMMANDER, "drainage", 201),
        (HANDLER, "drainage", 403),
        (principal("dispatcher", "dispatch"), "drainage", 403),
        (OPERATOR, "drainage", 403),
        (HEAD, "*", 403),
        (COMMANDER, "*", 201),
    ],
)  # fmt: skip
async def test_each_head_writes_the_roster_of_the_own_units_and_who_watches_writes_all(
    staffed: Town, who: Principal, unit: str, status: int
) -> None:
    role = "commander" if unit == "*" else "handler"
    _, made = await send(staffed, "POST", "/shifts", COMMANDER, {**SHIFT, "unit": unit, "role": role})
    wanted = {**SHIFT, "unit": unit, "role": role, "account": "h1"}
    assert (await send(staffed, "POST", "/shifts", who, wanted))[0] == status
    assert (await send(staffed, "DELETE", f"/shifts/{made['id']}", who))[0] == (204 if status == 201 else status)
    if unit != "*":
        assert (await send(staffed, "POST", "/leaves", who, {"account": "w1", **NIGHT}))[0] == status


async def test_who_may_not_read_a_unit_does_not_read_its_roster(staffed: Town) -> None:
    await send(staffed, "POST", "/shifts", HEAD, SHIFT)
    await send(staffed, "POST", "/leaves", HEAD, {"account": "h1", **NIGHT})
    assert (await send(staffed, "GET", "/rosters/drainage", GAS_HEAD))[0] == 404
    assert (await send(staffed, "GET", "/rosters/nowhere", SUPERVISOR))[0] == 404
    for path in ("/shifts", "/leaves"):
        assert [len((await send(staffed, "GET", path, who))[1]["items"]) for who in (GAS_HEAD, HANDLER, COMMANDER)] == [
            0,
            1,
            1,
        ]
    assert (await send(staffed, "GET", "/shifts", OPERATOR))[0] == 403


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/shifts", {**SHIFT, "unit": "nowhere"}, "unit"),
        ("/shifts", {**SHIFT, "role": "commander"}, "role"),
        ("/shifts", {**SHIFT, "role": "auditor"}, "role"),
        ("/shifts", {**SHIFT, "account": "nobody"}, "account"),
        ("/shifts", {**SHIFT, "ends_at": SHIFT["starts_at"]}, "ends_at"),
        ("/shifts", {**SHIFT, "starts_at": "2026-11-18T20:00:00"}, "starts_at"),
        ("/leaves", {"account": "h1", **NIGHT, "stand_in": "h1"}, "stand_in"),
        ("/leaves", {"account": "h1", **NIGHT, "stand_in": "nobody"}, "stand_in"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(staffed: Town, path: str, body: Any, field: str) -> None:
    status, refused = await send(staffed, "POST", path, SUPERVISOR, body)
    assert (status, refused["field"]) == (400, field)


async def test_pages_of_shifts_follow_one_another(staffed: Town) -> None:
    for hour in range(5):
        body = {**SHIFT, "starts_at": f"2026-11-19T0{hour}:00:00+08:00", "ends_at": "2026-11-19T09:00:00+08:00"}
        assert (await send(staffed, "POST", "/shifts", HEAD, body))[0] == 201
    seen: list[str] = []
    path = "/shifts?limit=2"
    while path:
        _, page = await send(staffed, "GET", path, HEAD)
        seen += [each["starts_at"] for each in page["items"]]
        path = f"/shifts?limit=2&cursor={page['next']}" if page["next"] else ""
    assert (len(seen), seen) == (5, sorted(seen))


# --- the command line --------------------------------------------------------------------------------------------------

HEADER = "unit,role,username,starts,ends\n"
GOOD = (
    "drainage,unit_head,h1,2026-10-01 08:00,2026-10-01 20:00\n"
    "drainage,unit_head,w1,2026-10-01 20:00,2026-10-02 08:00\n"
    "*,commander,com,2026-10-01 08:00,2026-10-02 08:00\n"
)


async def roster(town: Town, *arguments: str) -> Result:
    env = {"DISPATCH_DATABASE_OWNER_URL": town.database_url, "COLUMNS": "200"}
    return await asyncio.to_thread(CliRunner().invoke, main, ["roster", *arguments], env=env)


async def test_a_file_of_shifts_is_loaded_once_and_shown(staffed: Town, tmp_path: Path) -> None:
    file = tmp_path / "shifts.csv"
    file.write_text(HEADER + GOOD, "utf-8-sig")
    dry = await roster(staffed, "load", str(file), "--dry-run")
    assert (dry.exit_code, "3 would be new" in dry.output) == (0, True), dry.output
    assert await staffed.value("SELECT count(*) FROM shifts") == 0
    first, again = [await roster(staffed, "load", str(file)) for _ in range(2)]
    assert "3 new 新增, 0 there already" in first.output
    assert "0 new 新增, 3 there already" in again.output
    assert await staffed.value("SELECT count(*) FROM shifts WHERE made_by = 'roster load'") == 3
    assert await staffed.value("SELECT count(*) FROM access_log WHERE action = 'shift.added'") == 3
    # Local to the city, over midnight, and half-open.
    for at, name in (("2026-10-01 19:59", "h1"), ("2026-10-01 20:00", "w1"), ("2026-10-02 07:59", "w1")):
        shown = await roster(staffed, "show", "drainage", "--at", at)
        (line,) = [each for each in shown.output.splitlines() if "unit_head" in each and "shift" in each]
        assert name in line
    shown = await roster(staffed, "show", "*", "--at", "2026-10-01 09:00")
    assert "com" in shown.output
    assert "vacant posts (空岗): –" in shown.output


async def test_every_fault_of_a_file_is_told_with_its_line_and_nothing_is_written(
    staffed: Town, tmp_path: Path
) -> None:
    file = tmp_path / "shifts.csv"
    wrong = (
        "nowhere,handler,w1,2026-10-01 08:00,2026-10-01 20:00\n"
        "drainage,commander,w1,2026-10-01 08:00,2026-10-01 20:00\n"
        "drainage,handler,nobody,2026-10-01 08:00,2026-10-01 20:00\n"
        "drainage,handler,w1,yesterday,2026-10-01 20:00\n"
        "drainage,handler,w1,2026-10-01 20:00,2026-10-01 08:00\n"
        "drainage,unit_head,h1,2026-10-01 08:00,2026-10-01 20:00\n"
    )
    file.write_text(HEADER + GOOD + wrong, "utf-8")
    refused = await roster(staffed, "load", str(file))
    assert refused.exit_code == 1
    places = [("5", "unit"), ("6", "role"), ("7", "username"), ("8", "starts"), ("9", "ends"), ("10", "same as line 2")]
    for line, what in places:
        assert any(f"shifts.csv:{line} " in each and what in each for each in refused.output.splitlines()), (
            line,
            refused.output,
        )
    assert await staffed.value("SELECT count(*) FROM shifts") == 0


async def test_what_cannot_be_shown_is_told_in_words(staffed: Town) -> None:
    for arguments in (("show", "nowhere"), ("show", "drainage", "--at", "gestern")):
        refused = await roster(staffed, *arguments)
        assert refused.exit_code != 0
        assert "Traceback" not in refused.output
        assert "nowhere is not a unit" in refused.output or "'gestern' is not a time" in refused.output


async def test_a_roster_is_listed_from_any_instant_whatever_its_offset(staffed: Town) -> None:
    who = principal("commander", "city")
    for listing in ("shifts", "leaves"):
        assert (await staffed.get(f"/{listing}?since=2464-08-26T07:54:05%2B11:06", who))[0] == 200
        for beyond in ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00%2B08:00"):
            status, problem = await staffed.get(f"/{listing}?since={beyond}", who)
            assert (status, problem["field"]) == (400, "since"), problem
    assert (await staffed.get("/rosters/drainage?at=9999-12-31T23:59:59-05:00", who))[1]["field"] == "at"
