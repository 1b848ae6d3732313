"""What the holder of a receipt and its code may know (市民查询): public steps, when to expect an answer, what was said.

| event                              | public step      | with it                                    |
|------------------------------------|------------------|--------------------------------------------|
| the report was recorded            | `registered`     |                                            |
| asked                              | `need_info`      |                                            |
| dispatched                         | `dispatched`     | the unit's name                            |
| signed, by the lead                | `taken_up`       | the unit's name                            |
| contacted, and reached             | `contacted`      |                                            |
| returned by the lead, taken away   | `redirected`     |                                            |
| suspended, resumed, extended       | the same words   | until when it is promised                  |
| replied by the lead                | `replied`        |                                            |
| reworked, reopened, restored       | `handled_again`  |                                            |
| approved, answered, rejected …     | `answered`       |                                            |
| closed, settled                    | `closed`         |                                            |

Nothing internal: no person, no reason, no note, no other caller. Of a restricted case, and of one about a unit, no unit is named.
Of words a holder sees what everybody was told and what concerns their own receipt.
"""

from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from dispatch.casework.actions import Workplace
from dispatch.casework.evaluations import open_until
from dispatch.casework.record import case_keys
from dispatch.insight.reports import Standing
from dispatch.people.keyring import aad
from dispatch.people.masking import find_personal, mask_text
from dispatch.store.statements import load

SQL = load(__file__, "tracking")
STEPS: Final = {
    "asked": "need_info",
    "dispatched": "dispatched",
    "signed": "taken_up",
    "contacted": "contacted",
    "returned": "redirected",
    "taken_away": "redirected",
    "suspended": "suspended",
    "resumed": "resumed",
    "extended": "extended",
    "replied": "replied",
    **dict.fromkeys(("reworked", "reopened", "restored"), "handled_again"),
    **dict.fromkeys(("approved", "answered", "rejected", "referred", "terminated", "retracted"), "answered"),
    **dict.fromkeys(("closed", "settled"), "closed"),
}


class PublicStep(Struct, frozen=True, omit_defaults=True):
    """One thing that happened; `unit` is the name of the unit, `until` a promised instant."""

    at: datetime
    step: str
    unit: str | None = None
    until: datetime | None = None


class Told(Struct, frozen=True):
    """Words for the citizen, or their own: told, answer, progress, question or supplement; numbers of people masked."""

    at: datetime
    kind: str
    text: str


class Evaluating(Struct, frozen=True):
    """Whether an evaluation is taken now, until when (null: no end yet), and the one given last."""

    possible: bool
    until: datetime | None
    given: dict[str, Any] | None


class Tracked(Struct, frozen=True):
    """A report as the citizen who holds its receipt and code sees it: nothing internal, nothing personal.

    `state` is accepted, in_progress, answered, closed or under_check.
    """

    receipt_no: str
    state: str
    received_at: datetime
    expected_by: datetime | None
    steps: list[PublicStep]
    told: list[Told]
    evaluation: Evaluating


async def tracked(at: Workplace, standing: Standing) -> Tracked:
    """Everything that the holder of this receipt may see."""
    steps, told = [PublicStep(standing.recorded_at, "registered")], list[Told]()
    evaluation = Evaluating(possible=False, until=None, given=None)
    if standing.case_id is not None:
        case = await at.pool.fetchrow(SQL.case, standing.case_id)
        assert case is not None
        steps += await _steps(at, case, standing.recorded_at)
        told = await _words(at, standing)
        evaluation = await _evaluation(at, case, standing.receipt_no)
    return Tracked(
        standing.receipt_no, standing.public_state, standing.recorded_at, standing.expected_by, steps, told, evaluation
    )


async def _steps(at: Workplace, case: asyncpg.Record, since: datetime) -> list[PublicStep]:
    rows = await at.pool.fetch(SQL.steps, case["opened_month"], case["id"], list(STEPS), since)
    hidden = case["restricted"] or case["about_unit"] is not None
    found = (_step(at, row, hidden=hidden) for row in rows)
    return [step for step in found if step is not None]


def _step(at: Workplace, row: asyncpg.Record, *, hidden: bool) -> PublicStep | None:
    """The public side of one event; None for what is a part of somebody else's work."""
    data, units = msgspec.json.decode(row["body"]), at.cities.current.units
    if data.get("role", "lead") != "lead" or data.get("reached") is False:
        return None
    code = data.get("lead") or data.get("unit")
    named = row["type"] in ("dispatched", "signed") and not hidden and code in units
    until = datetime.fromisoformat(data["until"]) if row["type"] == "suspended" else None
    return PublicStep(row["at"], STEPS[row["type"]], units.units[code].name if named else None, until)


async def _words(at: Workplace, standing: Standing) -> list[Told]:
    """What everybody of the case was told after the report came in, and what concerns this receipt."""
    assert standing.case_id is not None
    rows = await at.pool.fetch(SQL.words, standing.case_id, standing.recorded_at)
    keys = await case_keys(at.pool, at.keyring, [standing.case_id] if rows else [])
    if standing.case_id not in keys:
        return []
    key, shown = keys[standing.case_id], []
    for row in rows:
        said = msgspec.json.decode(key.open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"])))
        mine = said.get("receipt_no") == standing.receipt_no
        if mine if row["kind"] == "supplement" else (mine or said.get("to") == "everybody" or row["kind"] != "told"):
            text = said["text"]
            shown.append(Told(row["written_at"], row["kind"], mask_text(text, find_personal(text))))
    return shown


async def _evaluation(at: Workplace, case: asyncpg.Record, receipt_no: str) -> Evaluating:
    now, city = await at.clock.now(at.pool), at.cities.current
    given = await at.pool.fetch(SQL.evaluations, case["id"], receipt_no)
    possible, until = open_until(case["state"], case["closed_at"], city)
    possible = possible and (until is None or now <= until) and not any(row["round"] == case["round"] for row in given)
    return Evaluating(possible, until, {k: v for k, v in given[0].items() if k != "round"} if given else None)
