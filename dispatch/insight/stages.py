"""Where the time of a case went (耗时归属): from its record alone, each stretch charged to the stage and unit that held it.

Every event that ends a transaction says in which state and at which unit the case stands from then on; so the stretches add up to
the whole by construction. Records from before that was written are charged to `unknown`, and say so.
"""

from datetime import datetime
from typing import Any

import msgspec

from dispatch.casework.actions import Workplace
from dispatch.domain.workflow import OPEN
from dispatch.insight.cases import find
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "stages")
UNKNOWN = "unknown"


async def stages(at: Workplace, by: Principal, case_no: str) -> dict[str, Any]:
    """Stretches in order, their sums by stage and unit in seconds, and who holds it now. Raises NotFound."""
    row = await find(at, by, case_no)
    lines = await at.pool.fetch(SQL.record, row["opened_month"], row["id"])
    record = [(line["at"], msgspec.json.decode(line["body"])) for line in lines]
    until = max(await at.clock.now(at.pool), record[-1][0]) if row["state"] in OPEN else _over_at(record)
    stretches = _stretches([each for each in record if each[0] <= until], until)
    held: dict[tuple[str, str], float] = {}
    for each in stretches:
        key = each["stage"], each["unit"]
        held[key] = held.get(key, 0.0) + each["seconds"]
    last = stretches[-1] if row["state"] in OPEN and stretches else None
    return {
        "case_no": case_no,
        "total_seconds": (until - record[0][0]).total_seconds(),
        "by_stage": [{"stage": s, "unit": u, "seconds": seconds} for (s, u), seconds in held.items()],
        "stretches": stretches,
        "held_now_by": {"stage": last["stage"], "unit": last["unit"]} if last else None,
    }


def _over_at(record: list[tuple[datetime, dict[str, Any]]]) -> datetime:
    """Since when the case is over: what is on record of it after that, an appeal for one, is nobody's time."""
    over = record[-1][0]
    for at, event in reversed(record):
        if event.get("state", "closed") in OPEN:
            return over
        over = at
    return record[-1][0]


def _stretches(record: list[tuple[datetime, dict[str, Any]]], until: datetime) -> list[dict[str, Any]]:
    """Stretches of one stage and unit; while an interim lead acts they are in dispute."""
    found: list[dict[str, Any]] = []
    stage, unit, disputed, since = UNKNOWN, UNKNOWN, False, record[0][0]
    moments = [*record, (until, {})]
    for at, event in moments:
        if at > since:
            _charge(found, stage, unit, since, at, disputed=disputed)
            since = at
        if "state" in event:
            stage, unit = event["state"], event.get("owner_unit") or UNKNOWN
        if event.get("type") in ("disputed", "dispatched", "ruled") or event.get("interim"):
            disputed = bool(event.get("interim"))
    return found


def _charge(
    found: list[dict[str, Any]], stage: str, unit: str, since: datetime, until: datetime, *, disputed: bool
) -> None:
    last = found[-1] if found else None
    if last and (last["stage"], last["unit"], last["disputed"], last["until"]) == (stage, unit, disputed, since):
        last["until"], last["seconds"] = until, (until - last["since"]).total_seconds()
        return
    seconds = (until - since).total_seconds()
    found.append(
        {"stage": stage, "unit": unit, "since": since, "until": until, "seconds": seconds, "disputed": disputed}
    )
