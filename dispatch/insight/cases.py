"""Reading cases: lists, one case with everything, its record, and the words, masked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.record import case_keys, shown_area
from dispatch.domain import numbers, priority, workflow
from dispatch.domain.errors import NotFound
from dispatch.insight import appeals, followups, orders, replies, requests, visits
from dispatch.insight.lights import lights
from dispatch.insight.reader import reader
from dispatch.insight.words import masked_caller, summaries, texts
from dispatch.intake.read import normalise, tokens
from dispatch.people import vault
from dispatch.people.keyring import aad
from dispatch.people.principal import Principal
from dispatch.people.scope import is_complained_about, may_read_restricted
from dispatch.store.access import log_access
from dispatch.store.statements import load
from sla.light import Light

SQL = load(__file__, "cases")
FAR_FUTURE = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of cases is narrowed to; nothing given means no narrowing."""

    q: str | None = None
    states: list[str] | None = None
    category: str | None = None
    unit: str | None = None
    area: str | None = None
    overdue: bool | None = None


async def list_cases(
    at: Workplace, by: Principal, filters: Filters, after: tuple[datetime, int] | None, limit: int
) -> list[dict[str, Any]]:
    """A page of cases in the reader's scope, newest first; each has `_cursor` values `opened_at` and `id` for the next page."""
    who = reader(by, at.cities.current)
    now = at.clock.wall()
    found = await _search(at, by, filters.q, now) if filters.q else None
    city = at.cities.current
    areas = [a for a in city.map.areas.areas if filters.area in city.map.areas.path(a)] if filters.area else None
    narrowed = (
        *(after or (FAR_FUTURE, 0)), who.units, who.areas, who.restricted, who.above, filters.states, filters.category, filters.unit, areas,
        filters.overdue, now,
    )  # fmt: skip
    if found is None:
        rows = await at.pool.fetch(SQL.list_cases, *narrowed, limit, who.head_of)
    else:
        rows = await at.pool.fetch(SQL.list_found, *narrowed, found, limit, who.head_of)
    ids = [row["id"] for row in rows]
    briefly, colours = await asyncio.gather(summaries(at, ids), lights(at, ids))
    return [{**brief(at, row, colours), "summary": briefly.get(row["id"], ""), "id": row["id"]} for row in rows]


async def _search(at: Workplace, by: Principal, q: str, now: datetime) -> list[int]:
    """Cases by number, by telephone (logged, for those who may look callers up), or by words."""
    plain = normalise(q)
    if numbers.is_number(plain.upper()):
        rows = await at.pool.fetch(SQL.found_by_number, plain.upper())
    elif (phone := vault.phone_hash(at.keyring, plain)) is not None and by.may("caller.lookup"):
        await log_access(at.pool, now, by.name, "caller.search", phone.hex()[:16])
        rows = await at.pool.fetch(SQL.found_by_phone, phone)
    else:
        rows = await at.pool.fetch(SQL.found_by_words, as_query(plain)) if plain else []
    return [row["case_id"] for row in rows]


