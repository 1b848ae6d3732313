"""The dispatch desk's list (派单台), and what the duty book, or where it is silent history, proposes for a case, explained."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from dispatch.casework import clocks
from dispatch.casework.actions import Workplace
from dispatch.city.model import City
from dispatch.domain.cases import Case
from dispatch.domain.workflow import WITHOUT_LEAD
from dispatch.insight.cases import find
from dispatch.insight.lights import lights
from dispatch.insight.proposals import by_history, is_silent
from dispatch.insight.reader import reader
from dispatch.insight.unsuited import suggested
from dispatch.insight.words import summaries
from dispatch.intake.route import Route, by_book, excluded_units
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "triage")


async def waiting(at: Workplace, by: Principal, after: tuple[int, Any, int] | None, limit: int) -> list[dict[str, Any]]:
    """Cases without a lead in priority order, with what is missing, what they may repeat, who returned them, and the proposal.

    `unsuited` are codes of endings that were suggested.
    """
    city = at.cities.current
    who = reader(by, city)
    rank, due, last = after or (1000, None, 0)
    rows = await at.pool.fetch(
        SQL.waiting, list(WITHOUT_LEAD), who.units, who.areas, who.restricted, who.above, rank, due, last, limit
    )
    ids = [row["id"] for row in rows]
    briefly, colours = await summaries(at, ids), await lights(at, ids)
    returned, suspected = await _by_case(at, SQL.returned, ids), await _by_case(at, SQL.suspected, ids)
    unsuited = await _by_case(at, SQL.unsuited, ids)
    return [
        {
            "case_no": row["case_no"],
            "state": row["state"],
            "category": row["category"],
            "urgency": row["urgency"],
            "people": row["people"],
            "danger": row["danger"],
            "opened_at": row["opened_at"],
            "next_due_at": row["next_due_at"],
            "missing": missing(row, contact=row["reachable"], words=row["id"] in briefly),
            "suspected": [{"case_no": s["other_no"], "score": s["score"]} for s in suspected.get(row["id"], ())],
            "unsuited": [each["code"] for u in unsuited.get(row["id"], ()) for each in suggested(u["kept"], city)],
            "returns": [{"unit": r["unit"], "reason": r["return_reason"]} for r in returned.get(row["id"], ())],
            "proposed_lead": by_duty_book(row, city, [r["unit"] for r in returned.get(row["id"], ())]).lead,
            "light": colours.get(row["id"]),
            "summary": briefly.get(row["id"], ""),
            "version": row["version"],
            "id": row["id"],
            "rank": row["rank"],
        }
        for row in rows
    ]


async def _by_case(at: Workplace, statement: str, ids: list[int]) -> dict[int, list[asyncpg.Record]]:
    found: dict[int, list[asyncpg.Record]] = {}
    for row in await at.pool.fetch(statement, ids):
        found.setdefault(row["case_id"], []).append(row)
    return found


def missing(row: asyncpg.Record, *, contact: bool, words: bool) -> list[str]:
    """Elements (要素) that a dispatcher would want to have: nothing is refused for want of one."""
    absent = {
        "place": row["lon"] is None and row["area"] is None,
        "category": row["category"] is None,
        "contact": not contact and row["kind"] not in ("patrol", "sensor"),
        "words": not words,
    }
    return [name for name, gone in absent.items() if gone]


async def proposal(at: Workplace, by: Principal, case_no: str) -> dict[str, Any]:
    """Whose the duty book says a case is today, what was tried, who is out of the question and why, and the limits there.

    `by_history` is what the model of units proposes where no rule speaks; nobody is given a case by it. `categories` are those
    that were suggested for a case without one, each with whose it would be; `unsuited` the endings that were suggested when
    it came in.
    """
    row = await find(at, by, case_no)
    city = at.cities.current
    returned = [r["unit"] for r in await at.pool.fetch(SQL.returned, [row["id"]])]
    seeming = await at.pool.fetch(SQL.unsuited, [row["id"]])
    route = by_duty_book(row, city, returned)
    about = excluded_units(row["about_unit"], city)
    out = [{"unit": unit, "why": "complained_about"} for unit in sorted(about)]
    out += [{"unit": unit, "why": "returned"} for unit in returned if unit not in about]
    return {
        "case_no": case_no,
        "lead": route.lead,
        "assists": [unit for unit in route.assists if unit not in returned],
        "rule": route.rule,
        "reasons": list(route.reasons),
        "by_history": await by_history(at, row, returned) if is_silent(route) else None,
        "categories": await _categories(at, row, returned) if row["category"] is None else [],
        "unsuited": [each for first in seeming for each in suggested(first["kept"], city)],
        "excluded": out,
        "missing": missing(row, contact=await at.pool.fetchval(SQL.reachable, row["id"]), words=True),
        "border": row["border"],
        "limits": await _limits(at, row, route) if route.lead else {},
        "city_version": city.version,
    }


async def _categories(at: Workplace, row: asyncpg.Record, returned: Sequence[str]) -> list[dict[str, Any]]:
    """What the model of subjects suggested when the case came in, and whose each would be by the duty book of today."""
    city, found = at.cities.current, list[dict[str, Any]]()
    for code, sure in msgspec.json.decode(await at.pool.fetchval(SQL.suggested, row["id"]) or "[]"):
        if (category := city.categories.get(code)) is not None:
            named = {**row, "category": category.code, "category_table": category.table_version}
            route = by_duty_book(named, city, returned)
            found.append(
                {"category": code, "name": category.name, "confidence": sure, "lead": route.lead, "rule": route.rule}
            )
    return found


async def _limits(at: Workplace, row: asyncpg.Record, route: Route) -> dict[str, dict[str, str]]:
    """What each clock of a task there would be given, by the version whose limits the case keeps."""
    opened_under = await at.cities.version(at.pool, row["city_version"])
    case = Case(
        id=row["id"], case_no=row["case_no"], opened_at=row["opened_at"], opened_month=date.min, state=row["state"],
        kind=row["kind"], urgency=row["urgency"], city_version=row["city_version"], last_event_at=row["opened_at"],
        channel=row["channel"], category=row["category"], category_table=row["category_table"], area=row["area"],
    )  # fmt: skip
    now, lead = at.clock.wall(), route.lead or ""
    found = {name: clocks.limit_of(opened_under, case, name, lead, now) for name in ("sign", "contact", "reply")}
    return {name: {"limit": str(policy.limit), "rule": policy.rule} for name, policy in found.items()}


def by_duty_book(row: asyncpg.Record | dict[str, Any], city: City, returned: Sequence[str]) -> Route:
    """Whose the duty book says a case is, without those that returned it."""
    category = city.categories.get(row["category"], row["category_table"]) if row["category"] else None
    if category is None:
        return Route(None, (), "unclassified", ("no category: a person must say what it is",))
    areas = city.map.areas.path(row["area"]) if row["area"] and row["area"] in city.map.areas else ()
    if category.routes == "by_place" and not areas:
        return Route(None, (), "no_place", (f"{category.code} is routed by place and there is none",))
    excluded = excluded_units(row["about_unit"], city) | frozenset(returned)
    return by_book(
        category,
        () if category.routes == "city_wide" else areas,
        city,
        row["next_due_at"] or row["opened_at"],
        excluded,
    )
