"""The desk's other business: quarantine, sensor events, inboxes."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.paging import Cursor, decode_cursor, encode_cursor
from dispatch.domain.errors import BadInput, NotFound
from dispatch.domain.reports import Answer, Report
from dispatch.intake.sensors import Result
from dispatch.notices import inbox
from dispatch.people.principal import Principal

Limit = Annotated[int, Meta(ge=1, le=200)]
V1 = "/api/v1"
STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"


class Paging(Struct, frozen=True, forbid_unknown_fields=True):
    """A page after a cursor."""

    cursor: str | None = None
    limit: Limit = 50


class Page(Struct, frozen=True):
    """A page of a list; without `next` it was the last."""

    items: list[Any]
    next: str | None = None


class Read(Struct, frozen=True, forbid_unknown_fields=True):
    """Notices that were read."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=200)]


async def quarantine(call: Call[None, Paging]) -> Reply:
    key = call.services.cursor_key
    after = decode_cursor(call.query.cursor, key, "quarantine").values if call.query.cursor else None
    rows = await call.services.quarantine.entries(after, call.query.limit)
    more = (
        encode_cursor(Cursor((rows[-1]["entered_at"], rows[-1]["id"])), key, "quarantine")
        if len(rows) == call.query.limit
        else None
    )
    return Reply(Page(rows, more))


async def quarantined(call: Call[None, None]) -> Reply:
    return Reply(await call.services.quarantine.entry(_number(call), call.actor))


async def release(call: Call[Report, None]) -> Reply:
    received = await call.services.quarantine.release(_number(call), call.body, call.actor)
    return Reply(received.answer, 200)


def _number(call: Call[Any, Any]) -> int:
    raw = call.params["entry"]
    if not raw.isdecimal() or len(raw) > 18:
        raise NotFound(noun="quarantine entry", key=raw)
    return int(raw)


async def sensor_events(call: Call[None, None]) -> Reply:
    content_type = call.request.content_type
    if content_type not in (STRUCTURED, BATCHED):
        raise BadInput(field="Content-Type", problem=f"{STRUCTURED} or {BATCHED} is expected")
    results = await call.services.sensors.take(await call.request.read(), content_type)
    return Reply(results)


async def notices(call: Call[None, Paging]) -> Reply:
    key, query = call.services.cursor_key, call.query
    after = decode_cursor(query.cursor, key, "notices").values if query.cursor else None
    recipients = _recipients(call.actor)
    at = (after[0], UUID(after[1])) if after else None
    page = await inbox.newest(call.services.pool, recipients, query.limit, at)
    more = (
        encode_cursor(Cursor((page[-1].created_at, str(page[-1].id))), key, "notices")
        if len(page) == query.limit
        else None
    )
    return Reply(Page(list(page), more))


async def read_notices(call: Call[Read, None]) -> Reply:
    now = await call.services.clock.now(call.services.pool)
    mine, by = _recipients(call.actor), call.actor.name
    return Reply({"read": await inbox.mark_read(call.services.pool, mine, call.body.ids, now, by)})


def _recipients(by: Principal) -> list[str]:
    """A person's own inbox and that of their unit, which holds what came when nobody was there."""
    return [f"account:{by.name}", f"unit:{by.unit}"]


ROUTES = [
    Route(
        "GET",
        f"{V1}/quarantine",
        quarantine,
        "What could not be taken in, oldest first 待核登记",
        "quarantine.read",
        query=Paging,
        answer=Page,
    ),
    Route(
        "GET",
        f"{V1}/quarantine/{{entry}}",
        quarantined,
        "One entry as it was sent; logged 待核原文",
        "quarantine.release",
        answer=dict[str, Any],
    ),
    Route(
        "POST",
        f"{V1}/quarantine/{{entry}}/release",
        release,
        "Correct it and take it in 更正并受理",
        "quarantine.release",
        body=Report,
        answer=Answer,
    ),
    Route(
        "POST",
        f"{V1}/sensors/events",
        sensor_events,
        "CloudEvents 1.0, structured or batched 感知事件",
        "sensor.submit",
        answer=list[Result],
        raw_body=STRUCTURED,
    ),
    Route("GET", f"{V1}/notices", notices, "One's inbox, newest first 通知", "notice.read", query=Paging, answer=Page),
    Route(
        "POST",
        f"{V1}/notices/read",
        read_notices,
        "Mark notices read 已读",
        "notice.read",
        body=Read,
        answer=dict[str, int],
    ),
]