def as_query(plain: str) -> str:
    """The bigrams of what is looked for as a tsquery; a single character is the beginning of one."""
    quoted = ["'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in tokens(plain) or [plain]]
    return " & ".join(quoted) if len(plain) > 1 else f"{quoted[0]}:*"


async def queue(at: Workplace, by: Principal, unit: str, limit: int) -> list[dict[str, Any]]:
    """What waits at a unit and below it: tasks of its units, cases of its desks, in priority order."""
    city = at.cities.current
    who = reader(by, city)
    if unit not in city.units or not (who.units is None or unit in who.units):
        raise NotFound(noun="unit", key=unit)
    units = sorted(city.units.subtree(unit))
    tasks, desk = await asyncio.gather(
        at.pool.fetch(SQL.queue, units, who.restricted, who.above, limit, who.head_of),
        at.pool.fetch(SQL.desk_queue, unit, who.restricted, who.above, limit),
    )
    rows = sorted((*tasks, *desk), key=lambda r: (-r["rank"], r["next_due_at"], r["case_id"]))[:limit]
    ids = [row["case_id"] for row in rows]
    briefly, colours, written = await asyncio.gather(summaries(at, ids), lights(at, ids), replies.at_hand(at, ids))
    return [
        {k: v for k, v in row.items() if k not in ("case_id", "rank")}
        | {"light": colours.get(row["case_id"]), "summary": briefly.get(row["case_id"], "")}
        | {"reply": written.get((row["case_id"], row["assignment"]))}
        for row in rows
    ]


def brief(at: Workplace, row: asyncpg.Record, colours: Mapping[int, Light]) -> dict[str, Any]:
    """A case as lists and dashboards show it, with its traffic light; of a restricted one no place finer than the district."""
    return {
        "case_no": row["case_no"],
        "state": row["state"],
        "kind": row["kind"],
        "category": row["category"],
        "category_table": row["category_table"],
        "area": next(iter(shown_area(at.cities.current.map.areas, row["area"], restricted=row["restricted"])), None),
        "cell": None if row["restricted"] else row["cell"],
        "lon": None if row["restricted"] else row["lon"],
        "lat": None if row["restricted"] else row["lat"],
        "owner_unit": row["owner_unit"],
        "lead_unit": row["lead_unit"],
        "opened_at": row["opened_at"],
        "next_due_at": row["next_due_at"],
        "light": colours.get(row["id"]),
        "priority": priority.explain(row["urgency"], row["safety"], row["people"], row["next_due_at"]),
        "restricted": row["restricted"],
        "round": row["round"],
        "version": row["version"],
        "seq": row["seq"],
        "solved": row["solved"],
    }


async def find(at: Workplace, by: Principal, case_no: str) -> asyncpg.Record:
    """The row of a case the principal may see. Raises NotFound for one that is not there or not for them."""
    row = await at.pool.fetchrow(SQL.one_case, case_no)
    city = at.cities.current
    if row is not None:
        who = reader(by, city)
        units = {a["unit"] for a in await at.pool.fetch(SQL.assignments, row["id"])} | {row["owner_unit"] or ""}
        units |= await orders.units_of(at, row["id"])
        in_scope = who.scope.sees(units, city.map.areas.path(row["area"]) if row["area"] in city.map.areas else ())
        allowed = may_read_restricted(by, in_scope, row["lead_unit"]) if row["restricted"] else in_scope
        if allowed and not is_complained_about(by, row["about_unit"], city.units):
            return row
    raise NotFound(noun="case", key=case_no)


async def whole(at: Workplace, by: Principal, case_no: str) -> tuple[int, dict[str, Any]]:
    """The case's version and everything about it that the principal may see, words and callers masked."""
    row = await find(at, by, case_no)
    case_id = row["id"]
    assignments = await at.pool.fetch(SQL.assignments, case_id)
    reports = await at.pool.fetch(SQL.reports, case_id)
    return row["version"], {
        **brief(at, row, await lights(at, [case_id])),
        "allowed_actions": workflow.allowed(row["state"]),
        "assignments": [{k: v for k, v in a.items() if k not in ("case_id", "route")} for a in assignments],
        "deadlines": [deadline(d) for d in await at.pool.fetch(SQL.deadlines, case_id)],
        "escalations": [_level(row) for row in await at.pool.fetch(SQL.escalations_of, case_id)],
        "reports": await _reports(at, reports),
        "texts": await texts(at, case_id),
        "merged_into": await at.pool.fetchval(SQL.merged_into, case_id),
        "merged": [each["case_no"] for each in await at.pool.fetch(SQL.merged, case_id)],
        "returns": await _returns(at, row),
        "requests": await requests.of_case(at, case_id),
        "followups": await followups.of_case(at, case_id),
        "replies": await replies.of_case(at, case_id),
        "checks": await visits.of_case(at, case_id),
        "orders": await orders.of_case(at, case_id),
        "urges": await orders.urges_of(at, case_id),
        "appeals": await appeals.of_case(at, case_id),
        "border": _border(at, row),
        "danger": row["danger"],
        "source_ref": msgspec.json.decode(row["source_ref"]) if row["source_ref"] else None,
        "links": [dict(link) for link in await at.pool.fetch(SQL.links, case_id)],
    }


async def _returns(at: Workplace, row: asyncpg.Record) -> list[dict[str, Any]]:
    """Who gave the case back, in order: all who may read it see why, and whom they named instead."""
    lines, told = (
        await at.pool.fetch(SQL.returns, row["opened_month"], row["id"]),
        ("unit", "role", "reason", "proposed"),
    )
    return [{"at": line["at"]} | {name: _data(line["body"]).get(name) for name in told} for line in lines]


def _border(at: Workplace, row: asyncpg.Record) -> list[str]:
    """Areas whose border is so near that the matter may be theirs; of a restricted case none finer than the district."""
    areas = at.cities.current.map.areas
    shown = (next(iter(shown_area(areas, code, restricted=row["restricted"])), None) for code in row["border"])
    return sorted({code for code in shown if code is not None})


def deadline(row: asyncpg.Record) -> dict[str, Any]:
    """One clock as it stands."""
    shown = (
        "id", "clock", "assignment_id", "round", "unit", "started_at", "due_at", "limit_text", "mode", "rule", "status",
        "historic", "stopped_at", "provisional",
    )  # fmt: skip
    return {name: row[name] for name in shown} | {
        "ladder": msgspec.json.decode(row["plan"]),
        "adjustments": msgspec.json.decode(row["adjustments"]),
        "next_at": row["next_at"],
    }


async def _reports(at: Workplace, rows: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    people = {
        r["id"]: r for r in await at.pool.fetch(SQL.callers, [row["caller_id"] for row in rows if row["caller_id"]])
    }
    return [
        {k: row[k] for k in ("receipt_no", "channel", "kind", "received_at", "outcome", "verdict")}
        | {"caller": masked_caller(at, people.get(row["caller_id"]), confidential=row["confidential"])}
        for row in rows
    ]


async def unmask(at: Workplace, by: Principal, case_no: str, text_id: int, purpose: str) -> dict[str, Any]:
    """The raw words of one text; who looked and why is logged first. Raises NotFound."""
    row = await find(at, by, case_no)
    keys = await case_keys(at.pool, at.keyring, [row["id"]])
    for text in await at.pool.fetch(SQL.texts, row["id"]):
        if text["id"] == text_id and row["id"] in keys:
            await log_access(
                at.pool, await at.clock.now(at.pool), by.name, "text.unmask", f"{case_no}/{text_id}", purpose
            )
            document: dict[str, Any] = msgspec.json.decode(
                keys[row["id"]].open(text["nonce"], text["sealed"], aad("texts", "sealed", text_id))
            )
            document.pop("personal", None)
            return document
    raise NotFound(noun="text", key=str(text_id))


async def events(at: Workplace, by: Principal, case_no: str, after: int, limit: int) -> list[dict[str, Any]]:
    """The record of a case: every event with its data."""
    row = await find(at, by, case_no)
    lines = await at.pool.fetch(SQL.events, row["opened_month"], row["id"], after, limit)
    return [
        {
            "seq": line["seq"],
            "at": line["at"],
            "type": line["type"],
            "actor": line["actor"],
            "data": _data(line["body"]),
        }
        for line in lines
    ]


def _data(body: bytes) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(body)
    return {k: v for k, v in data.items() if k not in ("case_no", "seq", "at", "type", "actor", "wrote")}


async def escalations(
    at: Workplace, by: Principal, after: tuple[datetime, int] | None, *, level: int, waiting: bool, limit: int
) -> list[dict[str, Any]]:
    """Levels of the ladder that fired, newest first, in the reader's scope."""
    who = reader(by, at.cities.current)
    rows = await at.pool.fetch(
        SQL.escalations,
        *(after or (FAR_FUTURE, 0)),
        level,
        waiting,
        who.units,
        who.areas,
        who.restricted,
        who.above,
        limit,
        who.head_of,
    )
    return [_level(row) for row in rows]


def _level(row: asyncpg.Record) -> dict[str, Any]:
    """A level that fired, with the calls that were logged for it and who of those told has opened its notice."""
    return {**row, "calls": msgspec.Raw(row["calls"].encode()), "told": msgspec.Raw(row["told"].encode())}
