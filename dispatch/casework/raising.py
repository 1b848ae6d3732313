"""What an emergency (应急状态) does to one open case, and what its end takes back.

| of an open case         | when it begins                              | when it ends                                             |
|-------------------------|---------------------------------------------|----------------------------------------------------------|
| urgency                 | that of the emergency, if it is higher      | `base`, what others still ask, or what people said since |
| running clocks          | from their own start, the earlier limit     | from their own start, without it                         |
| what is missed or fired | stays                                       | stays                                                    |
| given, or named by hand | stays                                       | stays                                                    |

What people said of the urgency after an emergency came to hold for a case is in its events (`classified`, `said`): from then
on that emergency has no claim on it. A category given meanwhile counts as it would have counted without.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import asyncpg
import msgspec

from dispatch.casework import clocks
from dispatch.casework.adjustments import GIVEN, adjusted, earliest
from dispatch.city.categories import Categories
from dispatch.city.emergencies import Emergency, highest
from dispatch.city.model import City
from dispatch.domain.cases import Change, Deadline


class Said(msgspec.Struct):
    """What a `classified` event says: the category, and the urgency if a person named one."""

    category: str | None = None
    category_table: str | None = None
    said: str | None = None


_decode = msgspec.json.Decoder(Said).decode


@dataclass(frozen=True, slots=True)
class Claim:
    """What an emergency knows of a case: how urgent it is without any, and whether people have had the last word since."""

    base: str
    overruled: bool
    lowered: bool


def claim(row: asyncpg.Record, later: Iterable[tuple[int, bytes]], categories: Categories) -> Claim:
    """The row of an emergency and a case with what people said `later`, as (seq, body) of events in their order."""
    base, overruled = row["base"], False
    for seq, body in later:
        if seq <= row["seq"]:
            continue
        told = _decode(body)
        if told.said is not None:
            base, overruled = told.said, True
        elif told.category is not None:
            category = categories.get(told.category, told.category_table)
            base = highest(base, category.urgency if category else base)
    return Claim(base, overruled, row["lowered_at"] is not None)


def lift(
    change: Change, emergency: Emergency, claims: Mapping[int, Claim], opened_under: City, by: str, at: datetime
) -> str:
    """Raises a case that `emergency` covers; one that it holds for already only has its clocks read again.

    Returns how urgent the case is without any emergency. `claims` go by emergency, of those in force.
    """
    case, known = change.case, claims.get(emergency.id)
    others = [each for id, each in claims.items() if id != emergency.id and not each.overruled]
    base, before = others[0].base if others else case.urgency, case.urgency
    if known is None:
        case.urgency = highest(before, emergency.urgency)
    _reread(change, "emergency_raised" if known is None else None, emergency.id, before, opened_under, by, at)
    return base


def lower(
    change: Change, id: int, claims: Mapping[int, Claim], active: Mapping[int, str], opened_under: City, by: str, at: datetime
) -> None:  # fmt: skip
    """Takes back what emergency `id`, which is over, did to a case; `active` are the urgencies of those in force."""
    case, known, before = change.case, claims[id], change.case.urgency
    if not known.lowered:
        case.urgency = without(id, claims, active, before)
    _reread(change, None if known.lowered else "emergency_lowered", id, before, opened_under, by, at)


def without(id: int, claims: Mapping[int, Claim], active: Mapping[int, str], urgency: str) -> str:
    """How urgent a case is that is `urgency` now, once emergency `id` has no claim on it."""
    if claims[id].overruled:
        return urgency
    others = (active[other] for other, each in claims.items() if other in active and not each.overruled)
    return highest(claims[id].base, *others)


def _reread(
    change: Change, name: str | None, id: int, before: str, opened_under: City, by: str, at: datetime
) -> None:  # fmt: skip
    """The clocks by what holds now, and the events that say so; none where nothing is different."""
    case, moved = change.case, list[tuple[Deadline, datetime]]()
    for deadline in change.live():
        due_at = deadline.due_at
        if clocks.reread(opened_under, case, deadline):
            moved.append((deadline, due_at))
    if case.urgency == before and not moved:
        return
    case.version += 1
    if name is not None:
        change.event(name, at, by, emergency=id, before=before, after=case.urgency)
    for deadline, due_at in moved:
        clocks.recomputed(change, deadline, due_at, by, at)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of a case: its urgency, and of each clock that would change the instant at which it would end."""

    urgency: str
    clocks: Sequence[tuple[Deadline, datetime]]


def foresee(change: Change, urgency: str, city: City) -> Foreseen:
    """What `lift` or `lower` would do to a case that then is `urgency`, by the limits of `city`; changes nothing.

    Only due instants are computed, no ladders: a city has many open cases, and somebody waits for the answer.
    """
    case, found = replace(change.case, urgency=urgency), []
    for deadline in change.live():
        if (
            deadline.status != "running"
            or deadline.historic
            or deadline.limit_text == GIVEN
            or deadline.rule == clocks.NAMED
        ):
            continue
        policy = clocks.limit_of(city, case, deadline.clock, deadline.unit, deadline.started_at)
        if (str(policy.limit), policy.mode, policy.rule) == (deadline.limit_text, deadline.mode, deadline.rule):
            continue
        calendar = clocks.calendar_of(city, deadline.clock, deadline.unit)
        due = calendar.due(
            deadline.started_at, policy.limit, policy.mode, adjusted(deadline.adjustments)
        ).at.astimezone(UTC)
        cap = earliest(calendar, deadline.adjustments, natural=policy.limit.natural)
        found.append((deadline, min(due, cap or due)))
    return Foreseen(urgency, found)
