"""Taking a case apart (拆案): one of its reports becomes a case of its own, or goes to the case that it is about."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from dispatch.casework import clocks, moving, record
from dispatch.casework.actions import Action, Turn
from dispatch.casework.bodies import ActionBody
from dispatch.casework.merging import fits, into
from dispatch.domain import numbers
from dispatch.domain.cases import Case, Change
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.locate import tile_of
from dispatch.intake.open import view
from dispatch.intake.rarity import signed
from dispatch.intake.read import HUMAN_KINDS, compared, normalise, tokens
from dispatch.intake.words import packed
from dispatch.people.keyring import CaseKey, aad
from dispatch.people.masking import find_personal, mask_text
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "splitting")


async def detach(turn: Turn) -> None:
    """拆案: a report that is about something else becomes its own case at the desk; its limit runs from its receipt."""
    case_step(turn.change.case.state, "detach")
    change, receipt = turn.change, turn.needs("receipt_no")
    turn.needs("note")
    row = await turn.connection.fetchrow(SQL.report, change.case.id, receipt)
    if row is None:
        raise NotFound(noun="report", key=receipt)
    if len(await moving.receipts_of(turn, change)) == 1:
        raise RuleBroken(problem="it is the only report of this case", field="receipt_no")
    turn.say("reason")
    own, signature = _case_of(turn, row), await _signature(turn, row)
    await record.save(turn.connection, turn.keyring, turn.city.map.areas, [own])
    if signature is not None:
        sealed = turn.keyring.wrap_case_key(CaseKey.new(), own.case.id)
        await turn.connection.execute(SQL.keep_key, own.case.id, sealed.key_id, sealed.nonce, sealed.data)
        await turn.connection.execute(SQL.insert_signatures, own.case.id, *signature)
    await moving.move(turn, change, own, [receipt])
    await turn.connection.execute(SQL.link, own.case.id, change.case.id)
    await _keep(turn, "detach", change, own, receipt)
    change.event(
        "detached", turn.at, turn.by.name, receipt_no=receipt, to_case=own.case.case_no, people=change.case.people
    )


async def attach(turn: Turn) -> None:
    """A report of another case is about this one; a case whose only report it was is merged into this one."""
    case_step(turn.change.case.state, "attach")
    change, receipt = turn.change, turn.needs("receipt_no")
    source = next(iter(turn.others.values()), None)
    row = await turn.connection.fetchrow(SQL.report, source.case.id, receipt) if source else None
    if source is None or row is None:
        raise RuleBroken(problem="it is not a report of another case", field="receipt_no")
    turn.say("reason")
    back = change.case.id, source.case.id, receipt, turn.by.name, turn.at
    await turn.connection.execute(moving.SQL.undo_detach, *back)
    if len(await moving.receipts_of(turn, source)) == 1:
        await into(turn, source, change)
        return
    fits(source, change)
    if not source.case.is_open:
        raise RuleBroken(problem="the case that has it is not open", field="receipt_no")
    await moving.move(turn, source, change, [receipt])
    await _keep(turn, "attach", source, change, receipt)
    at = max(turn.at, source.instant(turn.now))
    source.event(
        "report_left", at, turn.by.name, receipt_no=receipt, to_case=change.case.case_no, people=source.case.people
    )
    change.event(
        "report_came", at, turn.by.name, receipt_no=receipt, from_case=source.case.case_no, people=change.case.people
    )


def _case_of(turn: Turn, row: asyncpg.Record) -> Change:
    """A new case at the dispatch desk with what its report says of itself."""
    old, city, now = turn.change.case, turn.city, turn.at
    code = row["category"]
    category = city.categories.get(code, None) if code else None
    case_id, opened_at, placed = turn.ids.take("case"), row["received_at"], row["lon"] is not None
    case = Case(
        id=case_id,
        case_no=numbers.case_no(opened_at.astimezone(city.tz).date(), case_id),
        opened_at=opened_at,
        opened_month=date(now.year, now.month, 1),
        state="triage",
        kind=row["kind"],
        urgency=category.urgency if category else "ordinary",
        city_version=city.version,
        last_event_at=now,
        channel=row["channel"],
        category=category.code if category else None,
        category_table=category.table_version if category else None,
        kin=category.kin if category else "",
        safety=category is not None and category.urgency == "critical",
        people=1 if row["kind"] in HUMAN_KINDS else 0,
        restricted=old.restricted,
        cell=row["cell"],
        # A report keeps no area of its own: that of its cell's case is the nearest known.
        area=old.area,
        lon=row["lon"],
        lat=row["lat"],
        tile=tile_of(row["lon"], row["lat"]) if placed else None,
        owner_unit=city.desk.dispatch,
        about_unit=old.about_unit,
    )
    own, desk = Change(case), city.desk.dispatch
    own.deadlines = [
        clocks.start(city, case, "dispatch", unit=desk, at=now),
        clocks.start(city, case, clocks.CASE_CLOCK, unit=desk, at=opened_at),
    ]
    own.event(
        "received", now, turn.by.name, channel=case.channel, opened_at=opened_at, kind=case.kind, category=case.category,
        category_table=case.category_table, urgency=case.urgency, safety=case.safety, restricted=case.restricted,
        people=case.people, area=case.area, cell=case.cell, owner_unit=desk, city_version=city.version,
        detached_from=old.case_no, deadlines=[view(d) for d in own.deadlines],
    )  # fmt: skip
    return own


async def _signature(turn: Turn, row: asyncpg.Record) -> tuple[bytes, list[str], list[int]] | None:
    """What is compared of the report's masked words; None where they were erased."""
    case_id = turn.change.case.id
    keys = await record.case_keys(turn.connection, turn.keyring, [case_id])
    text = await turn.connection.fetchrow(SQL.words_of, case_id, row["id"])
    if case_id not in keys or text is None:
        return None
    opened = keys[case_id].open(text["nonce"], text["sealed"], aad("texts", "sealed", text["id"]))
    document: dict[str, Any] = msgspec.json.decode(opened)
    said = "\n".join(part for part in (document.get("title"), document.get("text")) if part)
    masked = mask_text(said, find_personal(said))
    words = compared(document.get("title"), masked)
    return packed(words), tokens(normalise(masked)), signed(words.ways)


async def _keep(turn: Turn, kind: str, source: Change, target: Change, receipt: str) -> None:
    moved = kind, source.case.id, target.case.id, [receipt], turn.by.name, turn.at
    await turn.connection.execute(moving.SQL.keep_move, *moved)


async def _locked(connection: Connection, case_id: int, body: ActionBody) -> Sequence[int]:
    await moving.lock(connection, [case_id])
    return []


async def _owner_locked(connection: Connection, case_id: int, body: ActionBody) -> Sequence[int]:
    other = await connection.fetchval(moving.SQL.case_of_receipt, body.receipt_no) if body.receipt_no else None
    if other is None or other == case_id:
        return []
    await moving.lock(connection, [case_id, other])
    return [other]


ACTIONS = {
    "attach": Action("case.merge", False, attach, _owner_locked),
    "detach": Action("case.merge", False, detach, _locked),
}
