"""Who is calling (来电): what the desk may know of a number before and after the caller says their name.

A number is not a person: without the name nothing that anybody said is shown, only how many use it and their names, masked. The
right name opens that person's own history; a wrong one looks like somebody new. Restricted cases, what was said in confidence
and whatever lies outside the reader's scope count nowhere. Every look is logged with a digest of the number, never the number.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from dispatch.casework.actions import Workplace
from dispatch.domain.errors import BadInput
from dispatch.insight.lights import lights
from dispatch.insight.reader import Reader, reader
from dispatch.people import vault
from dispatch.people.keyring import Sealed
from dispatch.people.masking import find_personal, mask_name, mask_text
from dispatch.people.principal import Principal
from dispatch.people.vault import Identity
from dispatch.store.access import log_access
from dispatch.store.statements import load

SQL = load(__file__, "callers")
# So many names on one number are a switchboard's or a shop's, not a family's.
SHARED = 4
MOST_PERSONS, MOST_CASES = 100, 50
# Steps that a caller may be told of.
PUBLIC_STEPS = [
    "received", "dispatched", "signed", "contacted", "suspended", "resumed", "replied", "approved", "answered", "rejected",
    "referred", "all_answered", "reopened", "closed",
]  # fmt: skip


class Looking(Struct, frozen=True, forbid_unknown_fields=True):
    """A number, the name that its caller gave, and why this is looked at."""

    phone: Annotated[str, Meta(min_length=1, max_length=40)]
    purpose: Annotated[str, Meta(min_length=2, max_length=200)]
    name: Annotated[str, Meta(max_length=100)] | None = None


class Step(Struct, frozen=True):
    """The last thing about a case that its caller may be told."""

    type: str
    at: datetime


class Past(Struct, frozen=True):
    """One case of a caller; `light` only while a clock of it runs."""

    case_no: str
    state: str
    category: str | None
    opened_at: datetime
    light: str | None
    last_step: Step | None


class Known(Struct, frozen=True):
    """How many people use the number (at most 100 are counted), their names masked, and the history of the one who gave theirs."""

    persons: int
    names: list[str]
    shared: bool
    history: list[Past]


async def look_up(at: Workplace, looking: Looking, by: Principal) -> Known:
    """What is known of a caller. Raises BadInput for what is no number."""
    identity = vault.identify(at.keyring, looking.name, looking.phone)
    if identity is None or identity.phone is None:
        raise BadInput(field="phone", problem="this cannot be a telephone number")
    named = identity.caller.name is not None
    purpose = mask_text(looking.purpose, find_personal(looking.purpose))
    digests = [identity.phone.hex()[:16], *([identity.person.hex()[:16]] if named else [])]
    await log_access(at.pool, await at.clock.now(at.pool), by.name, "caller.lookup", "/".join(digests), purpose)
    who = reader(by, at.cities.current)
    rows = await at.pool.fetch(SQL.persons, identity.phone, who.units, who.areas, who.above, MOST_PERSONS)
    callers = [vault.open_caller(at.keyring, r["person"], Sealed(r["key_id"], r["nonce"], r["sealed"])) for r in rows]
    names = [mask_name(caller.name) for caller in callers if caller.name]
    history = await _history(at, who, identity) if named else []
    return Known(len(rows), names, len(names) >= SHARED, history)


async def is_known(at: Workplace, by: Principal, identity: Identity | None) -> bool:
    """Whether anybody called from this number before, as `look_up` counts them; logged as well."""
    if identity is None or identity.phone is None:
        return False
    await log_access(at.pool, await at.clock.now(at.pool), by.name, "caller.known", identity.phone.hex()[:16])
    who = reader(by, at.cities.current)
    return bool(await at.pool.fetch(SQL.persons, identity.phone, who.units, who.areas, who.above, 1))


async def _history(at: Workplace, who: Reader, identity: Identity) -> list[Past]:
    rows = await at.pool.fetch(SQL.history, identity.person, who.units, who.areas, who.above, MOST_CASES)
    ids = [row["id"] for row in rows]
    colours = await lights(at, ids)
    steps = await at.pool.fetch(SQL.last_steps, ids, [row["opened_month"] for row in rows], PUBLIC_STEPS)
    last = {row["case_id"]: Step(row["type"], row["at"]) for row in steps}
    return [
        Past(r["case_no"], r["state"], r["category"], r["opened_at"], colours.get(r["id"]), last.get(r["id"]))
        for r in rows
    ]
