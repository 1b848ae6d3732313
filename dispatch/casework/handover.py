"""Handing over all open work of a person (工作移交): nothing is left in the hands of somebody who goes."""

from typing import Annotated

from msgspec import Meta, Struct

from dispatch.casework import record
from dispatch.casework.actions import Workplace
from dispatch.casework.tasks import SQL
from dispatch.domain.errors import BadInput, NotFound, NotPermitted
from dispatch.people.principal import Principal

SWEEP = 500


class Handover(Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes over."""

    to: Annotated[str, Meta(min_length=1, max_length=64)]


class HandedOver(Struct, frozen=True):
    """How many tasks changed hands, or would."""

    account: str
    to: str
    moved: int
    dry_run: bool


async def hand_over(at: Workplace, account: str, to: str, by: Principal, *, dry_run: bool = False) -> HandedOver:
    """Gives every live task of `account` to `to`, a person of the same unit or of one above it or below; an event a case.

    In chunks: what was done stays done when the rest fails, and the same request again goes on. Raises NotPermitted for
    people outside one's own unit and below, NotFound, BadInput.
    """
    by.require("task.handover")
    unit = await at.pool.fetchval(SQL.unit_of, account)
    if unit is None:
        raise NotFound(noun="account", key=account)
    units = at.cities.current.units
    if not by.may("account.manage") and (by.unit not in units or unit not in units.subtree(by.unit)):
        raise NotPermitted(permission=f"work of {unit}")
    theirs = await at.pool.fetchval(SQL.unit_of, to)
    near = (
        theirs is not None
        and unit in units
        and theirs in units
        and (theirs in units.path(unit) or unit in units.path(theirs))
    )
    if to == account or not near:
        raise BadInput(field="to", problem=f"is nobody who works in {unit}, above it or below")
    if dry_run:
        return HandedOver(account, to, await at.pool.fetchval(SQL.open_work, account), True)
    moved = 0
    while cases := [row["case_id"] for row in await at.pool.fetch(SQL.work_of, account)][:SWEEP]:
        moved += await _sweep(at, cases, account, to, by)
    return HandedOver(account, to, moved, False)


async def _sweep(at: Workplace, cases: list[int], account: str, to: str, by: Principal) -> int:
    moved = 0
    async with at.pool.acquire() as connection, connection.transaction():
        held = await record.hold(connection, cases)
        now = await at.clock.now(connection)
        for change in held.values():
            tasks = [task for task in change.assignments if task.handler == account and task.ended_at is None]
            for task in tasks:
                task.handler = to
                task.version += 1
            if tasks:
                ids = [task.id for task in tasks]
                change.event("handed_over", change.instant(now), by.name, assignments=ids, account=account, to=to)
                moved += len(tasks)
        changed = [change for change in held.values() if change.events]
        if changed:
            await record.save(connection, at.keyring, at.cities.current.map.areas, changed)
    return moved
