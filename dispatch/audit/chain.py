"""Checks the record: every chain from its first event to its head, every checkpoint, and each against the other.

| fault       | what was done to the record                                                        |
|-------------|------------------------------------------------------------------------------------|
| `changed`   | an event, or a column beside it, is not what the service wrote                      |
| `missing`   | events between others are gone                                                      |
| `reordered` | an event stands in the place of another one                                         |
| `cut_off`   | the last events are gone, or the head does not belong to them                       |
| `gone`      | a case that a checkpoint knows is no more                                           |
| `unsigned`  | a checkpoint is gone, was changed, or is not the one that was expected              |
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal

import asyncpg
import msgspec

from dispatch.audit.checkpoints import NOTHING, SQL, digest_of, signed
from dispatch.people.keyring import Keyring

CHUNK: Final = 500
# Many faults have one cause; the first ones name it.
MOST_FAULTS: Final = 1_000
Kind = Literal["changed", "missing", "reordered", "cut_off", "gone", "unsigned"]


class Written(msgspec.Struct):
    """What an event's bytes say of the columns beside them."""

    case_no: str
    seq: int
    at: datetime
    type: str
    actor: str


_decode = msgspec.json.Decoder(Written).decode


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the record is not what was written; without a case it is a checkpoint's number that is named."""

    kind: Kind
    case_no: str | None
    seq: int | None
    problem: str


@dataclass(slots=True)
class Verdict:
    """What was looked at and what was found."""

    cases: int = 0
    events: int = 0
    checkpoints: int = 0
    # Events after the newest checkpoint: only the chain itself holds them.
    unsigned_events: int = 0
    faults: list[Fault] = field(default_factory=list)


async def verify(
    pool: asyncpg.Pool,
    keyring: Keyring,
    *,
    case_no: str | None = None,
    expected: Sequence[str] = (),
    done: Callable[[int], Any] = lambda cases: None,
) -> Verdict:
    """Checks the whole record, or one case; `expected` are digests that were written down elsewhere, `done` hears of cases looked at."""
    verdict = Verdict()
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        if case_no is None:
            await _checkpoints(connection, keyring, expected, verdict)
            for row in await connection.fetch(SQL.cases_gone):
                _add(
                    verdict, "gone", None, None, f"case with the id {row['case_id']}, which a checkpoint knows, is gone"
                )
        async for cases, events in _chains(connection, case_no):
            by_case = {key: list(rows) for key, rows in groupby(events, key=itemgetter("case_id"))}
            for case in cases:
                _chain(keyring, case, by_case.get(case["id"], []), verdict)
            verdict.cases += len(cases)
            verdict.events += len(events)
            done(len(cases))
    return verdict


async def _chains(
    connection: Any, case_no: str | None
) -> AsyncIterator[tuple[list[asyncpg.Record], list[asyncpg.Record]]]:
    behind = 0
    while cases := await connection.fetch(SQL.cases_after, behind, case_no, CHUNK):
        ids, months = [case["id"] for case in cases], [case["opened_month"] for case in cases]
        yield cases, await connection.fetch(SQL.events_of, ids, months)
        behind = cases[-1]["id"]


def _chain(keyring: Keyring, case: asyncpg.Record, events: Sequence[asyncpg.Record], verdict: Verdict) -> None:
    """One case: each event follows on the one before, and the last is the head."""
    before: bytes | None = NOTHING
    expected = 1
    for event in events:
        if event["seq"] != expected:
            _add(verdict, "missing", case, expected, f"events {expected} to {event['seq'] - 1} are gone")
            before = None  # what it followed on is not there to compare
        if before is not None and not keyring.event_mac_valid(before, event["body"], event["mac"]):
            _add(verdict, *_why(case, event))
        elif (problem := _beside(case, event)) is not None:
            _add(verdict, "changed", case, event["seq"], problem)
        before, expected = event["mac"], event["seq"] + 1
    last = events[-1] if events else None
    if last is None or (last["seq"], last["mac"]) != (case["seq"], case["head"]):
        _add(
            verdict,
            "cut_off",
            case,
            case["seq"],
            f"the head stands at {case['seq']}, the last event at {last['seq'] if last else 0}",
        )
    _against_signed(case, {event["seq"]: event["mac"] for event in events}, verdict)


def _against_signed(case: asyncpg.Record, macs: dict[int, bytes], verdict: Verdict) -> None:
    """The event that a checkpoint signed is there, as it was."""
    at = case["signed_seq"] or 0
    verdict.unsigned_events += sum(1 for seq in macs if seq > at)
    if at == 0 or macs.get(at) == case["signed_head"]:
        return
    if at not in macs:
        _add(verdict, "cut_off", case, at, f"checkpoint {case['number']} signed event {at}, which is gone")
    else:
        _add(verdict, "changed", case, at, f"event {at} is not the one that checkpoint {case['number']} signed")


def _why(case: asyncpg.Record, event: asyncpg.Record) -> tuple[Kind, asyncpg.Record, int, str]:
    """An event that does not follow on the one before: another one's bytes, or changed ones."""
    try:
        written = _decode(event["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "changed", case, event["seq"], "it is no event any more"
    if (written.case_no, written.seq) != (case["case_no"], event["seq"]):
        return "reordered", case, event["seq"], f"it is event {written.seq} of case {written.case_no}"
    return "changed", case, event["seq"], "it is not what the service wrote"


def _beside(case: asyncpg.Record, event: asyncpg.Record) -> str | None:
    """Columns that repeat what the event says, for queries; the bytes are what counts."""
    try:
        written = _decode(event["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "it is no event any more"
    if written.case_no != case["case_no"]:
        return f"it is of case {written.case_no}"
    for name in ("seq", "at", "type", "actor"):
        if getattr(written, name) != event[name]:
            return f"its column {name} does not say what the event says"
    return None


async def _checkpoints(connection: Any, keyring: Keyring, expected: Sequence[str], verdict: Verdict) -> None:
    """Every checkpoint follows on the one before, and those that were written down elsewhere are among them."""
    before: bytes | None = NOTHING
    number, digests = 0, set[str]()
    while rows := await connection.fetch(SQL.checkpoints, number, CHUNK):
        for row in rows:
            if row["number"] != number + 1:
                _add(verdict, "unsigned", None, number + 1, f"checkpoints {number + 1} to {row['number'] - 1} are gone")
                before = None
            if not signed(keyring, row):
                _add(
                    verdict, "unsigned", None, row["number"], f"checkpoint {row['number']} was not signed as it stands"
                )
            elif before is not None and await digest_of(connection, row["number"], before) != row["digest"]:
                _add(
                    verdict,
                    "unsigned",
                    None,
                    row["number"],
                    f"the heads of checkpoint {row['number']} are not those it signed",
                )
            before, number = row["digest"], row["number"]
            digests.add(row["digest"].hex())
    verdict.checkpoints = len(digests)
    for digest in expected:
        if digest.lower() not in digests:
            _add(verdict, "unsigned", None, None, f"no checkpoint has the digest {digest}")


def _add(verdict: Verdict, kind: Kind, case: asyncpg.Record | None, seq: int | None, problem: str) -> None:
    if len(verdict.faults) < MOST_FAULTS:
        verdict.faults.append(Fault(kind, case["case_no"] if case else None, seq, problem))
