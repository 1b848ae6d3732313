"""A town with something of everything in it, and for each operation a request that it can answer with success."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from dispatch.people.permissions import PERMISSIONS, Role
from dispatch.people.principal import Principal
from tests.harness.pictures import PDF, add
from tests.harness.town import CONNECTOR, REPLY, Town, principal, report
from tests.integration.casework.bodies import GOOD
from tests.integration.casework.looking import receipt_of

# Where somebody with each role works in the demo city.
UNITS: dict[Role, str] = {
    "operator": "hotline",
    "dispatcher": "dispatch",
    "handler": "drainage",
    "unit_head": "drainage",
    "reviewer": "dispatch",
    "followup": "hotline",
    "collector": "dispatch",
    "supervisor": "supervision",
    "commander": "city",
    "connector": "hotline",
    "replayer": "hotline",
    "restricted_reader": "dispatch",
    "sysadmin": "dispatch",
    "secadmin": "supervision",
    "auditor": "supervision",
}
MACHINES: frozenset[Role] = frozenset({"connector", "replayer"})
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
# So many places lie far enough apart; in each within the city a case of each of these kinds is one of its own.
PLACES = 1_600
KINDS = (
    "E0506",
    "E0101",
    "E0103",
    "E0106",
    "E0108",
    "E0120",
    "E0121",
    "E0125",
    "E0128",
    "E0138",
    "E0187",
    "E0302",
    "E0401",
    "E0410",
)
_numbers = itertools.count(1)


@dataclass
class Seed:
    """Parts of a request; None where the operation takes none."""

    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class World:
    """The town, everybody's token, and what stands in the town."""

    town: Town
    tokens: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    _opened_at: dict[str, datetime] = field(default_factory=dict)

    async def settle(self, role: Role) -> None:
        """Puts in a case with an escalation, and somebody with the role."""
        await self.case("to_sign")
        self.town.clock.travel(timedelta(minutes=31))
        await self.town.fire()
        self.tokens[role] = await (self._key if role in MACHINES else self._account)(role, UNITS[role])
        self._opened_at[role] = self.town.clock.at

    async def token(self, role: Role) -> str:
        """A token that is good now: in a long run the clock travels further than one lasts."""
        at, name = self.town.clock.at, role.replace("_", "-")
        if role not in MACHINES and at - self._opened_at[role] > timedelta(minutes=5):
            opened = await self.town.services.people.sessions.log_in(name, self.passwords[name])
            self.tokens[role], self._opened_at[role] = opened.access_token, at
        return self.tokens[role]

    async def _key(self, role: str, unit: str) -> str:
        keys = self.town.services.people.keys
        return (await keys.create("test", f"{role}-{next(_numbers)}", unit, ["demo", "app"], [role]))[1]

    async def _account(self, role: str, unit: str, name: str | None = None) -> str:
        people, name = self.town.services.people, name or role.replace("_", "-")
        first = await people.accounts.create("test", name, unit, [role], "")
        self.passwords[name] = "Seed-4711-seed"
        return (await people.sessions.change_password(name, first, self.passwords[name])).access_token

    async def case(self, state: str) -> str:
        """A new case in a state, led by the drainage unit; its number."""
        case_no = await self._opened(state)
        steps: list[tuple[str, Principal, dict[str, Any]]] = [
            ("sign", principal("handler", "drainage"), {}),
            ("reply", principal("handler", "drainage"), REPLY),
            ("approve", principal("reviewer", "dispatch"), {}),
            ("close", principal("followup", "hotline"), GOOD),
        ]
        reached = ["to_sign", "handling", "review", "followup", "closed"]
        for action, who, body in steps[: reached.index(state) if state in reached else 0]:
            status, answer = await self.town.act(case_no, action, who, **body)
            assert status == 200, answer
        return case_no

    async def _opened(self, state: str) -> str:
        """A case of its own: in a long run places come again, then about another kind of matter, and what is said of the same is taken for it."""
        while True:
            number = next(_numbers)
            lon, lat = 116.15 + number % 40 / 500, 33.12 + number // 40 % 40 / 500
            if self.town.services.cities.current.map.fix(lon, lat).area is None:
                continue  # beyond the border it would be another unit's at once
            made = report(
                category=None if state == "triage" else KINDS[number // PLACES % len(KINDS)],
                location={"lon": lon, "lat": lat},
                text=uuid4().hex if state == "triage" else f"第{number}处积水",
                caller={"name": "市民", "phone": f"199{number:08}"},
                assigned_unit=None if state == "triage" else "drainage",
            )
            status, answer = await self.town.send(made)
            assert status == 201, answer
            if answer["outcome"] != "attached":
                number_of_case: str = answer["case_no"]
                return number_of_case

    async def seed(self, operation: str, role: Role, turn: int) -> Seed:
        """A request that `role` may make of an operation, with ids that exist; empty where nothing needs them."""
        make = _SEEDS.get(operation)
        return await make(self, role, turn) if make else Seed()


async def _report(world: World, role: Role, turn: int) -> Seed:
    made = report(channel="app" if role in MACHINES else "demo", external_id=f"s-{uuid4()}", caller=None)
    if role == "replayer":
        made["received_at"] = "2026-11-17T10:00:00+08:00"
    return Seed(body=made)


async def _receipt(world: World, role: Role, turn: int) -> Seed:
    _, answer = await world.town.send(report(external_id=f"r-{uuid4()}"), CONNECTOR)
    return Seed({"receipt_no": answer["receipt_no"]}, headers={"X-Track-Code": answer["track_code"]})


async def _supplement(world: World, role: Role, turn: int) -> Seed:
    seed = await _receipt(world, role, turn)
    seed.body = {"text": "水更深了"}
    return seed


async def _evaluation(world: World, role: Role, turn: int) -> Seed:
    receipt_no = await receipt_of(world.town, await world.case("followup"))
    code = {"X-Track-Code": world.town.services.keyring.track_code(receipt_no)}
    return Seed({"receipt_no": receipt_no}, headers=code, body={"satisfied": 4, "solved": True, "contacted": True})


async def _by_key(world: World, role: Role, turn: int) -> Seed:
    made = report(external_id=f"k-{uuid4()}")
    await world.town.send(made, CONNECTOR)
    return Seed(query={"channel": "demo", "external_id": made["external_id"]})


async def _case(world: World, role: Role, turn: int) -> Seed:
    state = {"reviewer": "review", "followup": "followup"}.get(role, "to_sign")
    return Seed({"case_no": await world.case(state)})


async def _text(world: World, role: Role, turn: int) -> Seed:
    seed = await _case(world, role, turn)
    statement = "SELECT t.id FROM texts t JOIN cases c ON c.id = t.case_id WHERE c.case_no = $1 ORDER BY t.id LIMIT 1"
    seed.path["text_id"] = str(await world.town.value(statement, seed.path["case_no"]))
    seed.body = {"purpose": "回访核实"}
    return seed


async def _action(world: World, role: Role, turn: int) -> Seed:
    may = [action for action, needs in PERMITS.items() if needs in PERMISSIONS[role]] or ["sign"]
    action = may[turn % len(may)]
    case_no = await world.case(STARTS[action])
    who = principal("handler", "drainage")
    version = await world.town.version_for(case_no, action, who)
    headers = {"If-Match": f'"{version}"', "Idempotency-Key": str(uuid4())}
    return Seed({"case_no": case_no, "action": action}, headers=headers, body=BODIES[action])


async def _settle(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=b'{"channel":"demo","external_id":"nobody","closed_at":"2026-11-18T09:00:00+08:00"}\n')


async def _queue(world: World, role: Role, turn: int) -> Seed:
    unit = UNITS[role]
    return Seed({"unit": unit}, headers={"Idempotency-Key": str(uuid4())}, body={"count": 1})


async def _escalation(world: World, role: Role, turn: int) -> Seed:
    """A level that fired on a case that is still the drainage unit's: in a long run cases go elsewhere."""
    of_unit = "SELECT e.id FROM escalations e JOIN cases c ON c.id = e.case_id WHERE c.owner_unit = 'drainage' ORDER BY e.id DESC LIMIT 1"
    if (level := await world.town.value(of_unit)) is None:
        await world.case("to_sign")
        world.town.clock.travel(timedelta(minutes=31))
        await world.town.fire()
        level = await world.town.value(of_unit)
    call = {"to": "drainage", "reached": bool(turn % 2), "note": "已电话通知"}
    return Seed({"escalation": str(level)}, headers={"Idempotency-Key": str(uuid4())}, body={"call": call})


async def _worker(world: World) -> str:
    """Somebody new at the drainage unit."""
    name = f"w{uuid4().hex[:12]}"
    await world.town.services.people.accounts.create("test", name, "drainage", ["handler"], "")
    return name


def _span(turn: int) -> dict[str, str]:
    day = 1 + turn % 28
    return {"starts_at": f"2026-12-{day:02}T20:00:00+08:00", "ends_at": f"2026-12-{day:02}T23:00:00+08:00"}


async def _shift(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"unit": "drainage", "role": "handler", "account": await _worker(world), **_span(turn)})


