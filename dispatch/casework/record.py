"""Writes changed cases: one statement for the rows that are there, COPY for new ones, whatever changed them.

Intake, the actions of people and the deadline loop all end here, inside their own transaction and holding the rows of the
cases they changed. A case's events are chained by HMAC; its words are sealed under its own key; what is live goes to the
outbox; notices go to the people concerned.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import msgspec
from asyncpg import Record

from dispatch.casework import clocks, columns
from dispatch.domain.cases import Assignment, Case, Change, Deadline
from dispatch.notices import post
from dispatch.people.keyring import CaseKey, Keyring, Sealed, aad
from dispatch.store.pool import Connection, Executor
from dispatch.store.statements import load
from gridmap.areas import AreaTree

SQL = load(__file__, "record")
encode = msgspec.json.Encoder().encode

EVENT_COLUMNS = ("opened_month", "case_id", "seq", "at", "type", "actor", "body", "mac")
MESSAGE_COLUMNS = ("case_id", "case_seq", "message")
TEXT_COLUMNS = ("id", "case_id", "report_id", "kind", "author", "written_at", "nonce", "sealed")
# Up to so many new events and messages go in with the statement that updates rows; more by COPY.
FEW: Final = 16


async def save(connection: Connection, keyring: Keyring, areas: AreaTree, changes: Sequence[Change]) -> None:
    """Writes `changes` (each of another case, whose row is held or new) in the running transaction."""
    for change in changes:
        change.case.next_due_at = min((d.due_at for d in change.live()), default=None)
    events = [row for change in changes for row in _chain(keyring, change)]
    messages = [m for change in changes for m in _messages(areas, change)]
    fresh = [c.case for c in changes if c.case.fresh]
    await _copy(connection, "cases", columns.CASE_COLUMNS, fresh)
    few = len(events) + len(messages) <= FEW
    await _update(connection, changes, events if few else [], messages if few else [])
    await _copy(
        connection, "assignments", columns.ASSIGNMENT_COLUMNS, [a for c in changes for a in c.assignments if a.fresh]
    )
    await _copy(
        connection, "deadlines", columns.DEADLINE_COLUMNS, [d for c in changes for d in c.deadlines if d.id is None]
    )
    if not few:
        await connection.copy_records_to_table("case_events", records=events, columns=EVENT_COLUMNS)
        await connection.copy_records_to_table("outbox", records=messages, columns=MESSAGE_COLUMNS)
    await _save_escalations(connection, changes)
    await _save_words(connection, keyring, changes)
    await post.insert(
        connection,
        [(c.case.id, c.case.seq - len(c.events) + p.nth, p, c.case.last_event_at) for c in changes for p in c.posts],
    )
    for change in changes:
        _settle(change)


async def _update(
    connection: Connection, changes: Sequence[Change], events: Sequence[Any], messages: Sequence[Any]
) -> None:
    """Rows that are there and changed; with them, in the same statement, the few events and messages of an action."""
    held = [c.case for c in changes if not c.case.fresh]
    advanced = [case for case in held if columns.decided(case) == case.written]
    decided = [case for case in held if columns.decided(case) != case.written]
    tasks = [a for c in changes for a in c.assignments if not a.fresh and columns.tasked(a) != a.written]
    clocks_ = [d for c in changes for d in c.deadlines if d.id is not None and columns.clocked(d) != d.written]
    if decided or advanced or tasks or clocks_ or events or messages:
        await connection.execute(
            SQL.write, *_columns(decided, columns.CASE_UPDATED), *_columns(tasks, columns.ASSIGNMENT_UPDATED),
            *_columns(clocks_, columns.DEADLINE_UPDATED), *_turned(events, EVENT_COLUMNS), *_turned(messages, MESSAGE_COLUMNS),
            *_columns(advanced, columns.CASE_ADVANCED),
        )  # fmt: skip


def _chain(keyring: Keyring, change: Change) -> Iterable[tuple[Any, ...]]:
    case = change.case
    for event in change.events:
        case.seq += 1
        told = {"case_no": case.case_no, "seq": case.seq, "at": event.at, "type": event.type, "actor": event.actor}
        if event is change.events[-1]:
            # Where the case stands from here on: what the time until the next event is charged to, and what was written with it.
            told |= {"state": case.state, "owner_unit": case.owner_unit, "wrote": columns.wrote(change)}
        body = encode(told | event.data)
        case.head = keyring.event_mac(case.head, body)
        yield case.opened_month, case.id, case.seq, event.at, event.type, event.actor, body, case.head


async def _save_escalations(connection: Connection, changes: Sequence[Change]) -> None:
    rows = [
        (
            e.deadline.id,
            c.case.id,
            e.level,
            e.colour,
            e.deadline.unit,
            e.deadline.due_at,
            e.planned_at,
            c.case.last_event_at,
            e.call_demanded,
        )
        for c in changes
        for e in c.escalations
    ]
    if rows:
        await connection.execute(SQL.insert_escalations, *zip(*rows, strict=True))


async def _save_words(connection: Connection, keyring: Keyring, changes: Sequence[Change]) -> None:
    with_words = [c for c in changes if c.words]
    keys = await case_keys(connection, keyring, [c.case.id for c in with_words if not c.case.fresh])
    wrapped: list[tuple[int, str, bytes, bytes]] = []
    rows: list[tuple[Any, ...]] = []
    for change in with_words:
        case = change.case
        if case.fresh:
            key = keys[case.id] = CaseKey.new()
            sealed = keyring.wrap_case_key(key, case.id)
            wrapped.append((case.id, sealed.key_id, sealed.nonce, sealed.data))
        if case.id not in keys:
            continue  # the case's words were erased; new ones are not kept either
        for words in change.words:
            nonce, data = keys[case.id].seal(encode(words.document), aad("texts", "sealed", words.id))
            rows.append((words.id, case.id, words.report_id, words.kind, words.author, case.last_event_at, nonce, data))
    if wrapped:
        await connection.copy_records_to_table(
            "case_keys", records=wrapped, columns=("case_id", "key_id", "nonce", "wrapped")
        )
    if rows:
        await connection.copy_records_to_table("texts", records=rows, columns=TEXT_COLUMNS)


async def case_keys(connection: Executor, keyring: Keyring, case_ids: Sequence[int]) -> dict[int, CaseKey]:
    """The keys of these cases; an erased case has none."""
    if not case_ids:
        return {}
    rows = await connection.fetch(SQL.select_case_keys, case_ids)
    return {
        r["case_id"]: keyring.unwrap_case_key(Sealed(r["key_id"], r["nonce"], r["wrapped"]), r["case_id"]) for r in rows
    }


def _messages(areas: AreaTree, change: Change) -> Iterable[tuple[int, int, bytes]]:
    case, lead, last = change.case, change.lead, change.events[-1]
    message = {
        "type": "case",
        "case_no": case.case_no,
        "seq": case.seq,
        "at": last.at,
        "event": last.type,
        "state": case.state,
        "owner_unit": case.owner_unit,
        "lead_unit": lead.unit if lead else None,
        "units": sorted({a.unit for a in change.assignments} | ({case.owner_unit} if case.owner_unit else set())),
        "area": shown_area(areas, case.area, restricted=case.restricted),
        "cell": None if case.restricted else case.cell,
        "category": case.category,
        "urgency": case.urgency,
        "people": case.people,
        "restricted": case.restricted,
        "next_due_at": case.next_due_at,
    }
    yield case.id, case.seq, encode(message)
    for e in change.escalations:
        raised = {**message, "type": "escalation", "level": e.level, "colour": e.colour, "deadline": e.deadline.clock,
                  "call_demanded": e.call_demanded}  # fmt: skip
        yield case.id, case.seq, encode(raised)


# City and district: nothing finer of a restricted case is shown on any map or list.
COARSE = 2


def shown_area(areas: AreaTree, code: str | None, *, restricted: bool) -> list[str]:
    """The path of a case's area as it may be shown, most specific first.

    A case keeps the area it was found in; a later version of the city may have it no more.
    """
    if code is None or code not in areas:
        return []
    return [a for a in areas.path(code) if not restricted or areas.areas[a].level <= COARSE]


def _settle(change: Change) -> None:
    """After writing, the same objects can be changed and saved again in the same transaction.

    Only a new deadline cannot: its id is the database's, so it is added with the last save.
    """
    columns.remember(change)
    change.events, change.words, change.posts, change.escalations = [], [], [], []


async def _copy(connection: Connection, table: str, names: Sequence[str], rows: Sequence[Any]) -> None:
    """New rows go in by COPY, the cheapest way for many at once on both sides."""
    if rows:
        records = map(attrgetter(*names), rows)
        await connection.copy_records_to_table(table, records=records, columns=names)


def _columns(rows: Sequence[Any], names: Sequence[str]) -> list[Sequence[Any] | None]:
    """The rows as columns; nulls where there is none, for the driver looks long at every array."""
    return [[getattr(row, name) for row in rows] for name in names] if rows else [None] * len(names)


def _turned(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> list[Sequence[Any] | None]:
    """The same of rows that are tuples already."""
    return list(zip(*rows, strict=True)) if rows else [None] * len(names)


async def revive(connection: Connection, change: Change, names: Sequence[str]) -> None:
    """The clocks of these names that stopped last run again from their own start, as if they had not been stopped.

    They are the same rows, so no clock ever restarts; what was missed stays missed.
    """
    for row in await connection.fetch(SQL.last_of_clocks, change.case.id, names):
        deadline = Deadline(**{name: row[name] for name in columns.DEADLINE_COLUMNS}, id=row["id"])
        deadline.written = columns.clocked(deadline)
        if deadline.status != "missed":
            deadline.status = "running"
        deadline.stopped_at, deadline.attempts = None, 0
        deadline.next_at = clocks.planned_at(deadline)
        change.deadlines.append(deadline)


async def hold(connection: Connection, case_ids: Sequence[int]) -> dict[int, Change]:
    """Holds the rows of these cases and reads what hangs on them: all assignments, the deadlines that are not stopped."""
    if not case_ids:
        return {}
    changes, _ = await _with_what_hangs(connection, await connection.fetch(SQL.lock_cases, case_ids))
    return changes


async def look(connection: Connection, case_ids: Sequence[int]) -> dict[int, Change]:
    """The same as it stands, without holding it: for what only counts, and is never saved."""
    changes, _ = await _with_what_hangs(connection, await connection.fetch(SQL.look_cases, case_ids))
    return changes


async def hold_numbered(connection: Connection, case_no: str) -> tuple[Change | None, datetime | None]:
    """The same for one case by its number, and the database's time once it was held; nothing if there is none."""
    changes, told = await _with_what_hangs(connection, await connection.fetch(SQL.lock_case, case_no))
    return next(iter(changes.values()), None), told


async def _with_what_hangs(connection: Connection, rows: Sequence[Record]) -> tuple[dict[int, Change], datetime | None]:
    """Changes of held rows. A statement of its own: one that waited for a row would see its tasks as they were before."""
    changes = {row["id"]: Change(Case(**{name: row[name] for name in columns.CASE_COLUMNS})) for row in rows}
    told: datetime | None = None
    for row in await connection.fetch(SQL.hanging, list(changes)) if changes else ():
        change, told = changes[row["id"]], row["told"]
        change.assignments = [
            Assignment(**dict(zip(columns.ASSIGNMENT_COLUMNS, each, strict=True))) for each in row["tasks"]
        ]
        change.deadlines = [
            Deadline(**dict(zip(("id", *columns.DEADLINE_COLUMNS), each, strict=True))) for each in row["clocks"]
        ]
        columns.remember(change)
    return changes, told
