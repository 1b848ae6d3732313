"""Who plays in these tests, and the way of a case up to where a test begins."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from dispatch.people.principal import Principal
from tests.harness.town import REPLY, Town, principal, report

HANDLER = principal("handler", "drainage")
HEAD = principal("unit_head", "drainage")
STRANGER = principal("handler", "gas")
DISPATCHER = principal("dispatcher", "dispatch")
REVIEWER = principal("reviewer", "dispatch")
FOLLOWUP = principal("followup", "hotline")
OPERATOR = principal("operator", "hotline")
SUPERVISOR = principal("supervisor", "supervision")
COMMANDER = principal("commander", "city")
# A place of its own for each report, so that none is taken for another's.
CITIZEN = {"name": "张三丰", "phone": "13812345678"}


async def opened(town: Town, **fields: Any) -> str:
    """A new case: at its unit, unless the report says otherwise."""
    _, answer = await town.send(report(**fields))
    assert answer["outcome"] in ("opened", "triage", "linked"), answer
    number: str = answer["case_no"]
    return number


# The way of a case to each state, from a report that was routed to drainage; `held` ones begin at the operator's desk.
HELD = {
    "received": (),
    "need_info": ("ask",),
    "answered": ("answer",),
    "rejected": ("reject",),
    "referred": ("refer",),
}
UNCLEAR = {
    "triage": (),
    "verifying": ("check",),
    "consulting": ("consult",),
}
ROUTED = {
    "to_sign": (),
    "returned": ("return",),
    "ruling": ("return", "dispute"),
    "handling": ("sign",),
    "suspended": ("sign", "suspend"),
    "review": ("sign", "reply"),
    "followup": ("sign", "reply", "approve"),
    "closed": ("sign", "reply", "approve", "close"),
    "terminated": ("retract",),
    "merged": ("merge",),
}
# The way of a case that was closed and opened anew to each state.
AGAIN = {
    "closed": (),
    "to_sign": ("reopen",),
    "handling": ("reopen", "sign"),
    "suspended": ("reopen", "sign", "suspend"),
    "review": ("reopen", "sign", "reply"),
    "followup": ("reopen", "sign", "reply", "approve"),
    "returned": ("reopen", "return"),
    "ruling": ("reopen", "return", "dispute"),
    "consulting": ("reopen", "return", "consult"),
    "received": ("reopen", "return", "send_back"),
    "need_info": ("reopen", "return", "send_back", "ask"),
    "answered": ("reopen", "return", "send_back", "answer"),
    "rejected": ("reopen", "return", "reject"),
    "referred": ("reopen", "return", "refer"),
    "triage": ("reopen", "return", "reject", "restore"),
    "verifying": ("reopen", "return", "reject", "restore", "check"),
    "terminated": ("reopen", "retract"),
    "merged": ("reopen", "merge"),
}


async def brought(town: Town, state: str, **fields: Any) -> str:
    """A case of a citizen who can be reached, in one of the states."""
    if state in HELD:
        number = await held(town, **fields)
    elif state in UNCLEAR:
        unclear = {"category": None, "text": "这里有件事情说不清楚要找谁"}
        number = await opened(town, **(unclear | fields))
    else:
        number = await opened(town, **({"caller": CITIZEN} | fields))
    for action in (HELD | UNCLEAR | ROUTED)[state]:
        status, answer = await town.act(number, action, WHO[action], **await body_of(town, number, action))
        assert status == 200, (action, answer)
    return number


async def appealed(town: Town, state: str, **fields: Any) -> str:
    """A case about which its unit appealed once it was closed, and what has become of it since."""
    number = await brought(town, "closed", **fields)
    for action in ("appeal", *AGAIN[state]):
        status, answer = await town.act(number, action, WHO[action], **await body_of(town, number, action))
        assert status == 200, (action, answer)
    return number


async def held(town: Town, **fields: Any) -> str:
    """A call that an operator registered and keeps on the desk."""
    made = report(**({"category": None, "text": "市民来电，内容待核实", "caller": CITIZEN} | fields))
    status, answer = await desk_call(town, report=made)
    assert status == 201, answer
    number: str = answer["report"]["case_no"]
    return number


async def desk_call(town: Town, who: Principal | None = None, **sent: Any) -> tuple[int, Any]:
    """POST /desk/calls; the status and the body."""
    url, headers = f"{town.url}/api/v1/desk/calls", town.acts_as(who or OPERATOR)
    async with town.http.post(url, json=sent, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def body_of(town: Town, number: str, action: str) -> dict[str, Any]:
    """What an action is told, with what must exist for it."""
    body = dict(BODY[action])
    if action in ("merge", "dismiss"):
        body["other"] = await opened(town, location=elsewhere(), category="E0110", text="另一件事情在别处")
    if action in ("retract", "detach"):
        body["receipt_no"] = await receipt_of(town, number)
    if action == "decide":
        unit = await lead_of(town, number)
        status, answer = await town.act(number, "request", principal("handler", unit), **BODY["request"])
        assert status == 200, answer
    if action == "conclude":
        await dissatisfied_twice(town, number)
    if action == "sign_off":
        unit = await lead_of(town, number)
        status, answer = await town.act(number, "reply", principal("handler", unit), **BODY["reply"])
        assert (status, answer["state"]) == (200, "handling"), answer
    if action == "waive":
        status, answer = await town.act(number, "inspect", DISPATCHER, **BODY["inspect"])
        assert status == 200, answer
    if action in ("raise_order", "answer_order", "decide_order"):
        body["order"] = await ordered(town, number, answered=action == "decide_order")
    if action == "attach":
        another = await opened(town, location=elsewhere(), category="E0110", text="另一件事情在别处")
        body["receipt_no"] = await receipt_of(town, another)
    return body


async def dissatisfied_twice(town: Town, number: str) -> None:
    """Lets a case go through two bad reviews, back to the state in which it was."""
    where = "SELECT c.state, a.unit FROM cases c JOIN assignments a ON a.id = c.lead_assignment_id WHERE c.case_no = $1"
    state = (await town.rows(where, number))[0]["state"]
    unit = (await town.rows(where, number))[0]["unit"]
    round = ("rectify", "sign", "reply", "approve")
    for action in (*round, *round) if state == "followup" else ("approve", *round, *round[:-1]):
        who = principal("handler", unit) if action in ("sign", "reply") else WHO[action]
        status, answer = await town.act(number, action, who, **BODY[action])
        assert status == 200, (action, answer)


async def lead_of(town: Town, number: str) -> str:
    """The unit that leads a case."""
    unit: str = await town.value(
        "SELECT a.unit FROM assignments a JOIN cases c ON c.lead_assignment_id = a.id WHERE c.case_no = $1", number
    )
    return unit


async def ordered(town: Town, number: str, unit: str = "drainage", *, answered: bool = False, **fields: Any) -> int:
    """An order to a unit about a case, answered by its handler if need be; its id."""
    status, answer = await town.act(number, "order", SUPERVISOR, **(BODY["order"] | {"unit": unit} | fields))
    assert status == 200, answer
    order: int = answer["order"]
    if answered:
        told = BODY["answer_order"] | {"order": order}
        status, answer = await town.act(number, "answer_order", principal("handler", unit), **told)
        assert status == 200, answer
    return order


_places = itertools.count()


def elsewhere() -> dict[str, float]:
    """A place in the city where nothing else has been reported."""
    nth = next(_places)
    return {"lon": 116.2313 + nth % 10 / 500, "lat": 33.13 + nth // 10 % 20 / 500}


async def receipt_of(town: Town, number: str) -> str:
    """The receipt of a case's first report."""
    receipt: str = await town.value(
        "SELECT r.receipt_no FROM reports r JOIN cases c ON c.id = r.case_id WHERE c.case_no = $1 ORDER BY r.id LIMIT 1",
        number,
    )
    return receipt