async def _leave(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"account": await _worker(world), **_span(turn), "stand_in": await _worker(world)})


async def _some_shift(world: World, role: Role, turn: int) -> Seed:
    return Seed({"shift": await _made(world, "shifts", (await _shift(world, role, turn)).body)})


async def _some_leave(world: World, role: Role, turn: int) -> Seed:
    return Seed({"leave": await _made(world, "leaves", (await _leave(world, role, turn)).body)})


async def _made(world: World, noun: str, body: dict[str, Any]) -> str:
    headers = world.town.acts_as(principal("supervisor", "supervision"))
    async with world.town.http.post(f"{world.town.url}/api/v1/{noun}", json=body, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def _roster(world: World, role: Role, turn: int) -> Seed:
    return Seed({"unit": UNITS[role]}, query={"at": "2026-12-01T20:30:00+08:00"})


async def _quarantine(world: World, role: Role, turn: int) -> Seed:
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


async def _sensor(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=_event("GL-990103-004"))


async def _ndjson(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=msgspec.json.encode((await _report(world, role, turn)).body) + b"\n")


async def _notices(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"ids": [str(uuid4())]})


async def _log_in(world: World, role: Role, turn: int) -> Seed:
    if not await world.town.value("SELECT count(*) FROM accounts WHERE username = 'visitor'"):
        await world._account("operator", "hotline", "visitor")
    return Seed(body={"username": "visitor", "password": world.passwords["visitor"]})


