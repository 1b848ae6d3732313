"""Figures of indicators and what they mean; the monthly report of a unit."""

from datetime import date
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, Struct, field

from dispatch.api.call import Call, Reply, Route
from dispatch.domain.errors import BadInput
from dispatch.indicators.definitions import DEFINITIONS, Definition
from dispatch.insight import indicators, monthly
from dispatch.insight.indicators import Asked, Dimension, Keyed, Summary
from dispatch.insight.monthly import Monthly
from dispatch.insight.reader import reader

V1 = "/api/v1"
Code = Annotated[str, Meta(min_length=1, max_length=64)]
LONGEST_DAYS = 400


class Period(Struct, frozen=True, forbid_unknown_fields=True):
    """From one day to another, both included; of one key, or of all that the reader sees; of these indicators, or of all."""

    since: date = field(name="from")
    until: date = field(name="to")
    dimension: Dimension = "all"
    key: Code | None = None
    indicator: Annotated[list[Code], Meta(max_length=64)] = []


class Month(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which unit, and of which month (`2026-11`)."""

    unit: Code
    month: Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class Figures(Struct, frozen=True):
    """Figures by key. A rate is between 0 and 1; `raw` is what it would be if nothing was left out."""

    since: date = field(name="from")
    until: date = field(name="to")
    dimension: Dimension
    items: list[Keyed]
    summary: list[Summary]


async def figures(call: Call[None, Period]) -> Reply:
    query, services = call.query, call.services
    if not query.since <= query.until or (query.until - query.since).days > LONGEST_DAYS:
        raise BadInput(field="to", problem=f"must not come before from, nor more than {LONGEST_DAYS} days after it")
    for name in query.indicator:
        if name not in DEFINITIONS:
            raise BadInput(field="indicator", problem=f"{name} is none; /stats/indicators/definitions names them")
    asked = Asked(query.dimension, query.key, query.since, query.until, tuple(dict.fromkeys(query.indicator)))
    who = reader(call.actor, services.cities.current)
    items, summary = await indicators.read(services.workplace, who, asked)
    return Reply(Figures(query.since, query.until, query.dimension, items, summary))


async def definitions(call: Call[None, None]) -> Reply:
    return Reply(list(DEFINITIONS.values()))


async def month(call: Call[None, Month]) -> Reply:
    return Reply(await _report(call))


async def month_csv(call: Call[None, Month]) -> web.StreamResponse:
    report = await _report(call)
    names = {unit.code: unit.name for unit in call.services.cities.current.units}
    name = f"{report.unit}-{report.month}.csv"
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = monthly.as_csv(report, names)
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


async def _report(call: Call[None, Month]) -> Monthly:
    who = reader(call.actor, call.services.cities.current)
    return await monthly.monthly(call.services.workplace, who, call.query.unit, call.query.month)


ROUTES = [
    Route("GET", f"{V1}/stats/indicators", figures, "Figures by unit, area, category, channel, day 指标", "stats.read", query=Period, answer=Figures),
    Route(
        "GET", f"{V1}/stats/indicators/definitions", definitions, "What the figures are made of 指标定义", "stats.read",
        answer=list[Definition],
    ),
    Route("GET", f"{V1}/stats/monthly", month, "A unit's month 月报", "stats.read", query=Month, answer=Monthly),
    Route("GET", f"{V1}/stats/monthly.csv", month_csv, "The same as a table 月报(表格)", "stats.read", query=Month),
]  # fmt: skip
