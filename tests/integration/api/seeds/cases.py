"""Requests about reports, cases, tasks and their files."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec

from dispatch.people.permissions import PERMISSIONS, Role
from dispatch.people.principal import Principal
from tests.harness.pictures import PDF, add
from tests.harness.town import CONNECTOR, REPLY, principal, report
from tests.integration.api.world import MACHINES, UNITS, Seed, World
from tests.integration.casework.bodies import GOOD
from tests.integration.casework.looking import receipt_of

# From which state an action starts, and who leads a case there.
STARTS = {
    "dispatch": "triage",
    "sign": "to_sign",
    "contact": "handling",
    "return": "to_sign",
    "reply": "handling",
    "note": "to_sign",
    "tell": "to_sign",
    "reveal": "handling",
    "approve": "review",
    "close": "followup",
    "reopen": "closed",
}
BODIES: dict[str, dict[str, Any]] = {
    "dispatch": {"unit": "urban-management"},
    "sign": {},
    "contact": {"reached": True},
    "return": {"reason_code": "need_info", "note": "地点不清"},
    "reply": REPLY,
    "note": {"note": "夜间再去一次"},
    "tell": {"kind": "question", "told": "积水淹到哪里了"},
    "reveal": {"purpose": "site_visit"},
    "approve": {},
    "close": dict(GOOD),
    "reopen": {"note": "又积水了"},
}
PERMITS = {
    "dispatch": "case.dispatch",
    "sign": "case.sign",
    "contact": "case.reply",
    "return": "case.return",
    "reply": "case.reply",
    "note": "case.note",
    "tell": "case.tell",
    "reveal": "case.reveal",
    "approve": "case.approve",
    "close": "case.close",
    "reopen": "case.reopen",
}


async def of_report(world: World, role: Role, turn: int) -> Seed:
    made = report(channel="app" if role in MACHINES else "demo", external_id=f"s-{uuid4()}", caller=None)
    if role == "replayer":
        made["received_at"] = "2026-11-17T10:00:00+08:00"
    return Seed(body=made)


async def receipt(world: World, role: Role, turn: int) -> Seed:
    _, answer = await world.town.send(report(external_id=f"r-{uuid4()}"), CONNECTOR)
    return Seed({"receipt_no": answer["receipt_no"]}, headers={"X-Track-Code": answer["track_code"]})


async def supplement(world: World, role: Role, turn: int) -> Seed:
    seed = await receipt(world, role, turn)
    seed.body = {"text": "水更深了"}
    return seed


async def evaluation(world: World, role: Role, turn: int) -> Seed:
    receipt_no = await receipt_of(world.town, await world.case("followup"))
    code = {"X-Track-Code": world.town.services.keyring.track_code(receipt_no)}
    return Seed({"receipt_no": receipt_no}, headers=code, body={"satisfied": 4, "solved": True, "contacted": True})


async def by_key(world: World, role: Role, turn: int) -> Seed:
    made = report(external_id=f"k-{uuid4()}")
    await world.town.send(made, CONNECTOR)
    return Seed(query={"channel": "demo", "external_id": made["external_id"]})


async def case(world: World, role: Role, turn: int) -> Seed:
    state = {"reviewer": "review", "followup": "followup"}.get(role, "to_sign")
    return Seed({"case_no": await world.case(state)})


async def text(world: World, role: Role, turn: int) -> Seed:
    seed = await case(world, role, turn)
    statement = "SELECT t.id FROM texts t JOIN cases c ON c.id = t.case_id WHERE c.case_no = $1 ORDER BY t.id LIMIT 1"
    seed.path["text_id"] = str(await world.town.value(statement, seed.path["case_no"]))
    seed.body = {"purpose": "回访核实"}
    return seed


async def action(world: World, role: Role, turn: int) -> Seed:
    may = [action for action, needs in PERMITS.items() if needs in PERMISSIONS[role]] or ["sign"]
    action = may[turn % len(may)]
    case_no = await world.case(STARTS[action])
    who = principal("handler", "drainage")
    version = await world.town.version_for(case_no, action, who)
    headers = {"If-Match": f'"{version}"', "Idempotency-Key": str(uuid4())}
    return Seed({"case_no": case_no, "action": action}, headers=headers, body=BODIES[action])


async def settle(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=b'{"channel":"demo","external_id":"nobody","closed_at":"2026-11-18T09:00:00+08:00"}\n')


async def queue(world: World, role: Role, turn: int) -> Seed:
    unit = UNITS[role]
    return Seed({"unit": unit}, headers={"Idempotency-Key": str(uuid4())}, body={"count": 1})


async def escalation(world: World, role: Role, turn: int) -> Seed:
    """A level that fired on a case that is still the drainage unit's: in a long run cases go elsewhere."""
    of_unit = "SELECT e.id FROM escalations e JOIN cases c ON c.id = e.case_id WHERE c.owner_unit = 'drainage' ORDER BY e.id DESC LIMIT 1"
    if (level := await world.town.value(of_unit)) is None:
        await world.case("to_sign")
        world.town.clock.travel(timedelta(minutes=31))
        await world.town.fire()
        level = await world.town.value(of_unit)
    call = {"to": "drainage", "reached": bool(turn % 2), "note": "已电话通知"}
    return Seed({"escalation": str(level)}, headers={"Idempotency-Key": str(uuid4())}, body={"call": call})