async def _refresh(world: World, role: Role, turn: int) -> Seed:
    seed = await _log_in(world, role, turn)
    opened = await world.town.services.people.sessions.log_in("visitor", seed.body["password"])
    return Seed(body={"refresh_token": opened.refresh_token})


async def _own_session(world: World, role: Role, turn: int) -> Seed:
    """With a session of its own, which the operation ends."""
    await _log_in(world, role, turn)
    opened = await world.town.services.people.sessions.log_in("visitor", world.passwords["visitor"])
    return Seed(headers={"Authorization": f"Bearer {opened.access_token}"})


async def _password(world: World, role: Role, turn: int) -> Seed:
    """Of an account of its own: its first password is replaced once, and then again here."""
    name = f"v{uuid4().hex[:12]}"
    token = await world._account("operator", "hotline", name)
    body = {"old_password": world.passwords[name], "new_password": f"Seed-{uuid4()}"}
    return Seed(headers={"Authorization": f"Bearer {token}"}, body=body)


async def _account(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"username": f"u{uuid4().hex[:12]}", "unit": "hotline", "roles": ["operator"], "title": "话务员"})


async def _some_account(world: World, role: Role, turn: int) -> Seed:
    made = await _account(world, role, turn)
    accounts = world.town.services.people.accounts
    await accounts.create("test", made.body["username"], "hotline", ["operator"], "")
    return Seed({"username": made.body["username"]})


async def _key(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"name": f"key {next(_numbers)}", "unit": "hotline", "channels": ["app"], "roles": ["connector"]})


async def _some_key(world: World, role: Role, turn: int) -> Seed:
    made, _ = await world.town.services.people.keys.create("test", f"key {next(_numbers)}", "hotline", ["app"])
    return Seed({"id": made})


async def _webhook(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"id": f"hook-{uuid4()}", "url": "http://127.0.0.1:9/notices", "units": ["drainage"]})


