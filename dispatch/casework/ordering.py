"""Levels of the ladder that issue an order (督办单), as a city's ladder says: once a level, in the turn in which it fires.

| the level fired on                       | what it issues                                                      |
|------------------------------------------|---------------------------------------------------------------------|
| a clock of an order, or a review         | nothing: an order is not ordered again                              |
| any other, and an order as grave is open | nothing; `order_stands` names that one                              |
| any other                                | an order of the level's colour to the unit whose clock it is        |
"""

from datetime import datetime
from typing import Final

from dispatch.casework import clocks, orders
from dispatch.casework.orders import Order
from dispatch.casework.watch import ACTOR
from dispatch.casework.watch import SQL as ROUNDS
from dispatch.city.model import City
from dispatch.domain.cases import Change, Escalation
from dispatch.store.pool import Connection
from sla.ladder import ORDERING

NOT_ABOUT: Final = (*clocks.OUTLASTING, "review")


async def issue_due(connection: Connection, change: Change, city: City, now: datetime) -> None:
    """Issues what the levels that fired in this turn order; `city` is the one whose limits apply."""
    issuing = [fired for fired in change.escalations if _orders(fired)]
    if not issuing:
        return
    rounds = {clock: await connection.fetchval(ROUNDS.last_round, change.case.id, clock) for clock in clocks.OUTLASTING}

    def next_round(clock: str) -> int:
        rounds[clock] += 1
        return int(rounds[clock])

    for fired in issuing:
        unit, at = fired.deadline.unit, change.instant(now)
        graver = ORDERING[ORDERING.index(fired.colour) :]
        stands = await connection.fetchval(orders.SQL.as_grave, change.case.id, unit, graver)
        if stands is not None:
            about = {"clock": fired.deadline.clock, "level": fired.level}
            change.event("order_stands", at, ACTOR, order=stands, unit=unit, **about)
        else:
            new = Order("supervise", fired.colour, unit, ACTOR, city.desk.dispatch, level=fired)
            await orders.issue(connection, change, city, new, at, next_round)


def _orders(fired: Escalation) -> bool:
    step = next(step for step in fired.deadline.ladder if step["level"] == fired.level)
    return fired.deadline.clock not in NOT_ABOUT and bool(step.get("order"))
