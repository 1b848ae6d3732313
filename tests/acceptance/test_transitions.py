"""Every state × action × role, three ways: the table written by hand, the code's tables, and the service over HTTP."""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dispatch.casework.registry import ACTIONS
from dispatch.domain import workflow
from dispatch.people.permissions import PERMISSIONS, ROLES
from dispatch.people.principal import Principal
from tests.acceptance.service import serving
from tests.acceptance.transitions import EXPECTED, ROLES_OF
from tests.harness.town import Town, principal
from tests.integration.casework.bodies import BODY
from tests.integration.casework.looking import receipt_of
from tests.integration.casework.people import CITIZEN, WHO, account
from tests.integration.casework.walks import appealed, body_of, brought, deciding, opened, ordered

# Units in which somebody of a role has every case in scope; who works in a unit is of the one above all.
UNIT = {
    "operator": "hotline", "followup": "hotline", "connector": "hotline", "replayer": "hotline", "supervisor": "supervision",
    "commander": "city", "handler": "city", "unit_head": "city",
}  # fmt: skip
STATES = sorted({state for state, _ in EXPECTED["case"]})
STREET = "s-990101001"
COMMUNITY = "c-990101001001"
# A unit whose replies are signed.
SIGNING = "labour-inspection"
# What only somebody of the unit itself does, and the unit.
OWN = {"sign_off": SIGNING, "reveal": "drainage"}
ABOUT_ORDERS = frozenset({"raise_order", "answer_order", "decide_order"})
# What a street does, and what is done to the parts that it gave away.
AT_STREET = frozenset({"whistle", "delegate", "hand_down", "recall", "redo"})
_numbers = itertools.count(1)


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    async with serving(database_url, redis_url) as made:
        await account(made, "w1", "handler", "drainage")
        yield made


def test_the_hand_written_table_and_the_code_have_the_same_edges_and_no_other() -> None:
    by_hand = EXPECTED["case"] | EXPECTED["consequence"]
    assert {(s, step.action): step.target for step in workflow.CASE_STEPS for s in step.sources} == by_hand
    tasks = EXPECTED["task"] | EXPECTED["consequence_of_task"]
    assert {(s, step.action): step.target for step in workflow.ASSIGNMENT_STEPS for s in step.sources} == tasks


def test_every_action_of_the_table_can_be_asked_for_and_no_other() -> None:
    assert set(ACTIONS) == {action for _, action in EXPECTED["case"]}
    assert {step.action for step in workflow.CASE_STEPS} - set(ACTIONS) == workflow.CONSEQUENCES - {"withdraw"}


@pytest.mark.parametrize("action", sorted(ROLES_OF))
def test_the_roles_of_an_action_are_those_written_by_hand(action: str) -> None:
    (needed,) = {step.permission for step in workflow.CASE_STEPS if step.action == action}
    assert ACTIONS[action].permission == needed
    assert {role for role in ROLES if needed in PERMISSIONS[role]} == ROLES_OF[action]


@pytest.mark.parametrize("state", STATES)
async def test_what_is_not_in_the_table_is_refused_with_what_is_possible(town: Town, state: str) -> None:
    number = await brought(town, state, **_somewhere(state))
    possible = sorted(action for at, action in EXPECTED["case"] if at == state)
    _, seen = await town.get(f"/cases/{number}", WHO["rule"])
    assert seen["allowed_actions"] == possible
    before = await town.value("SELECT seq FROM cases WHERE case_no = $1", number)
    for action, role in itertools.product(sorted(ROLES_OF), sorted(ROLES)):
        if role in ROLES_OF[action] and action in possible:
            continue
        status, problem = await town.act(number, action, _who(role), version=await _version(town, number, action))
        if role not in ROLES_OF[action]:
            # Who may read no case at all is told that first.
            needed = ACTIONS[action].permission if "case.read" in PERMISSIONS[role] else "case.read"
            assert (status, problem["permission"]) == (403, needed), (action, role, problem)
            mine = sorted(each for each, roles in ROLES_OF.items() if role in roles)
            assert "case.read" not in PERMISSIONS[role] or problem["allowed_actions"] == mine
        else:
            assert (status, problem["type"]) == (409, "/problems/action-not-allowed"), (action, role, problem)
            assert action not in problem["allowed_actions"]
            assert problem["noun"] == "assignment" or problem["allowed_actions"] == possible
    assert await town.value("SELECT seq FROM cases WHERE case_no = $1", number) == before


@pytest.mark.parametrize("state", STATES)
async def test_what_is_in_the_table_leads_where_it_says(town: Town, state: str) -> None:
    for (at, action), target in EXPECTED["case"].items():
        if at != state:
            continue
        for role in sorted(ROLES_OF[action]):
            number, body = await _arranged(town, state, action, role)
            who = principal(role, OWN[action]) if action in OWN else _who(role)
            version = await _version(town, number, action, body)
            status, after = await town.act(number, action, who, version=version, **body)
            assert (status, after.get("state")) == (200, target), (state, action, role, after)
            stored = await town.value("SELECT state FROM cases WHERE case_no = $1", number)
            assert stored == target, (state, action, role)


def _who(role: str) -> Principal:
    return principal(role, UNIT.get(role, "dispatch"))


