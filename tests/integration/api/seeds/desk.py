"""Requests of the hotline and dispatch desks, of sensors, emergencies and figures."""

from typing import Any
from uuid import uuid4

from dispatch.people.permissions import Role
from tests.harness.town import principal, report
from tests.integration.api.seeds.cases import of_report
from tests.integration.api.world import UNITS, Seed, World


async def quarantine(world: World, role: Role, turn: int) -> Seed:
    """A new entry: an alarm of a device that nobody registered."""
    event = _event(f"unknown-{uuid4()}")
    who = world.town.acts_as(principal("connector", "dispatch", channels=frozenset({"sensor"})))
    headers = who | {"Content-Type": "application/cloudevents+json"}
    async with world.town.http.post(f"{world.town.url}/api/v1/sensors/events", json=event, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    row = (await world.town.rows("SELECT * FROM quarantine WHERE status = 'open' ORDER BY id DESC LIMIT 1"))[0]
    body = report(channel=row["channel"], external_id=row["external_id"], kind="sensor")
    return Seed({"entry": str(row["id"])}, body=body)


def _event(device: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/city/sensors",
        "type": "city.gas.leak",
        "subject": device,
        "time": "2026-11-18T10:00:00+08:00",
        "datacontenttype": "application/json",
        "data": {},
    }


async def sensor(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=_event("GL-990103-004"))


async def emergency(world: World, role: Role, turn: int) -> Seed:
    body = {
        "categories": ["E01"],
        "areas": ["990102"],
        "reason": "暴雨预警",
        "limits": {"close": "4h"},
        "dry_run": turn % 2 == 1,
    }
    return Seed(body=body)


async def some_emergency(world: World, role: Role, turn: int) -> Seed:
    body, headers = (await emergency(world, role, 0)).body, world.town.acts_as(principal("commander", "city"))
    async with world.town.http.post(f"{world.town.url}/api/v1/emergencies", json=body, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return Seed({"emergency": str((await answer.json())["emergency"]["id"])}, body={"dry_run": turn % 2 == 1})


def _writing(role: Role) -> dict[str, Any]:
    return {
        "title": "积水报修",
        "text": "全天受理路面积水",
        "unit": UNITS[role],
        "valid_until": "2027-01-01T00:00:00+08:00",
    }


async def knowledge(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=_writing(role))


async def article(world: World, role: Role, turn: int) -> Seed:
    headers = world.town.acts_as(principal("dispatcher", "dispatch"))
    url = f"{world.town.url}/api/v1/knowledge"
    async with world.town.http.post(url, json=_writing(role), headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        number = str((await answer.json())["id"])
    return Seed({"article": number}, headers={"If-Match": '"1"'})


async def rewriting(world: World, role: Role, turn: int) -> Seed:
    seed = await article(world, role, turn)
    seed.body = _writing(role)
    return seed


async def incident(world: World, role: Role, turn: int) -> Seed:
    times = {"starts_at": "2026-11-18T09:00:00+08:00", "expected_end": "2026-11-18T18:00:00+08:00"}
    body = {"kind": "stoppage", "title": "计划停水", "areas": ["9901"], "spoken": "预计18时恢复", **times}
    return Seed(body={**body, "case_no": await world.case("to_sign")})


async def _some_incident(world: World, role: Role, turn: int) -> Seed:
    headers = world.town.acts_as(principal("dispatcher", "dispatch"))
    body = (await incident(world, role, turn)).body
    async with world.town.http.post(f"{world.town.url}/api/v1/incidents", json=body, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return Seed({"incident": str((await answer.json())["id"])})


async def changing(world: World, role: Role, turn: int) -> Seed:
    seed = await _some_incident(world, role, turn)
    seed.body = {"spoken": "预计20时恢复"}
    return seed


async def ending(world: World, role: Role, turn: int) -> Seed:
    seed = await _some_incident(world, role, turn)
    seed.body = {"told": "已恢复供水"}
    return seed


async def attachment(world: World, role: Role, turn: int) -> Seed:
    made = (await of_report(world, role, turn)).body
    return Seed(body={"report": made, "case_no": await world.case("to_sign")})


async def lookup(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"phone": "13812345678", "name": "张三", "purpose": "接听来电"})


async def desk_call(world: World, role: Role, turn: int) -> Seed:
    made = report(external_id=f"d-{uuid4()}", caller=None)
    follows = [None, "accept", "ask", "end"][turn % 4]
    told = {"ask": {"note": "哪一栋"}, "end": {"reason_code": "silent"}}.get(follows or "", {})
    return Seed(body={"report": made, "action": follows, "body": told} if follows else {"report": made})


async def period(world: World, role: Role, turn: int) -> Seed:
    return Seed(query={"since": "2026-11-01T00:00:00+08:00", "until": "2026-12-01T00:00:00+08:00"})


async def indicators(world: World, role: Role, turn: int) -> Seed:
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    some = {"indicator": ["return_rate", "open"]} if turn % 2 else {"key": UNITS[role]}
    return Seed(query={"dimension": "unit", **days, **some})


async def month(world: World, role: Role, turn: int) -> Seed:
    return Seed(query={"unit": UNITS[role], "month": "2026-11"})
