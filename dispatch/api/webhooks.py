"""Webhooks (Standard Webhooks): who outside is told of the notices of which units."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.domain.errors import BadInput, NotFound, RuleBroken
from dispatch.notices import webhooks
from dispatch.store.access import log_access

V1 = "/api/v1"


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where notices go; without `units` those of every unit. Restricted cases are never among them."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
    url: Annotated[str, Meta(pattern=r"^https?://", max_length=500)]
    units: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=500)] = []


class MadeWebhook(Struct, frozen=True):
    """The secret with which its receiver checks signatures; told this once."""

    id: str
    secret: str


async def add(call: Call[NewWebhook, None]) -> Reply:
    body, services = call.body, call.services
    for unit in body.units:
        if unit not in services.cities.current.units:
            raise BadInput(field="units", problem=f"{unit} is not a unit of this city")
    secret = webhooks.new_secret()
    async with services.pool.acquire() as connection, connection.transaction():
        if not await webhooks.add_webhook(connection, services.keyring, body.id, body.url, secret, body.units):
            raise RuleBroken(problem=f"there is a webhook {body.id} already")
        await log_access(connection, await services.clock.now(connection), call.actor.name, "webhook.add", body.id)
    return Reply(MadeWebhook(body.id, secret), 201)


async def every(call: Call[None, None]) -> Reply:
    return Reply([msgspec.to_builtins(each) for each in await webhooks.every(call.services.pool)])


async def disable(call: Call[None, None]) -> Reply:
    name, services = call.params["webhook"], call.services
    async with services.pool.acquire() as connection, connection.transaction():
        now = await services.clock.now(connection)
        if not await webhooks.disable(connection, name, now):
            raise NotFound(noun="webhook", key=name)
        await log_access(connection, now, call.actor.name, "webhook.disable", name)
    return Reply({"id": name, "disabled_at": now})


MANAGE = "webhook.manage"
ROUTES = [
    Route("GET", f"{V1}/webhooks", every, "Webhooks 外部通知", MANAGE, answer=list[dict[str, Any]]),
    Route(
        "POST", f"{V1}/webhooks", add, "A new one 新增", MANAGE, body=NewWebhook, answer=MadeWebhook, statuses=(201,)
    ),
    Route("POST", f"{V1}/webhooks/{{webhook}}/disable", disable, "Stop one 停用", MANAGE, answer=dict[str, Any]),
]
