"""The words of a case and who said them, as they may be shown: what names people is masked."""

from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from dispatch.casework.actions import Workplace
from dispatch.casework.record import case_keys
from dispatch.people import vault
from dispatch.people.keyring import Sealed, aad
from dispatch.people.masking import find_personal, mask_name, mask_text
from dispatch.people.phone import mask_phone
from dispatch.store.statements import load

SQL = load(__file__, "cases")
SUMMARY = 60


def masked_caller(at: Workplace, row: asyncpg.Record | None, *, confidential: bool) -> dict[str, str | None] | None:
    """张** and 138****5678; nothing at all where confidence was asked for."""
    if row is None or confidential:
        return None
    caller = vault.open_caller(at.keyring, row["person"], Sealed(row["key_id"], row["nonce"], row["sealed"]))
    return {
        "name": mask_name(caller.name) if caller.name else None,
        "phone": mask_phone(caller.phone) if caller.phone else None,
    }


async def texts(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """The words of a case, masked; none where its key was destroyed."""
    keys = await case_keys(at.pool, at.keyring, [case_id])
    if case_id not in keys:
        return []
    return [
        {"id": r["id"], "kind": r["kind"], "author": r["author"], "written_at": r["written_at"],
         **masked(msgspec.json.decode(keys[case_id].open(r["nonce"], r["sealed"], aad("texts", "sealed", r["id"]))))}
        for r in await at.pool.fetch(SQL.texts, case_id)
    ]  # fmt: skip


def masked(document: dict[str, Any]) -> dict[str, Any]:
    """A text's document with the numbers of people masked wherever they stand; what was set aside stays sealed."""
    whole_text = "\n".join(part for part in (document.get("title"), document.get("text")) if part)
    shown = {
        k: _masked(document[k])
        for k in ("address", "attributes", "attachments", "evidence", "object", "answer")
        if k in document
    }
    return {k: document[k] for k in ("receipt_no",) if k in document} | shown | {"text": _masked(whole_text)}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {_masked(k): _masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    text = str(value)
    return mask_text(text, spans) if (spans := find_personal(text)) else value


async def summaries(at: Workplace, case_ids: Iterable[int]) -> dict[int, str]:
    ids = list(case_ids)
    rows = await at.pool.fetch(SQL.first_texts, ids) if ids else []
    return {row["case_id"]: _summary(at, row) for row in rows}


def _summary(at: Workplace, row: asyncpg.Record) -> str:
    key = at.keyring.unwrap_case_key(Sealed(row["key_id"], row["key_nonce"], row["wrapped"]), row["case_id"])
    document = msgspec.json.decode(key.open(row["nonce"], row["sealed"], aad("texts", "sealed", row["id"])))
    return str(masked(document)["text"])[:SUMMARY]