WHO = {
    "accept": OPERATOR,
    "ask": OPERATOR,
    "answer": OPERATOR,
    "end": OPERATOR,
    "reject": OPERATOR,
    "refer": OPERATOR,
    "restore": SUPERVISOR,
    "send_back": DISPATCHER,
    "retract": OPERATOR,
    "call": OPERATOR,
    "expunge": OPERATOR,
    "check": DISPATCHER,
    "consult": DISPATCHER,
    "advise": principal("handler", "gas"),
    "redispatch": DISPATCHER,
    "emergency": COMMANDER,
    "dispute": DISPATCHER,
    "interim": DISPATCHER,
    "rule": SUPERVISOR,
    "assist": DISPATCHER,
    "divide": DISPATCHER,
    "merge": DISPATCHER,
    "unmerge": SUPERVISOR,
    "attach": DISPATCHER,
    "detach": DISPATCHER,
    "dismiss": DISPATCHER,
    "assign": HEAD,
    "delegate": HEAD,
    "recall": HEAD,
    "redo": HEAD,
    "whistle": HEAD,
    "hand_up": HEAD,
    "hand_down": HEAD,
    "report_back": FOLLOWUP,
    "dispatch": DISPATCHER,
    "sign": HANDLER,
    "contact": HANDLER,
    "return": HANDLER,
    "reply": HANDLER,
    "sign_off": HEAD,
    "note": HANDLER,
    "tell": HANDLER,
    "reveal": HANDLER,
    "approve": REVIEWER,
    "inspect": DISPATCHER,
    "waive": SUPERVISOR,
    "close": FOLLOWUP,
    "attempt": FOLLOWUP,
    "rework": REVIEWER,
    "rectify": FOLLOWUP,
    "conclude": SUPERVISOR,
    "reopen": SUPERVISOR,
    "reclassify": DISPATCHER,
    "suspend": SUPERVISOR,
    "resume": SUPERVISOR,
    "extend": SUPERVISOR,
    "request": HANDLER,
    "decide": SUPERVISOR,
    "urge": SUPERVISOR,
    "order": SUPERVISOR,
    "raise_order": SUPERVISOR,
    "answer_order": HANDLER,
    "decide_order": SUPERVISOR,
    "appeal": HEAD,
    "judge": DISPATCHER,
}
# What citizens say who are asked: content, and not.
GOOD: dict[str, Any] = {"medium": "incoming", "contacted": True, "solved": True, "satisfied": 5}
EXPLAINED: dict[str, Any] = GOOD | {"solved": False, "satisfied": 3, "accepted": True, "note": "已解释，市民认可"}
BAD: dict[str, Any] = {"medium": "incoming", "contacted": True, "solved": False, "satisfied": 1}
BODY: dict[str, dict[str, Any]] = {
    "accept": {},
    "ask": {"note": "请补充门牌号"},
    "answer": {"told": "办事大厅周六上午照常开放"},
    "end": {"reason_code": "silent"},
    "reject": {"reason_code": "litigation"},
    "refer": {"reason_code": "court"},
    "restore": {"note": "复核后认为应当受理"},
    "send_back": {"note": "缺少地点，请与来电人核对"},
    "retract": {},
    "call": {"to": "drainage", "reached": True},
    "expunge": {"note": "误录涉密内容"},
    "check": {"note": "请现场看一下积水范围"},
    "consult": {"units": ["gas", "water-affairs"], "note": "管线权属不清"},
    "advise": {"note": "该处管线不是我司资产"},
    "redispatch": {"unit": "water-affairs", "note": "管网属水务局"},
    "emergency": {"unit": "water-affairs", "note": "路面塌陷风险，先行处置"},
    "dispute": {"note": "两家单位均认为不属于本单位"},
    "interim": {"unit": "water-affairs", "note": "先办后议"},
    "rule": {"unit": "water-affairs", "note": "按管网权属裁定"},
    "assist": {"unit": "gas", "note": "现场有燃气管线"},
    "divide": {"units": ["gas"], "note": "燃气管线加固"},
    "merge": {"note": "同一处积水"},
    "unmerge": {"note": "查明是两处"},
    "attach": {},
    "detach": {"note": "另一处地点"},
    "dismiss": {"note": "不是同一件事"},
    "assign": {"account": "w1"},
    "delegate": {"units": [], "note": "请现场处置"},
    "recall": {"note": "由本级直接处理"},
    "redo": {"note": "照片看不清，请补拍"},
    "whistle": {"units": ["gas"], "note": "请到现场会同处置"},
    "hand_up": {"note": "需上级统筹"},
    "hand_down": {"note": "由属地处置"},
    "report_back": {"note": "已办结，结果如下"},
    "dispatch": {"unit": "water-affairs", "note": "按管网权属派出"},
    "sign": {},
    "contact": {"reached": True},
    "return": {"reason_code": "need_info", "note": "地址写得不全"},
    "reply": {**REPLY},
    "sign_off": {"approve": True},
    "note": {"note": "该路段月底改造，请一并考虑"},
    "tell": {"kind": "progress", "told": "抽排车已经到场"},
    "reveal": {"purpose": "contact"},
    "approve": {},
    "close": GOOD,
    "attempt": {"medium": "visit", "reached": False},
    "rework": {"note": "井盖周边未恢复，请补做"},
    "rectify": BAD | {"note": "市民反映仍有积水"},
    "conclude": {"note": "两次整改后已依法处理到位", "told": "您反映的问题已依法处理"},
    "inspect": {"note": "请到现场看一下是否处理好"},
    "waive": {"reason_code": "seen_otherwise", "note": "已由视频确认"},
    "reopen": {"note": "又发生了"},
    "reclassify": {"urgency": "urgent", "note": "水已漫进楼道"},
    "suspend": {
        "until": "2027-06-01T09:00:00+08:00",
        "reason_code": "pipes",
        "note": "等待管网改造，已告知市民",
        "told": "该处管网改造计划于明年五月完工，届时继续办理",
    },
    "resume": {"note": "管网改造提前完成"},
    "extend": {"note": "配件在途"},
    "request": {"request": "extend", "note": "配件在途"},
    "decide": {"request": "extend", "approve": True, "note": "情况属实"},
    "urge": {"note": "请抓紧办理"},
    "order": {"kind": "supervise", "colour": "blue", "note": "请说明为何尚未处置"},
    "raise_order": {"colour": "red", "note": "仍未整改"},
    "answer_order": {"note": "已现场处置，附整改情况"},
    "decide_order": {"approve": True, "note": "情况属实"},
    "appeal": {"appeal": "exclusion", "note": "管网改造由市级统一实施，非本单位所能办理"},
    "judge": {"approve": True, "note": "情况属实"},
}


