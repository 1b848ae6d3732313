"""What a batch leaves behind, each table in one statement."""

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from dispatch.casework import record
from dispatch.city.model import City
from dispatch.intake import open as opening
from dispatch.intake.candidates import Prepared
from dispatch.intake.desk import Desk
from dispatch.intake.explaining import explanation
from dispatch.intake.open import Taken
from dispatch.intake.words import packed
from dispatch.people import vault
from dispatch.people.keyring import Keyring
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "intake")
encode = msgspec.json.encode


async def write(connection: Connection, desk: Desk, taken: list[Taken]) -> None:
    """Saves the changed cases, then what hangs on them, table by table: people, signatures, links, emergencies, reports."""
    changes = list({id(t.change): t.change for t in taken}.values())
    fresh = {c.case.id for c in changes if c.case.fresh}
    await record.save(connection, desk.keyring, desk.city.map.areas, changes)
    callers = await _callers(connection, desk.keyring, taken)
    await _count_people(connection, taken, callers)
    own = [t for t in taken if t.change.case.id in fresh and t.outcome in ("opened", "linked", "triage")]
    if own:
        rows = [_signature(t.change.case.id, t.prepared) for t in own]
        await connection.execute(SQL.insert_signatures, *zip(*rows, strict=True))
    links = [
        (t.change.case.id, t.match.candidate.id, "suggested" if t.match.suggested else t.match.verdict, t.match.score)
        for t in own
        if t.match.candidate is not None
    ]
    if links:
        await connection.execute(SQL.insert_links, *zip(*links, strict=True))
    if raised := [row for t in own for row in _raised(t, desk)]:
        await connection.execute(SQL.insert_emergency_cases, *zip(*raised, strict=True))
    await connection.copy_records_to_table(
        "reports", records=[_report_row(t, callers, desk.city) for t in taken], columns=REPORT_COLUMNS
    )


def _signature(case_id: int, item: Prepared) -> tuple[int, bytes, str, str, str, str, int, int]:
    """What search and matching compare, and the ways to find it; arrays of arrays travel as text."""
    reading, ways = item.reading, ",".join(map(str, item.weighed.ways))
    said = case_id, packed(reading.words), "\x01".join(reading.tokens), ways
    if item.placed is None:
        return *said, "", "", 0, 0
    case = item.placed.case
    return *said, case.address.whole, ",".join(sorted(case.address.streets)), case.crowd, case.around


def _raised(taken: Taken, desk: Desk) -> list[tuple[int, int, str, int, datetime]]:
    """Under which emergencies a new case stands, and how urgent it would be without them."""
    case, base = taken.change.case, opening.urgency(taken.prepared, desk.city)
    covering = opening.covering(taken.prepared, desk.city)
    return [(each.id, case.id, base, case.seq, taken.moment.now) for each in covering]


REPORT_COLUMNS = (
    "id", "recorded_at", "receipt_no", "case_id", "channel", "kind", "category", "urgency", "received_at", "occurred_at", "caller_id",
    "confidential", "lon", "lat", "cell", "outcome", "verdict", "explanation",
)  # fmt: skip


def _report_row(taken: Taken, callers: dict[bytes, int], city: City) -> tuple[Any, ...]:
    reading, place, match = taken.prepared.reading, taken.prepared.place, taken.match
    return (
        taken.report_id, taken.moment.now, taken.receipt_no, taken.change.case.id, reading.report.channel, reading.kind,
        taken.prepared.category.code if taken.prepared.category else None, taken.change.case.urgency, taken.moment.at, reading.occurred_at,
        callers.get(reading.identity.person) if reading.identity else None, reading.confidential, place.lon, place.lat, place.cell,
        taken.outcome, match.verdict, encode(explanation(taken, city)).decode(),
    )  # fmt: skip


async def _callers(connection: Connection, keyring: Keyring, taken: list[Taken]) -> dict[bytes, int]:
    people = {
        t.prepared.reading.identity.person: t.prepared.reading.identity for t in taken if t.prepared.reading.identity
    }
    if not people:
        return {}
    ordered = [people[person] for person in sorted(people)]
    sealed = [vault.seal_caller(keyring, who) for who in ordered]
    rows = [(w.person, w.phone, w.match_key, s.key_id, s.nonce, s.data) for w, s in zip(ordered, sealed, strict=True)]
    await connection.execute(SQL.insert_callers, *zip(*rows, strict=True))
    return {r["person"]: r["id"] for r in await connection.fetch(SQL.caller_ids, list(people))}


async def _count_people(connection: Connection, taken: list[Taken], callers: dict[bytes, int]) -> None:
    counted = Counter(
        (t.change.case.id, callers[t.prepared.reading.identity.person]) for t in taken if t.prepared.reading.identity
    )
    if counted:
        rows = [(case_id, caller_id, n) for (case_id, caller_id), n in sorted(counted.items())]
        await connection.execute(SQL.count_people, *zip(*rows, strict=True))
