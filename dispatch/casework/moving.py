"""What joining and taking apart have in common: reports go from one held case to another, with receipts, words and people.

Keys of reports are locked before cases, as intake does. A report that comes between the two locks is seen once the cases
are held: its key is taken without waiting, or the action is refused and may be tried again.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from dispatch.casework.actions import Turn
from dispatch.casework.record import case_keys
from dispatch.domain.cases import Change
from dispatch.domain.errors import RuleBroken
from dispatch.intake.prepare import NEIGHBOURHOODS
from dispatch.intake.read import HUMAN_KINDS
from dispatch.people.keyring import aad
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "merging")
# Words beside a report that may be of one receipt, and go where it goes.
OF_RECEIPT = ("supplement", "progress", "question")


async def lock(connection: Connection, case_ids: Sequence[int]) -> None:
    """Locks the keys of all reports of these cases, then the neighbourhoods of their people; before any case is held."""
    await connection.fetch(SQL.hold_keys, case_ids)
    people = [b"person " + r["person"] for r in await connection.fetch(SQL.people_of, case_ids)]
    hoods = sorted({int.from_bytes(blake2b(p, digest_size=4).digest()) % NEIGHBOURHOODS for p in people})
    if hoods:
        await connection.execute(SQL.lock_neighbourhoods, hoods)


async def receipts_of(turn: Turn, case: Change) -> list[str]:
    """The receipts of a held case. Raises RuleBroken if one of them is in somebody else's hands."""
    receipts = [r["receipt_no"] for r in await turn.connection.fetch(SQL.reports_of, case.case.id)]
    if len(await turn.connection.fetch(SQL.keys_held, receipts)) < len(receipts):
        raise RuleBroken(problem="another report came meanwhile; try again", field="receipt_no")
    return receipts


async def move(turn: Turn, source: Change, target: Change, receipts: Sequence[str]) -> None:
    """Moves these reports of `source` to `target`, whose rows are held or written, and counts the people of both anew."""
    connection, ids = turn.connection, [source.case.id, target.case.id]
    moved = {r["id"] for r in await connection.fetch(SQL.move_reports, target.case.id, receipts, source.case.id)}
    await connection.execute(SQL.move_keys, target.case.id, receipts)
    await _reseal(turn, source.case.id, target.case.id, moved, set(receipts))
    await connection.execute(SQL.forget_people, ids)
    await connection.execute(SQL.count_people, ids)
    for each in (source, target):
        each.case.people = await connection.fetchval(SQL.people, each.case.id, sorted(HUMAN_KINDS))


async def _reseal(turn: Turn, source: int, target: int, report_ids: set[int], receipts: set[str]) -> None:
    """Words of the reports, and those beside that name them, under the other case's key; erased ones have nothing to move."""
    keys = await case_keys(turn.connection, turn.keyring, [source, target])
    if len(keys) < 2:
        return
    rows = []
    for text in await turn.connection.fetch(SQL.texts_of, source, OF_RECEIPT):
        bound = aad("texts", "sealed", text["id"])
        plain = keys[source].open(text["nonce"], text["sealed"], bound)
        if text["report_id"] in report_ids or (
            text["kind"] in OF_RECEIPT and msgspec.json.decode(plain).get("receipt_no") in receipts
        ):
            rows.append((text["id"], *keys[target].seal(plain, bound)))
    if rows:
        await turn.connection.execute(SQL.move_texts, target, *map(list, zip(*rows, strict=True)))
