"""Checkpoints (每日签封): the heads of all chains, under one digest that follows on the last one and is signed."""

import hashlib
import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from msgspec import Struct

from dispatch.people.keyring import Keyring
from dispatch.store.pool import Connection, one
from dispatch.store.statements import load

SQL = load(__file__, "audit")
log = structlog.get_logger()
# What the first checkpoint follows on.
NOTHING: Final = bytes(32)
HEAD: Final = struct.Struct(">qi32s")
TOTALS: Final = struct.Struct(">4q")


class Checkpoint(Struct, frozen=True):
    """One signed moment: totals of the whole record, and the digest as hexadecimal figures, to be written down elsewhere."""

    number: int
    taken_at: datetime
    cases: int
    events: int
    moved: int
    digest: str


async def take(connection: Connection, keyring: Keyring, now: datetime) -> Checkpoint:
    """Signs the heads of all chains that moved since the last checkpoint, inside the running transaction."""
    await connection.execute(SQL.one_at_a_time)
    last = await connection.fetchrow(SQL.last_checkpoint)
    number, before = (last["number"] + 1, last["digest"]) if last else (1, NOTHING)
    kept = await one(connection, SQL.keep_heads, number)
    cases = (last["cases"] if last else 0) + kept["opened"]
    events = (last["events"] if last else 0) + kept["added"]
    digest = await digest_of(connection, number, before)
    row = {
        "number": number,
        "taken_at": now,
        "cases": cases,
        "events": events,
        "moved": kept["moved"],
        "digest": digest,
    }
    await connection.execute(SQL.keep_checkpoint, *row.values(), keyring.events.mac(_signed(row)))
    log.info("audit.checkpoint", number=number, cases=cases, events=events, digest=digest.hex())
    return view(row)


async def digest_of(connection: Connection, number: int, before: bytes) -> bytes:
    """SHA-256 over the digest before and the heads of checkpoint `number`, in the order of their cases."""
    total = hashlib.sha256(before)
    async for row in connection.cursor(SQL.heads_of, number, prefetch=5_000):
        total.update(HEAD.pack(row["case_id"], row["seq"], row["head"]))
    return total.digest()


def signed(keyring: Keyring, row: Mapping[str, Any]) -> bool:
    """Whether this service signed the checkpoint as it stands."""
    return keyring.events.verifies(_signed(row), row["mac"])


def view(row: Mapping[str, Any]) -> Checkpoint:
    """A row as it is shown."""
    return Checkpoint(
        row["number"], row["taken_at"], row["cases"], row["events"], row["moved"], bytes(row["digest"]).hex()
    )


def _signed(row: Mapping[str, Any]) -> bytes:
    totals = TOTALS.pack(row["number"], row["cases"], row["events"], row["moved"])
    return b"".join((b"checkpoint\0", totals, row["taken_at"].isoformat().encode(), row["digest"]))
