"""Requests about accounts, keys, sessions, rosters and webhooks."""

import itertools
from typing import Any
from uuid import uuid4

from dispatch.people.permissions import Role
from tests.harness.town import principal
from tests.integration.api.world import UNITS, Seed, World

_numbers = itertools.count(1)


async def _worker(world: World) -> str:
    """Somebody new at the drainage unit."""
    name = f"w{uuid4().hex[:12]}"
    await world.town.services.people.accounts.create("test", name, "drainage", ["handler"], "")
    return name


def _span(turn: int) -> dict[str, str]:
    day = 1 + turn % 28
    return {"starts_at": f"2026-12-{day:02}T20:00:00+08:00", "ends_at": f"2026-12-{day:02}T23:00:00+08:00"}


async def shift(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"unit": "drainage", "role": "handler", "account": await _worker(world), **_span(turn)})


async def leave(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"account": await _worker(world), **_span(turn), "stand_in": await _worker(world)})


async def some_shift(world: World, role: Role, turn: int) -> Seed:
    return Seed({"shift": await _made(world, "shifts", (await shift(world, role, turn)).body)})


async def some_leave(world: World, role: Role, turn: int) -> Seed:
    return Seed({"leave": await _made(world, "leaves", (await leave(world, role, turn)).body)})


async def _made(world: World, noun: str, body: dict[str, Any]) -> str:
    headers = world.town.acts_as(principal("supervisor", "supervision"))
    async with world.town.http.post(f"{world.town.url}/api/v1/{noun}", json=body, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def roster(world: World, role: Role, turn: int) -> Seed:
    return Seed({"unit": UNITS[role]}, query={"at": "2026-12-01T20:30:00+08:00"})


async def log_in(world: World, role: Role, turn: int) -> Seed:
    if not await world.town.value("SELECT count(*) FROM accounts WHERE username = 'visitor'"):
        await world._account("operator", "hotline", "visitor")
    return Seed(body={"username": "visitor", "password": world.passwords["visitor"]})


async def refresh(world: World, role: Role, turn: int) -> Seed:
    seed = await log_in(world, role, turn)
    opened = await world.town.services.people.sessions.log_in("visitor", seed.body["password"])
    return Seed(body={"refresh_token": opened.refresh_token})


async def own_session(world: World, role: Role, turn: int) -> Seed:
    """With a session of its own, which the operation ends."""
    await log_in(world, role, turn)
    opened = await world.town.services.people.sessions.log_in("visitor", world.passwords["visitor"])
    return Seed(headers={"Authorization": f"Bearer {opened.access_token}"})


async def password(world: World, role: Role, turn: int) -> Seed:
    """Of an account of its own: its first password is replaced once, and then again here."""
    name = f"v{uuid4().hex[:12]}"
    token = await world._account("operator", "hotline", name)
    body = {"old_password": world.passwords[name], "new_password": f"Seed-{uuid4()}"}
    return Seed(headers={"Authorization": f"Bearer {token}"}, body=body)


async def account(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"username": f"u{uuid4().hex[:12]}", "unit": "hotline", "roles": ["operator"], "title": "话务员"})


async def some_account(world: World, role: Role, turn: int) -> Seed:
    made = await account(world, role, turn)
    accounts = world.town.services.people.accounts
    await accounts.create("test", made.body["username"], "hotline", ["operator"], "")
    return Seed({"username": made.body["username"]})


async def key(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"name": f"key {next(_numbers)}", "unit": "hotline", "channels": ["app"], "roles": ["connector"]})


async def some_key(world: World, role: Role, turn: int) -> Seed:
    made, _ = await world.town.services.people.keys.create("test", f"key {next(_numbers)}", "hotline", ["app"])
    return Seed({"id": made})


async def webhook(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"id": f"hook-{uuid4()}", "url": "http://127.0.0.1:9/notices", "units": ["drainage"]})


async def some_webhook(world: World, role: Role, turn: int) -> Seed:
    made = (await webhook(world, role, turn)).body
    headers = world.town.acts_as(principal("sysadmin", "dispatch"))
    async with world.town.http.post(f"{world.town.url}/api/v1/webhooks", json=made, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
    return Seed({"webhook": made["id"]})


async def handover(world: World, role: Role, turn: int) -> Seed:
    return Seed({"username": await _worker(world)}, body={"to": await _worker(world)})


async def notices(world: World, role: Role, turn: int) -> Seed:
    return Seed(body={"ids": [str(uuid4())]})
