"""A unit's queue (待办): the next tasks in priority order, taken atomically."""

import hashlib

import msgspec

from dispatch.casework import record
from dispatch.casework.actions import SQL, Turn, Workplace, answer_of, first_answer
from dispatch.casework.bodies import ActionAnswer, ActionBody
from dispatch.casework.handling import sign
from dispatch.casework.watch import watch
from dispatch.domain.errors import NotPermitted
from dispatch.people.principal import Principal
from dispatch.store.pool import NO_IDS


async def pull(at: Workplace, unit: str, count: int, by: Principal, *, key: str | None) -> bytes:
    """Signs the next `count` tasks of `unit` for the principal; two people never get the same one. JSON of ActionAnswers.

    Raises NotPermitted outside the principal's own subtree, IdempotencyConflict.
    """
    by.require("queue.pull")
    by.require("case.sign")
    city = at.cities.current
    if by.unit not in city.units or unit not in city.units.subtree(by.unit):
        raise NotPermitted(permission=f"queue of {unit}")
    fingerprint = hashlib.sha256(msgspec.json.encode([unit, count])).digest()
    complained = list(city.units.path(by.unit))
    head_of = by.unit if "unit_head" in by.roles else None
    async with at.pool.acquire() as connection, connection.transaction():
        if key is not None and (first := await first_answer(connection, by, key, fingerprint)):
            return first[1]
        rows = await connection.fetch(SQL.pull, [unit], count, "restricted.read" in by.permissions, complained, head_of)
        tasks = {row["case_id"]: row["id"] for row in rows}
        held = await record.hold(connection, sorted(tasks))
        now = await at.clock.now(connection)
        taken: list[ActionAnswer] = []
        for case_id, task_id in tasks.items():
            change = held[case_id]
            task = next(a for a in change.assignments if a.id == task_id)
            opened_under = await at.cities.version(connection, change.case.city_version)
            sign(
                Turn(
                    change, task, ActionBody(), by, city, opened_under, now, NO_IDS, reachable=False, rounds={},
                    connection=connection, keyring=at.keyring,
                )
            )  # fmt: skip
            await watch(connection, change, opened_under, now)
            taken.append(answer_of(change, task))
        if held:
            await record.save(connection, at.keyring, city.map.areas, list(held.values()))
        answer = msgspec.json.encode(taken)
        if key is not None:
            await connection.execute(SQL.keep_answer, by.name, key, fingerprint, 200, answer, now)
        return answer