@contextmanager
def deciding(town: Town, *steps: str) -> Iterator[None]:
    """A city in which requests are decided in these steps."""
    city = town.services.cities.current
    before = city.casework
    object.__setattr__(city, "casework", msgspec.structs.replace(before, request_steps=steps))
    try:
        yield
    finally:
        object.__setattr__(city, "casework", before)


async def clocks_of(town: Town, number: str, clock: str) -> list[dict[str, Any]]:
    """Every clock of that name of a case, as stored."""
    rows = await town.rows(
        "SELECT d.* FROM deadlines d JOIN cases c ON c.id = d.case_id WHERE c.case_no = $1 AND d.clock = $2 ORDER BY d.id",
        number,
        clock,
    )
    return [dict(row) for row in rows]


async def events_of(town: Town, number: str) -> list[str]:
    """The types of a case's events in order."""
    rows = await town.rows(
        "SELECT e.type FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 ORDER BY e.seq", number
    )
    return [row["type"] for row in rows]


async def account(town: Town, name: str, role: str, unit: str) -> None:
    """Somebody who can be told, and cannot log in."""
    await town.rows(
        "INSERT INTO accounts (username, unit, roles, password_hash) VALUES ($1, $2, $3, '$argon2id$none')",
        name,
        unit,
        [role],
    )


