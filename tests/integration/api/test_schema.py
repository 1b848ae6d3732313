"""Every operation, as everybody who may use it: generated and seeded requests against the published document."""

import asyncio
import functools
import json
import operator
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dispatch.people.permissions import PERMISSIONS, ROLES, Role
from tests.harness.town import Town
from tests.integration.api.seeds import request
from tests.integration.api.world import Seed, World

load_all_checks()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Answers of bulk requests are one JSON value a line, which a JSON schema cannot say of the whole body.
LINES = {"post_reports_batch", "post_actions_settle"}
# Nothing of a role's own stands behind these: figures of the city are no unit's, and tasks are pulled from the queue by
# those who sign them.
OUT_OF_REACH: dict[Role, set[str]] = {
    "unit_head": {"get_stats_overview"},
}


@schemathesis.serializer("application/x-ndjson")
def as_lines(context: Any, value: Any) -> bytes:
    """A body of lines is sent as it is; what was generated for one line, as that line."""
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@dataclass
class Tally:
    """How often each operation was answered with each status."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    def add(self, operation: str, status: int) -> None:
        self.statuses.setdefault(operation, Counter())[status] += 1

    def good(self) -> float:
        """The share of 2xx over all operations."""
        every = functools.reduce(operator.add, self.statuses.values(), Counter[int]())
        return sum(n for status, n in every.items() if status < 400) / every.total()

    def never_good(self) -> set[str]:
        """Operations that never succeeded."""
        return {name for name, found in self.statuses.items() if min(found) >= 400}


def operations_of(document: dict[str, Any]) -> list[Any]:
    """Every operation that the document names."""
    found: list[Any] = list(schemathesis.openapi.from_dict(document).get_all_operations())
    return [each.ok() for each in found]


def permitted(operation: Any, role: Role) -> bool:
    """Whether the document lets a role in: public operations are the auditor's turn, who may do little else."""
    said = operation.definition.raw.get("description")
    if said is None:
        return role == "auditor"
    name = said.partition("`")[2].partition("`")[0]
    return name in PERMISSIONS[role] or (name == "signed-in" and role == "operator")


@pytest.mark.parametrize("role", ROLES)
async def test_every_operation_of_a_role_answers_as_the_document_says(a_town: Town, role: Role) -> None:
    await explore(a_town, role, examples=16)


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
async def test_the_same_at_length(a_town: Town, role: Role) -> None:
    await explore(a_town, role, examples=400)


async def explore(town: Town, role: Role, examples: int) -> None:
    """Sends examples to every operation that the role may use; at least three of ten must succeed, none may break."""
    world, tally = World(town), Tally()
    await world.settle(role)
    loop = asyncio.get_running_loop()

    def now(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_await(work), loop).result(60)

    async with town.http.get(f"{town.url}/openapi.json") as answer:
        document = await answer.json()
    mine = [each for each in operations_of(document) if permitted(each, role)]
    mine.sort(key=lambda each: "session" in each.path)  # what may end one's own session comes last
    for operation in mine:
        # In full for the first who may use it; of the others only the permission and the scope differ.
        first = next(each for each in ROLES if permitted(operation, each)) == role
        await asyncio.to_thread(_examine, operation, world, role, tally, now, examples if first else examples // 4)
    assert set(tally.statuses) == {each.definition.raw["operationId"] for each in mine}
    if mine:
        assert tally.good() >= 0.3, tally.statuses
        assert tally.never_good() <= OUT_OF_REACH.get(role, set()), tally.statuses


async def test_every_operation_is_some_roles(a_town: Town) -> None:
    async with a_town.http.get(f"{a_town.url}/openapi.json") as answer:
        operations = operations_of(await answer.json())
    assert [o.label for o in operations if not any(permitted(o, role) for role in ROLES)] == []


async def _await(work: Awaitable[Any]) -> Any:
    return await work


def _examine(
    operation: Any, world: World, role: Role, tally: Tally, now: Callable[[Awaitable[Any]], Any], examples: int
) -> None:
    name = operation.definition.raw["operationId"]
    turns = iter(range(10**9))
    base = world.town.url

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.sampled_from(["seeded", "seeded", "ids", "generated"]))
    def check(case: Any, how: str) -> None:
        turn = next(turns)
        seed = now(request(world, name, role, turn)) if how != "generated" or turn == 0 else Seed()
        _plant(case, seed, whole=how == "seeded" or turn == 0)
        # An operation that ends the session comes with one of a visitor's.
        token = seed.headers.get("Authorization") or f"Bearer {now(world.token(role))}"
        headers = {"Authorization": token}
        with requests.Session() as session:
            answer = case.call(base_url=base, session=session, headers=headers)
        tally.add(name, answer.status_code)
        if name in LINES and answer.status_code < 300:
            assert all(line for line in answer.text.splitlines())
            return
        case.validate_response(answer, checks=CHECKS)

    check()


def _plant(case: Any, seed: Seed, *, whole: bool) -> None:
    """Puts ids that exist into a case, and with `whole` everything of the seed."""
    if seed.path:
        case.path_parameters = {**(case.path_parameters or {}), **seed.path}
    if seed.headers:
        case.headers = {**(case.headers or {}), **{k: v for k, v in seed.headers.items() if k in _named(case)}}
    if whole and (seed.body is not None or seed.query):
        case.query = seed.query or {}
        if seed.body is not None and case.operation.body:
            case.body = seed.body
            case.media_type = case.operation.body[0].media_type


def _named(case: Any) -> set[str]:
    return {parameter["name"] for parameter in case.operation.definition.raw.get("parameters", ())}
