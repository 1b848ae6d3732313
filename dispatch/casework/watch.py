"""Somebody looks (复核): an open case on which nothing would act any more gets a `review` on the next working day.

An order is no such thing: it is about the unit. A case that nobody leads, and that should have had a lead by now, asks for a ruling
here, whatever happened to it.

Whatever stops clocks of an open case calls this before it writes: the deadline loop, the actions of people, the pull from a
queue, the move to a successor. A review that passes without a decision is followed by the next one.
"""

from datetime import datetime
from typing import Final

from dispatch.casework import clocks, disputes
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "deadlines")
ACTOR: Final = "deadlines"


async def watch(connection: Connection, change: Change, city: City, now: datetime) -> None:
    """Sets the next review if `change` leaves an open case with nothing that will act on it; `city` is that of its opening."""
    if not change.case.is_open:
        return
    at = change.instant(now)
    if disputes.unled_too_long(change):
        round = 1 + await connection.fetchval(SQL.last_round, change.case.id, "ruling")
        disputes.ask(change, city, ACTOR, at=at, round=round)
    if any(clock.next_at is not None for clock in change.live() if clock.clock not in clocks.OUTLASTING):
        return
    for passed in change.live("review"):
        passed.stop(at)
    round = 1 + await connection.fetchval(SQL.last_round, change.case.id, "review")
    change.deadlines.append(clocks.start(city, change.case, "review", unit=city.desk.dispatch, at=at, round=round))
    change.event("review_set", at, ACTOR, round=round, due_at=change.deadlines[-1].due_at)