async def order(world: World, role: Role, turn: int) -> Seed:
    """An order to the unit of whoever has the role."""
    number = await world.case("to_sign")
    unit = UNITS[role] if UNITS[role] not in ("supervision", "city") else "drainage"
    who = principal("supervisor", "supervision", name="supervisor-of-orders")
    told: dict[str, Any] = {"kind": "supervise", "colour": "blue", "note": "请说明情况", "unit": unit}
    status, answer = await world.town.act(number, "order", who, **told)
    assert status == 200, answer
    return Seed({"order": str(answer["order"])})


async def proposed(world: World, role: Role, turn: int) -> Seed:
    """What a ruling proposed."""
    number = await world.case("to_sign")
    steps: list[tuple[str, Principal, dict[str, Any]]] = [
        ("return", principal("handler", "drainage"), {"reason_code": "need_info", "note": "地点不清"}),
        ("dispute", principal("dispatcher", "dispatch"), {"note": "有争议"}),
        ("rule", principal("supervisor", "supervision"), {"unit": "water-affairs", "note": "裁定"}),
    ]
    for action, who, body in steps:
        status, answer = await world.town.act(number, action, who, **body)
        assert status == 200, answer
    made = await world.town.value("SELECT max(id) FROM duty_proposals")
    return Seed({"proposal": str(made)}, body={"accept": bool(turn % 2)})


async def position(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"lon": 116.19, "lat": 33.13})


async def site_check(world: World, role: Role, turn: int) -> Seed:
    """A place that nobody in particular is asked to look at."""
    number = await world.case("triage")
    status, answer = await world.town.act(number, "check", principal("dispatcher", "dispatch"), note="请核实")
    assert status == 200, answer
    found = await world.town.value(
        "SELECT s.check_id FROM site_check_cases s JOIN cases c ON c.id = s.case_id WHERE c.case_no = $1", number
    )
    await world.town.rows("UPDATE site_checks SET account = NULL WHERE id = $1", found)
    return Seed(
        {"check": str(found)}, headers={"Idempotency-Key": str(uuid4())}, body={"result": "found", "note": "属实"}
    )


async def file(world: World, role: Role, turn: int) -> Seed:
    """A paper that nobody has sent yet; a collector has a place to look at."""
    if role == "collector":
        number = await world.case("triage")
        assert (await world.town.act(number, "check", principal("dispatcher", "dispatch"), note="请核实"))[0] == 200
        await world.town.rows("UPDATE site_checks SET account = NULL")
    else:
        number = await world.case("to_sign")
    return Seed({"case_no": number}, query={"kind": "document"}, body=PDF + uuid4().bytes)


async def some_file(world: World, role: Role, turn: int) -> Seed:
    seed = await case(world, role, turn)
    _, added = await add(world.town, seed.path["case_no"], principal("dispatcher", "dispatch"), PDF + uuid4().bytes)
    seed.path["file_id"] = added["file_id"]
    return seed


async def ndjson(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=msgspec.json.encode((await of_report(world, role, turn)).body) + b"\n")
