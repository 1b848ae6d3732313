"""How a case comes into each of its states."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from dispatch.people.principal import Principal
from tests.harness.town import Town, principal, report
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import lead_of, receipt_of
from tests.integration.casework.people import CITIZEN, DISPATCHER, OPERATOR, SUPERVISOR, WHO


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