def _somewhere(state: str, unit: str = "drainage") -> dict[str, Any]:
    """A place and a caller of its own for each case, so that none is taken for another's."""
    nth = next(_numbers)
    made: dict[str, Any] = {
        "location": {"lon": 116.15 + nth % 40 / 500, "lat": 33.12 + nth // 40 % 40 / 500},
        "caller": {**CITIZEN, "phone": f"138{nth:08}"},
    }
    at_unit = state not in ("triage", "verifying", "consulting", *workflow.AT_DESK, "answered", "rejected", "referred")
    return made | ({"assigned_unit": unit} if at_unit else {})


async def _version(town: Town, number: str, action: str, body: dict[str, Any] | None = None) -> int:
    """What If-Match wants: the version of the task that the action is about, else of the case."""
    if ACTIONS[action].of_unit:
        found = await town.value(
            "SELECT a.version FROM assignments a JOIN cases c ON c.id = a.case_id WHERE c.case_no = $1 AND ($2::bigint IS NULL OR a.id = $2)"
            " ORDER BY a.ended_at IS NOT NULL, a.role <> 'lead', a.id LIMIT 1",
            number,
            (body or {}).get("assignment"),
        )
        return int(found or 1)
    return int(await town.value("SELECT version FROM cases WHERE case_no = $1", number))


async def _arranged(town: Town, state: str, action: str, role: str) -> tuple[str, dict[str, Any]]:
    """A case in `state` on which `action` has something to act on for somebody of the role, and what it is told."""
    if action in ABOUT_ORDERS:
        return await _ordered(town, state, action, role)
    if action == "judge":
        return await _appealed(town, state, role)
    if action == "decide" and role == "unit_head":
        return await _asked_of_its_head(town, state)
    if action == "rule" and state != "ruling":
        return await _ruled_meanwhile(town, state)
    fields = _somewhere(state, STREET if action in AT_STREET else "drainage")
    if action == "report_back":
        fields["source_ref"] = {"system": "province", "number": "P-1"}
    if action == "sign_off":
        number = await opened(town, **_somewhere(state, SIGNING))
        assert (await town.act(number, "sign", principal("handler", SIGNING)))[0] == 200
    elif action in AT_STREET:
        number = await opened(town, **fields)
        assert (await town.act(number, "sign", principal("handler", STREET)))[0] == 200 or state == "to_sign"
        if state == "to_sign":
            number = await opened(town, **_somewhere(state, STREET))
    else:
        number = await brought(town, state, **fields)
    body = await body_of(town, number, action)
    if action == "detach":
        other = await opened(town, **_somewhere("to_sign"))
        told: dict[str, Any] = {"receipt_no": await receipt_of(town, other)}
        assert (await town.act(number, "attach", WHO["attach"], **told))[0] == 200
    if action == "dismiss":
        await town.rows(
            "INSERT INTO case_links SELECT a.id, b.id, 'suggested', 0.6 FROM cases a, cases b WHERE a.case_no = $1 AND b.case_no = $2",
            number,
            body["other"],
        )
    if action in ("delegate", "recall", "redo"):
        body["units"] = [COMMUNITY]
    if action == "hand_down":
        body["unit"] = COMMUNITY
    if action in ("recall", "redo"):
        body = await _given_away(town, number, action) | {"note": body["note"]}
    return number, body


async def _ordered(town: Town, state: str, action: str, role: str) -> tuple[str, dict[str, Any]]:
    """A case in `state` with an order that waits for the action: an order outlives what happens to its case."""
    own = UNIT.get(role, "dispatch")
    unit = own if action == "answer_order" and own != "city" else "drainage"
    # One that was merged got its order before.
    number = await brought(town, "to_sign" if state == "merged" else state, **_somewhere(state))
    told = BODY[action] | {"order": await ordered(town, number, unit, answered=action == "decide_order")}
    if state == "merged":
        merged = await town.act(number, "merge", WHO["merge"], **await body_of(town, number, "merge"))
        assert merged[0] == 200, merged
    return number, told


async def _appealed(town: Town, state: str, role: str) -> tuple[str, dict[str, Any]]:
    """An appeal at the step that `role` decides, about a case that went on to `state` since."""
    number = await appealed(town, state, **_somewhere("closed"))
    body = await body_of(town, number, "judge")
    if role == "supervisor":
        assert (await town.act(number, "judge", principal("dispatcher", "dispatch", name="d1"), **body))[0] == 200
    return number, body


async def _asked_of_its_head(town: Town, state: str) -> tuple[str, dict[str, Any]]:
    """A handler's request in a city where the unit's head decides first."""
    number = await brought(town, state, **_somewhere(state))
    with deciding(town, "unit_head", "dispatch"):
        return number, await body_of(town, number, "decide")


async def _ruled_meanwhile(town: Town, state: str) -> tuple[str, dict[str, Any]]:
    """A case at an interim lead while it is discussed whose it is."""
    number = await brought(town, "ruling", **_somewhere("ruling"))
    told: dict[str, Any] = {"unit": "water-affairs", "note": "先办后议"}
    assert (await town.act(number, "interim", WHO["interim"], **told))[0] == 200
    if state == "handling":
        assert (await town.act(number, "sign", principal("handler", "water-affairs")))[0] == 200
    # Another one than leads meanwhile: to be confirmed would leave the case where it is.
    return number, {"unit": "urban-management", "note": "按权属裁定"}


async def _given_away(town: Town, number: str, action: str) -> dict[str, Any]:
    """A part of the street's task at a community, which has answered where it is to be done again."""
    head, below = principal("unit_head", STREET), principal("handler", COMMUNITY)
    assert (await town.act(number, "delegate", head, units=[COMMUNITY], note="请处置"))[0] == 200
    if action == "redo":
        replied: dict[str, Any] = {"note": "已处置"}
        for step, told in (("sign", {}), ("reply", replied)):
            assert (await town.act(number, step, below, **told))[0] == 200
    child = await town.value(
        "SELECT a.id FROM assignments a JOIN cases c ON c.id = a.case_id WHERE c.case_no = $1 AND a.role = 'child'",
        number,
    )
    return {"assignment": child}
