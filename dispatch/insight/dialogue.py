"""The talk of a case (对话) in the order in which it was said: what citizens said and were told, and what stays inside."""

from datetime import datetime
from typing import Any, Final

import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.record import case_keys
from dispatch.insight.cases import find
from dispatch.insight.reader import LONG_AGO
from dispatch.insight.words import masked
from dispatch.people.keyring import aad
from dispatch.people.principal import Principal
from dispatch.store.statements import load

SQL = load(__file__, "dialogue")
PUBLIC: Final = ("report", "supplement", "told", "progress", "question", "answer", "evaluation")
INTERNAL: Final = ("note", "reason", "reply", "opinion")


async def thread(
    at: Workplace, by: Principal, case_no: str, after: tuple[Any, ...] | None, *, internal: bool, limit: int
) -> list[dict[str, Any]]:
    """A page of it, the oldest first, masked; nothing of a case whose words were erased. Raises NotFound.

    A question says when it was answered, null while it is open.
    """
    case = await find(at, by, case_no)
    keys = await case_keys(at.pool, at.keyring, [case["id"]])
    if case["id"] not in keys:
        return []
    kinds = [*PUBLIC, *(INTERNAL if internal else ())]
    rows = await at.pool.fetch(SQL.thread, case["id"], *(after or (LONG_AGO, 0)), kinds, limit)
    answered: dict[int, datetime] = {}
    if any(row["kind"] == "question" for row in rows):
        for line in await at.pool.fetch(SQL.additions, case["opened_month"], case["id"]):
            answered |= dict.fromkeys(msgspec.json.decode(line["body"]).get("answers", ()), line["at"])
    key = keys[case["id"]]
    return [
        {
            **{name: row[name] for name in ("id", "kind", "author", "written_at")},
            "internal": row["kind"] in INTERNAL,
            **({"answered_at": answered.get(row["id"])} if row["kind"] == "question" else {}),
            **masked(msgspec.json.decode(key.open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"])))),
        }
        for row in rows
    ]
