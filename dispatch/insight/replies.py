"""Replies of units (答复): those of a case, and those that wait for a signature or a review."""

from collections.abc import Sequence
from typing import Any

import msgspec

from dispatch.casework.actions import Workplace
from dispatch.store.statements import load

SQL = load(__file__, "replies")


async def of_case(at: Workplace, case_id: int) -> list[dict[str, Any]]:
    """What the units of a case replied, with the steps by which each is signed; the words are the case's texts."""
    rows = await at.pool.fetch(SQL.of_case, case_id)
    return [{**row, "steps": msgspec.Raw(row["steps"].encode())} for row in rows]


async def at_hand(at: Workplace, case_ids: Sequence[int]) -> dict[tuple[int, int | None], dict[str, Any]]:
    """By case and task the draft that waits, with who signs next; by case alone the reply that a reviewer judges."""
    rows = await at.pool.fetch(SQL.at_hand, case_ids) if case_ids else []
    return {
        (row["case_id"], row["assignment"]): {
            **{name: row[name] for name in ("finding", "outcome", "reason_code")},
            "waits_for": {"unit": row["unit"], "role": row["role"]} if row["unit"] else None,
        }
        for row in rows
    }
