"""From answer to answer along the links of the published document, with tokens: what an answer names is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings

from dispatch.people.permissions import ROLES, Role
from tests.harness.town import Town
from tests.integration.api.seeds import request
from tests.integration.api.test_schema import CHECKS, _await, _plant, operations_of, permitted
from tests.integration.api.world import World


@pytest.mark.parametrize("role", ["operator", "dispatcher", "supervisor", "handler", "connector"])
async def test_whatever_an_answer_names_can_be_followed(a_town: Town, role: Role) -> None:
    await walk(a_town, role, examples=2)


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
async def test_the_same_at_length(a_town: Town, role: Role) -> None:
    await walk(a_town, role, examples=40)


async def walk(town: Town, role: Role, examples: int) -> None:
    """Follows every link from a success of every operation that the role may use."""
    world = World(town)
    await world.settle(role)
    loop = asyncio.get_running_loop()

    def now(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_await(work), loop).result(60)

    async with town.http.get(f"{town.url}/openapi.json") as answer:
        document = await answer.json()
    mine = {each.definition.raw["operationId"]: each for each in operations_of(document) if permitted(each, role)}
    followed = linked = 0
    for name, operation in mine.items():
        for status, said in operation.definition.raw["responses"].items():
            for link in said.get("links", {}).values():
                if link["operationId"] in mine:
                    target = mine[link["operationId"]]
                    linked += target.method.upper() == "GET"
                    followed += await asyncio.to_thread(
                        _follow, world, role, name, operation, status, link, target, now, examples
                    )
    # Administrators and the like have no operations that name what they may look up.
    assert followed or not linked


def _follow(
    world: World, role: Role, name: str, operation: Any, status: str, link: dict[str, Any], target: Any,
    now: Callable[[Awaitable[Any]], Any], examples: int,
) -> int:  # fmt: skip
    """Gets a success, takes what the link says from it, and sends generated requests there; how many were answered with success."""
    headers = {"Authorization": f"Bearer {world.tokens[role]}"}
    seed = now(request(world, name, role, 0))
    with requests.Session() as session:
        case = operation.Case()
        _plant(case, seed, whole=True)
        first = case.call(base_url=world.town.url, session=session, headers=headers)
    if str(first.status_code) != status:
        return 0
    places = {
        parameter: first.json()[says.rpartition("/")[2]] if says.startswith("$response") else seed.path[parameter]
        for parameter, says in link["parameters"].items()
    }
    good = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.as_strategy())
    def go(case: Any) -> None:
        nonlocal good
        case.path_parameters = places
        if code := seed.headers.get("X-Track-Code"):
            case.headers = {**(case.headers or {}), "X-Track-Code": code}
        with requests.Session() as session:
            answer = case.call(base_url=world.town.url, session=session, headers=headers)
        case.validate_response(answer, checks=CHECKS)
        good += answer.status_code < 300
        assert target.method.upper() != "GET" or answer.status_code in (200, 400, 403), (
            target.label,
            answer.status_code,
        )

    go()
    return good
