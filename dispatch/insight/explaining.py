"""Why a case is what it is: how every report and task was judged, by which versions, and what persons changed afterwards."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.emergencies import SQL as EMERGENCIES
from dispatch.casework.watch import ACTOR
from dispatch.domain import priority
from dispatch.insight import proposals, triage
from dispatch.insight.cases import SQL as CASES
from dispatch.insight.cases import find
from dispatch.insight.unsuited import DECIDING, decisions
from dispatch.intake.open import INTAKE
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "explaining")
Told = tuple[datetime, str, str, Mapping[str, Any]]
# What the service does by itself is no person's change.
MACHINES: Final = frozenset({INTAKE, ACTOR})
# Judgements by event: what stands after it.
_JUDGED: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "received": lambda data: {"category": data.get("category"), "urgency": data.get("urgency")},
    "classified": lambda data: {"category": data.get("category"), "urgency": data.get("urgency")},
    "dispatched": lambda data: {"lead": data.get("lead")},
    "returned": lambda data: {"lead": None} if data.get("role") == "lead" else {},
}
# Joining and taking apart: the other case, and whether this one's reports went there.
_MOVED: Final[Mapping[str, tuple[str, bool]]] = {
    "merged": ("into", True),
    "unmerged": ("from_case", False),
    "merged_in": ("merged", False),
    "merge_undone": ("restored", True),
    "detached": ("to_case", True),
    "report_left": ("to_case", True),
    "report_came": ("from_case", False),
}


async def explain(at: Workplace, by: Principal, case_no: str) -> dict[str, Any]:
    """For each report inputs, classification, match, route and versions; for each task why its unit; and what persons changed."""
    row = await find(at, by, case_no)
    reports = await at.pool.fetch(CASES.reports, row["id"])
    assignments = await at.pool.fetch(CASES.assignments, row["id"])
    kinds = [*{*_JUDGED, *_MOVED, "dismissed", *DECIDING}]
    rows = await at.pool.fetch(SQL.decisions, row["opened_month"], row["id"], kinds)
    events = [(e["at"], e["type"], e["actor"], msgspec.json.decode(e["body"])) for e in rows]
    returned = [task["unit"] for task in assignments if task["state"] == "returned"]
    silent = proposals.is_silent(triage.by_duty_book(row, at.cities.current, returned))
    return {
        "case_no": case_no,
        "city_version": row["city_version"],
        "reports": [{"receipt_no": r["receipt_no"], **msgspec.json.decode(r["explanation"])} for r in reports],
        "assignments": [
            {
                "assignment": a["id"],
                "unit": a["unit"],
                "role": a["role"],
                "state": a["state"],
                **msgspec.json.decode(a["route"]),
            }
            for a in assignments
        ],
        # What history proposes today, where no rule of the duty book speaks.
        "by_history": await proposals.by_history(at, row, returned) if silent else None,
        "changed": changes(case_no, events),
        # What persons did where an ending was suggested for it.
        "unsuited": decisions(_unsuited(events), events, MACHINES),
        "priority": priority.explain(row["urgency"], row["safety"], row["people"], row["next_due_at"]),
        # Under which emergencies it stands, and how urgent it was before each came to hold for it.
        "emergencies": [dict(each) for each in await at.pool.fetch(EMERGENCIES.of_case, row["id"])],
    }


def changes(case_no: str, events: Iterable[Told]) -> list[dict[str, Any]]:
    """What persons changed of the judgements about a case: who, when, what, from, to."""
    stood: dict[str, Any] = {"category": None, "urgency": None, "lead": None}
    found: list[dict[str, Any]] = []
    for at, type_, actor, data in events:
        told = {"at": at, "by": actor}
        if type_ in _MOVED:
            key, away = _MOVED[type_]
            ends = (case_no, data[key]) if away else (data[key], case_no)
            found.append(told | {"what": type_, "from": ends[0], "to": ends[1], **_receipt(data)})
        elif type_ == "dismissed":
            found.append(told | {"what": "dismissed", "from": data["other"], "to": None})
        elif type_ in _JUDGED:
            after = _JUDGED[type_](data)
            if type_ != "received" and actor not in MACHINES:
                found += [
                    told | {"what": what, "from": stood[what], "to": value}
                    for what, value in after.items()
                    if value != stood[what]
                ]
            stood |= after
    return found


def _unsuited(events: Iterable[Told]) -> list[str]:
    """Codes of the endings that were suggested when a case came in."""
    return next((list(data.get("unsuited", ())) for _, type_, _, data in events if type_ == "received"), [])


def _receipt(data: Mapping[str, Any]) -> dict[str, str]:
    return {"receipt_no": data["receipt_no"]} if "receipt_no" in data else {}
