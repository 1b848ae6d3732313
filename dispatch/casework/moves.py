"""Moving open cases to successors when a new version of the city no longer has their unit or cell."""

from collections.abc import Sequence
from datetime import datetime

from dispatch.casework import orders, record
from dispatch.casework.leading import end_parts
from dispatch.casework.watch import watch
from dispatch.city.load import Mover
from dispatch.city.model import City
from dispatch.domain.cases import Assignment, Change
from dispatch.domain.workflow import assignment_step
from dispatch.people.keyring import Keyring
from dispatch.store.pool import Connection

SWEEP = 500


def mover(keyring: Keyring) -> Mover:
    """What `city.load.apply` moves cases with; each gets an event, and its clocks go on unchanged."""

    async def move(connection: Connection, touched: Sequence[int], city: City, by: str, now: datetime) -> int:
        for start in range(0, len(touched), SWEEP):
            held = await record.hold(connection, touched[start : start + SWEEP])
            crowded = [change for change in held.values() if _withdraw_doubles(change, city, by, now)]
            if crowded:
                # Written before their units move in: no unit has two live tasks in one case, not even for an instant.
                await record.save(connection, keyring, city.map.areas, crowded)
            for change in held.values():
                _move_case(change, city, by, now)
                await watch(connection, change, city, now)
            await record.save(connection, keyring, city.map.areas, list(held.values()))
            gone = _moves(city)
            await connection.execute(orders.SQL.follow, list(held), list(gone), list(gone.values()))
        return len(touched)

    return move


def _moves(city: City) -> dict[str, str]:
    return {code: successor for (kind, code), successor in city.successors.items() if kind == "unit"}


def _withdraw_doubles(change: Change, city: City, by: str, now: datetime) -> bool:
    """Ends tasks whose unit would get a second one in this case; the lead's stays, else the older one."""
    moves, taken, doubles = _moves(city), set[str](), list[Assignment]()
    for task in sorted(change.assignments, key=lambda each: each.role != "lead"):
        if task.ended_at is None:
            unit = moves.get(task.unit, task.unit)
            if unit in taken:
                doubles.append(task)
            taken.add(unit)
    at = change.instant(now)
    for task in doubles:
        task.state, task.ended_at = assignment_step(task.state, "withdraw").target, at
        task.version += 1
        for deadline in change.live():
            if deadline.assignment_id == task.id:
                deadline.stop(at, cancelled=True)
        change.event("withdrawn", at, by, assignment=task.id, unit=task.unit, successor=moves.get(task.unit, task.unit))
        end_parts(change, task, at)
    return bool(doubles)


def _move_case(change: Change, city: City, by: str, now: datetime) -> None:
    case, at, moves = change.case, change.instant(now), _moves(city)
    before = {"owner": case.owner_unit, "cell": case.cell, "area": case.area}
    case.owner_unit = moves.get(case.owner_unit or "", case.owner_unit)
    if case.cell is not None and ("cell", case.cell) in city.successors:
        case.cell = city.successors["cell", case.cell]
        case.area = next(cell.area for cell in city.map.cells if cell.code == case.cell)
    tasks = []
    for task in change.assignments:
        if task.ended_at is None and task.unit in moves:
            tasks.append({"assignment": task.id, "from": task.unit, "to": moves[task.unit]})
            task.unit = moves[task.unit]
            task.version += 1
    for deadline in change.live():
        deadline.unit = moves.get(deadline.unit, deadline.unit)
    case.version += 1
    change.event(
        "moved",
        at,
        by,
        before=before,
        owner=case.owner_unit,
        cell=case.cell,
        area=case.area,
        tasks=tasks,
        city_version=city.version,
    )