async def shift(town: Town, unit: str, role: str, name: str, starts_at: datetime, ends_at: datetime) -> None:
    """Somebody on duty for a post."""
    await town.rows(
        "INSERT INTO shifts (unit, role, account, starts_at, ends_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, 't', $4)",
        unit,
        role,
        name,
        starts_at,
        ends_at,
    )


async def leave(town: Town, name: str, starts_at: datetime, ends_at: datetime, stand_in: str | None = None) -> None:
    """Somebody away."""
    await town.rows(
        "INSERT INTO leaves (account, starts_at, ends_at, stand_in, made_by, made_at) VALUES ($1, $2, $3, $4, 't', $2)",
        name,
        starts_at,
        ends_at,
        stand_in,
    )


async def levels(town: Town, number: str, clock: str = "sign", unit: str = "drainage") -> list[dict[str, Any]]:
    """The levels that fired on one clock of a case, in order."""
    rows = await town.rows(
        "SELECT e.* FROM escalations e JOIN deadlines d ON d.id = e.deadline_id JOIN cases c ON c.id = e.case_id "
        "WHERE d.clock = $1 AND c.case_no = $2 AND d.unit = $3 ORDER BY e.id",
        clock,
        number,
        unit,
    )
    return [dict(row) for row in rows]


async def ack(
    town: Town, escalation: int, who: Principal = HEAD, key: str | None = None, **body: Any
) -> tuple[int, Any]:
    """Acknowledges a level; the status and the body."""
    headers = town.acts_as(who) | ({"Idempotency-Key": key} if key else {})
    async with town.http.post(
        f"{town.url}/api/v1/escalations/{escalation}/ack", json=body or None, headers=headers
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def events(
    town: Town, number: str, *types: str, clock: str = "sign", unit: str = "drainage"
) -> list[dict[str, Any]]:
    """The bodies of a case's events of these types about one clock."""
    rows = await town.rows(
        "SELECT e.body FROM case_events e JOIN cases c ON c.id = e.case_id WHERE c.case_no = $1 AND e.type = ANY ($2) ORDER BY e.seq",
        number,
        types,
    )
    bodies = [msgspec.json.decode(row["body"]) for row in rows]
    return [each for each in bodies if each.get("clock", clock) == clock and each.get("unit", unit) == unit]


async def told(town: Town, number: str, level: int, clock: str = "sign") -> set[str]:
    """Who found a level of drainage's clock in an inbox."""
    rows = await town.rows(
        "SELECT n.recipient FROM notices n JOIN cases c ON c.id = n.case_id JOIN case_events e ON e.case_id = c.id AND e.seq = n.event_seq "
        "WHERE c.case_no = $1 AND n.body->>'level' = $2 AND n.body->>'clock' = $3 AND n.medium = 'inbox' "
        "AND convert_from(e.body, 'UTF8')::jsonb->>'unit' = 'drainage'",
        number,
        str(level),
        clock,
    )
    return {row["recipient"] for row in rows}


async def the_clock(town: Town, number: str, clock: str = "sign", unit: str = "drainage") -> dict[str, Any]:
    (found,) = [each for each in await clocks_of(town, number, clock) if each["unit"] == unit]
    return found


async def fire_at(town: Town, at: datetime) -> int:
    town.clock.at = at
    return await town.fire()


async def staffed(town: Town) -> None:
    """A handler and a head at drainage, a supervisor and a commander."""
    for name, role, unit in (
        ("w1", "handler", "drainage"), ("h1", "unit_head", "drainage"), ("sup", "supervisor", "supervision"), ("com", "commander", "city"),
    ):  # fmt: skip
        await account(town, name, role, unit)