async def _some_webhook(world: World, role: Role, turn: int) -> Seed:
    made = (await _webhook(world, role, turn)).body
    headers = world.town.acts_as(principal("sysadmin", "dispatch"))
    async with world.town.http.post(f"{world.town.url}/api/v1/webhooks", json=made, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
    return Seed({"webhook": made["id"]})


async def _emergency(world: World, role: Role, turn: int) -> Seed:
    body = {
        "categories": ["E01"],
        "areas": ["990102"],
        "reason": "暴雨预警",
        "limits": {"close": "4h"},
        "dry_run": turn % 2 == 1,
    }
    return Seed(body=body)


async def _some_emergency(world: World, role: Role, turn: int) -> Seed:
    body, headers = (await _emergency(world, role, 0)).body, world.town.acts_as(principal("commander", "city"))
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


async def _knowledge(world: World, role: Role, turn: int) -> Seed:
    return Seed(body=_writing(role))


async def _article(world: World, role: Role, turn: int) -> Seed:
    headers = world.town.acts_as(principal("dispatcher", "dispatch"))
    url = f"{world.town.url}/api/v1/knowledge"
    async with world.town.http.post(url, json=_writing(role), headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        number = str((await answer.json())["id"])
    return Seed({"article": number}, headers={"If-Match": '"1"'})


async def _rewriting(world: World, role: Role, turn: int) -> Seed:
    seed = await _article(world, role, turn)
    seed.body = _writing(role)
    return seed


async def _incident(world: World, role: Role, turn: int) -> Seed:
    times = {"starts_at": "2026-11-18T09:00:00+08:00", "expected_end": "2026-11-18T18:00:00+08:00"}
    body = {"kind": "stoppage", "title": "计划停水", "areas": ["9901"], "spoken": "预计18时恢复", **times}
    return Seed(body={**body, "case_no": await world.case("to_sign")})


async def _some_incident(world: World, role: Role, turn: int) -> Seed:
    headers = world.town.acts_as(principal("dispatcher", "dispatch"))
    body = (await _incident(world, role, turn)).body
    async with world.town.http.post(f"{world.town.url}/api/v1/incidents", json=body, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return Seed({"incident": str((await answer.json())["id"])})


async def _changing(world: World, role: Role, turn: int) -> Seed:
    seed = await _some_incident(world, role, turn)
    seed.body = {"spoken": "预计20时恢复"}
    return seed


async def _ending(world: World, role: Role, turn: int) -> Seed:
    seed = await _some_incident(world, role, turn)
    seed.body = {"told": "已恢复供水"}
    return seed


async def _attachment(world: World, role: Role, turn: int) -> Seed:
    made = (await _report(world, role, turn)).body
    return Seed(body={"report": made, "case_no": await world.case("to_sign")})


async def _lookup(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"phone": "13812345678", "name": "张三", "purpose": "接听来电"})


async def _desk_call(world: World, role: Role, turn: int) -> Seed:
    made = report(external_id=f"d-{uuid4()}", caller=None)
    follows = [None, "accept", "ask", "end"][turn % 4]
    told = {"ask": {"note": "哪一栋"}, "end": {"reason_code": "silent"}}.get(follows or "", {})
    return Seed(body={"report": made, "action": follows, "body": told} if follows else {"report": made})


async def _period(world: World, role: Role, turn: int) -> Seed:
    return Seed(query={"since": "2026-11-01T00:00:00+08:00", "until": "2026-12-01T00:00:00+08:00"})


async def _indicators(world: World, role: Role, turn: int) -> Seed:
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    some = {"indicator": ["return_rate", "open"]} if turn % 2 else {"key": UNITS[role]}
    return Seed(query={"dimension": "unit", **days, **some})


async def _month(world: World, role: Role, turn: int) -> Seed:
    return Seed(query={"unit": UNITS[role], "month": "2026-11"})


async def _position(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"lon": 116.19, "lat": 33.13})


async def _site_check(world: World, role: Role, turn: int) -> Seed:
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


async def _file(world: World, role: Role, turn: int) -> Seed:
    """A paper that nobody has sent yet; a collector has a place to look at."""
    if role == "collector":
        number = await world.case("triage")
        assert (await world.town.act(number, "check", principal("dispatcher", "dispatch"), note="请核实"))[0] == 200
        await world.town.rows("UPDATE site_checks SET account = NULL")
    else:
        number = await world.case("to_sign")
    return Seed({"case_no": number}, query={"kind": "document"}, body=PDF + uuid4().bytes)


async def _some_file(world: World, role: Role, turn: int) -> Seed:
    seed = await _case(world, role, turn)
    _, added = await add(world.town, seed.path["case_no"], principal("dispatcher", "dispatch"), PDF + uuid4().bytes)
    seed.path["file_id"] = added["file_id"]
    return seed


async def _handover(world: World, role: Role, turn: int) -> Seed:
    return Seed({"username": await _worker(world)}, body={"to": await _worker(world)})


async def _proposed(world: World, role: Role, turn: int) -> Seed:
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


async def _order(world: World, role: Role, turn: int) -> Seed:
    """An order to the unit of whoever has the role."""
    number = await world.case("to_sign")
    unit = UNITS[role] if UNITS[role] not in ("supervision", "city") else "drainage"
    who = principal("supervisor", "supervision", name="supervisor-of-orders")
    told: dict[str, Any] = {"kind": "supervise", "colour": "blue", "note": "请说明情况", "unit": unit}
    status, answer = await world.town.act(number, "order", who, **told)
    assert status == 200, answer
    return Seed({"order": str(answer["order"])})


_SEEDS: dict[str, Callable[[World, Role, int], Awaitable[Seed]]] = {
    "post_reports": _report,
    "post_desk_calls": _desk_call,
    "get_stats_desk": _period,
    "get_stats_checks": _period,
    "get_stats_whistles": _period,
    "get_stats_disputes": _period,
    "get_stats_indicators": _indicators,
    "get_stats_monthly": _month,
    "get_stats_monthly_csv": _month,
    "post_checks_position": _position,
    "post_checks_check_result": _site_check,
    "post_accounts_username_handover": _handover,
    "post_duty_proposals_proposal_decide": _proposed,
    "get_cases_case_no_proposal": _case,
    "get_cases_case_no_stages": _case,
    "post_reports_batch": _ndjson,
    "post_preview": _report,
    "get_reports": _by_key,
    "get_reports_receipt_no": _receipt,
    "post_reports_receipt_no_supplements": _supplement,
    "get_track_receipt_no": _receipt,
    "post_track_receipt_no_supplements": _supplement,
    "post_track_receipt_no_evaluation": _evaluation,
    "get_cases_case_no": _case,
    "get_cases_case_no_events": _case,
    "post_cases_case_no_files": _file,
    "get_cases_case_no_files": _case,
    "get_cases_case_no_files_file_id": _some_file,
    "get_cases_case_no_explain": _case,
    "get_cases_case_no_deadlines_explain": _case,
    "post_cases_case_no_texts_text_id_unmask": _text,
    "post_cases_case_no_actions_action": _action,
    "post_actions_settle": _settle,
    "get_cases_case_no_dialogue": _case,
    "get_units_unit_queue": _queue,
    "post_units_unit_queue_pull": _queue,
    "post_escalations_escalation_ack": _escalation,
    "post_orders_order_read": _order,
    "get_notices_load": _period,
    "post_shifts": _shift,
    "delete_shifts_shift": _some_shift,
    "post_leaves": _leave,
    "delete_leaves_leave": _some_leave,
    "get_rosters_unit": _roster,
    "get_quarantine_entry": _quarantine,
    "post_quarantine_entry_release": _quarantine,
    "post_sensors_events": _sensor,
    "post_notices_read": _notices,
    "post_knowledge": _knowledge,
    "get_knowledge_article": _article,
    "put_knowledge_article": _rewriting,
    "delete_knowledge_article": _article,
    "post_emergencies": _emergency,
    "get_emergencies_emergency": _some_emergency,
    "post_emergencies_emergency_end": _some_emergency,
    "post_incidents": _incident,
    "patch_incidents_incident": _changing,
    "post_incidents_incident_close": _ending,
    "post_attachments": _attachment,
    "post_callers_lookup": _lookup,
    "post_session": _log_in,
    "post_session_refresh": _refresh,
    "delete_session": _own_session,
    "post_session_password": _password,
    "post_webhooks": _webhook,
    "post_webhooks_webhook_disable": _some_webhook,
    "post_accounts": _account,
    "post_accounts_username_password": _some_account,
    "post_accounts_username_retire": _some_account,
    "post_keys": _key,
    "post_keys_id_retire": _some_key,
}
