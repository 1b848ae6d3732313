"""The second half: takes in whatever is prepared as one transaction, set by set.

Order of locks: report keys (sorted), neighbourhoods (sorted), case rows (by id), the rest. What a report attaches to is decided
on what is visible under its neighbourhoods; then those case rows are held, and if one of them changed meanwhile the batch is
decided anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import asyncpg
import msgspec

from dispatch.casework import record
from dispatch.domain import numbers
from dispatch.domain.cases import Change
from dispatch.domain.errors import DispatchError, KeyTaken
from dispatch.domain.reports import Answer, Report
from dispatch.intake import open as opening
from dispatch.intake.answering import answer
from dispatch.intake.candidates import Prepared
from dispatch.intake.desk import Desk
from dispatch.intake.joining import attach
from dispatch.intake.match import Match
from dispatch.intake.open import Moment, Taken
from dispatch.intake.planning import Plan, candidates, plan, standing
from dispatch.intake.route import HELD, UNSUITED, route
from dispatch.intake.unsuited import unsuited
from dispatch.intake.writing import write
from dispatch.people.keyring import aad
from dispatch.people.principal import Principal
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "intake")
encode = msgspec.json.encode


@dataclass(slots=True)
class Held:
    """A report that goes to quarantine: nothing in it can be acted on, and its source reads no errors."""

    report: Report
    fingerprint: bytes
    reason: str
    field: str
    by: str
    backfill: bool = False


class Entry(msgspec.Struct, frozen=True):
    """What quarantine keeps sealed: the report as it was sent, and whether it came as recorded history."""

    report: Report
    backfill: bool


@dataclass(slots=True)
class Incoming:
    """One report in the queue; `answer` and `status`, or `error`, are its fate.

    `tried` are receipts of earlier attempts that may have been committed without our hearing of it.
    """

    item: Prepared | Held
    by: Principal | None = None
    released_by: str | None = None
    receipt_no: str = ""
    report_id: int = 0
    answer: bytes = b""
    status: int = 0
    error: DispatchError | None = None
    tried: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.report.channel, self.report.external_id

    @property
    def report(self) -> Report:
        return self.item.report if isinstance(self.item, Held) else self.item.reading.report

    @property
    def fingerprint(self) -> bytes:
        return self.item.fingerprint if isinstance(self.item, Held) else self.item.reading.fingerprint


class CityChanged(Exception):
    """Another version of the city came into force, or an emergency began or ended; what was prepared before is prepared anew."""


async def commit(connection: Connection, desk: Desk, batch: Sequence[Incoming]) -> None:
    """Takes `batch` (of different keys, in order of arrival) in within the running transaction; fills in every fate."""
    await connection.execute(SQL.hold_city)
    in_force = await connection.fetchrow(SQL.newest_city)
    if in_force is None or tuple(in_force) != (desk.city.version, desk.city.emergencies.changes):
        raise CityChanged
    fresh = await _keys(connection, desk, batch)
    held = [i for i in fresh if isinstance(i.item, Held)]
    reports = [i for i in fresh if isinstance(i.item, Prepared)]
    taken = await _decide(connection, desk, reports) if reports else []
    if taken:
        await write(connection, desk, taken)
    await _answer(connection, desk, reports, taken)
    if held:
        await _quarantine(connection, desk, held)


async def _keys(connection: Connection, desk: Desk, batch: Sequence[Incoming]) -> list[Incoming]:
    """Takes the keys; those that stood before get their first answer, or their conflict, here."""
    today = desk.clock.wall()
    day = today.astimezone(desk.city.tz).date()
    for incoming in batch:
        incoming.report_id = desk.ids.take("report")
        incoming.receipt_no = numbers.receipt_no(day, incoming.report_id)
    ordered = sorted(batch, key=lambda i: i.key)
    rows = [(*i.key, i.fingerprint, i.receipt_no, i.report_id, today) for i in ordered]
    new = {r["receipt_no"] for r in await connection.fetch(SQL.take_keys, *zip(*rows, strict=True))}
    known = [i for i in ordered if i.receipt_no not in new]
    if known:
        keys = [list(column) for column in zip(*(i.key for i in known), strict=True)]
        before = {(r["channel"], r["external_id"]): r for r in await connection.fetch(SQL.known_keys, *keys)}
        for incoming in known:
            if not _stood_before(incoming, before[incoming.key]):
                continue
            new.add(incoming.receipt_no)
            if isinstance(incoming.item, Prepared):
                ended = "released" if incoming.released_by else "replaced"
                by = incoming.released_by or incoming.item.by
                await connection.execute(SQL.end_quarantine, *incoming.key, ended, today, by)
    return [i for i in batch if i.receipt_no in new]


def _stood_before(incoming: Incoming, row: asyncpg.Record) -> bool:
    """Settles the fate of a key that was taken before; True if it was in quarantine and is now to be taken in anew."""
    incoming.receipt_no = row["receipt_no"]
    replaces = row["quarantined"] and (incoming.released_by is not None or row["fingerprint"] != incoming.fingerprint)
    if replaces:
        incoming.report_id = row["report_id"]
        return True
    if row["fingerprint"] == incoming.fingerprint:
        incoming.answer, incoming.status = row["answer"], 201 if incoming.receipt_no in incoming.tried else 200
    else:
        incoming.error = KeyTaken(receipt_no=row["receipt_no"])
    return False


async def _decide(connection: Connection, desk: Desk, reports: list[Incoming]) -> list[Taken]:
    items = [i.item for i in reports if isinstance(i.item, Prepared)]
    if neighbourhoods := sorted({n for item in items for n in item.neighbourhoods}):
        await connection.execute(SQL.lock_neighbourhoods, neighbourhoods)
    held: dict[int, Change] = {}
    while True:
        known = await candidates(connection, desk, items)
        plans, seen = plan(items, known, desk)
        if wanted := sorted(seen.keys() - held.keys()):
            held |= await record.hold(connection, wanted)
        if all(standing(held[id].case) == as_found for id, as_found in seen.items()):
            break
    now = await desk.clock.now(connection)
    return [_take(incoming, one, held, desk, now) for incoming, one in zip(reports, plans, strict=True)]


def _take(incoming: Incoming, one: Plan, held: dict[int, Change], desk: Desk, now: datetime) -> Taken:
    """Carries out one plan on the held and the new cases; new ones are remembered under their negative ids."""
    item = incoming.item
    assert isinstance(item, Prepared)
    moment = Moment(now, item.reading.received_at if item.backfill and item.reading.received_at else now, item.backfill)
    routed, suggested = None, unsuited(item, one.match, desk.city)
    if one.target is not None:
        change, outcome = held[one.target.id], "attached"
        if one.reopens and not change.case.is_open:
            opening.reopen(
                change,
                opening.INTAKE,
                moment,
                desk.city,
                desk.ids,
                units=desk.city.units,
                reachable=opening.reachable(item),
            )
            outcome = "reopened"
        _keeps_its_own(item)
        attach(
            change, item, incoming.receipt_no, one.match, moment, desk.city, new_person=one.new_person,
            reopened=outcome == "reopened",
        )  # fmt: skip
    else:
        assert one.own is not None
        routed = HELD if item.directive.hold else UNSUITED if suggested else route(item, desk.city, moment.at)
        codes = [each.code for each in suggested]
        change = held[one.own.id] = opening.new_case(item, routed, moment, desk.city, desk.ids, unsuited=codes)
        outcome = "triage" if routed.lead is None else "linked" if one.match.verdict == "facet" else "opened"
    change.words.append(opening.words(item, incoming.report_id, incoming.receipt_no, desk.ids.take("text")))
    matched = _numbered(one.match, held)
    return Taken(item, incoming.report_id, incoming.receipt_no, moment, change, matched, routed, outcome, suggested)


def _numbered(match: Match, held: dict[int, Change]) -> Match:
    """The match with the numbers of cases that this batch opens."""
    others = tuple(_numbered(other, held) for other in match.others)
    candidate = match.candidate
    if candidate is not None and not candidate.case_no:
        case = held[candidate.id].case
        candidate = replace(candidate, id=case.id, case_no=case.case_no)
    return replace(match, candidate=candidate, others=others)


def _keeps_its_own(item: Prepared) -> None:
    """The case that a relayed report joins keeps its unit and its limit; the sender is told, and the words say what was asked."""
    for name in ("due_at", "assigned_unit"):
        if (value := getattr(item.reading.report, name)) is not None:
            item.reading.aside(name, value, "joined", "the report joined a case that keeps its own")


async def _answer(connection: Connection, desk: Desk, reports: list[Incoming], taken: list[Taken]) -> None:
    rows = []
    for incoming, one in zip(reports, taken, strict=True):
        incoming.answer = encode(answer(one, desk.keyring.track_code(one.receipt_no)))
        incoming.status = 201
        rows.append((one.receipt_no, incoming.fingerprint, one.moment.now, one.change.case.id, incoming.answer, False))
    if rows:
        await connection.execute(SQL.answer_keys, *zip(*rows, strict=True))


async def _quarantine(connection: Connection, desk: Desk, held: list[Incoming]) -> None:
    now = await desk.clock.now(connection)
    limit = desk.city.policies.limit("quarantine", category=(), kind="other", urgency="ordinary", branch="subject")
    due = desk.city.calendar.due(now, limit.limit, limit.mode).at if limit else now + timedelta(days=1)
    keys, entries = [], []
    for incoming in held:
        item = incoming.item
        assert isinstance(item, Held)
        answer = Answer(incoming.receipt_no, desk.keyring.track_code(incoming.receipt_no), "quarantined")
        incoming.answer, incoming.status = encode(answer), 201
        sealed = desk.keyring.seal(
            encode(Entry(item.report, item.backfill)), aad("quarantine", "sealed", incoming.receipt_no)
        )
        keys.append((incoming.receipt_no, incoming.fingerprint, now, None, incoming.answer, True))
        entries.append(
            (
                incoming.receipt_no,
                *incoming.key,
                item.reason,
                item.field,
                desk.city.desk.dispatch,
                now,
                due,
                sealed.key_id,
                sealed.nonce,
                sealed.data,
            )
        )
    await connection.execute(SQL.answer_keys, *zip(*keys, strict=True))
    await connection.execute(SQL.insert_quarantine, *zip(*entries, strict=True))
