"""What was suggested to be no matter for a unit (不予受理建议), and what persons made of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from dispatch.city.model import City

# What a person may do about it: end it without a unit, deal with it all the same, or take the ending back.
DECIDING: Final = frozenset({"rejected", "referred", "answered", "ended", "dispatched", "restored"})


def suggested(kept: str, city: City) -> list[dict[str, Any]]:
    """What was suggested when the case came in, in the words of today's table; what that has no more is left out."""
    found: list[dict[str, Any]] = []
    for one in msgspec.json.decode(kept):
        ending = city.endings.get(one["code"])
        if ending is not None and ending.action != "end":
            named = {"name": ending.name, "action": ending.action, "basis": ending.basis, "told": ending.told}
            found.append({"code": ending.code, **named, "reasons": one["reasons"], "case_no": one["case_no"]})
    return found


def decisions(
    codes: Collection[str], told: Iterable[tuple[datetime, str, str, Mapping[str, Any]]], machines: Collection[str]
) -> list[dict[str, Any]]:
    """Who did what about a case for which `codes` were suggested; `agreed` where it ended as one of them says."""
    if not codes:
        return []
    return [
        {
            "at": at,
            "by": actor,
            "what": what,
            "ending": data.get("ending"),
            "agreed": None if what == "restored" else data.get("ending") in codes,
        }
        for at, what, actor, data in told
        if what in DECIDING and actor not in machines
    ]
