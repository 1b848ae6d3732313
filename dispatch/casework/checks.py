"""Looking at the place before dispatch (核查): the nearest collector goes there once, for every case about the same.

| what is known of place and matter                     | what `check` does                                               |
|-------------------------------------------------------|-----------------------------------------------------------------|
| a visit inside the window `recheck`                    | its result answers at once; the case stays where it is            |
| a visit that is asked for and not made yet             | the case waits for that visit too                                |
| nothing                                                | the nearest collector seen lately is asked; any one, if none was |
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.casework.leading import at_desk
from dispatch.city.model import City
from dispatch.domain.cases import Change
from dispatch.domain.errors import RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.locate import metres
from dispatch.intake.open import view
from dispatch.intake.route import excluded_units
from dispatch.store.statements import load

SQL = load(__file__, "checks")
SAME_PLACE_M: Final = 50.0
# A collector who was seen longer ago may be anywhere.
SEEN_LATELY: Final = timedelta(hours=12)


async def check(turn: Turn) -> None:
    """Has somebody look at the place; a visit that was made lately, or is on its way, answers for this case too."""
    change, case = turn.change, turn.change.case
    target = case_step(case.state, "check").target
    if case.lon is None or case.lat is None:
        raise RuleBroken(problem="nobody can look at a case without a place", field="location")
    turn.say("reason")
    await turn.connection.execute(SQL.one_at_a_place, case.tile, case.kin or case.category or "")
    desk = turn.city.desk.dispatch
    near = await _near(turn)
    for visit in near:
        until = clocks.window(turn.opened_under, case, "recheck", desk, visit["done_at"] or turn.at)
        if visit["result"] is not None and until > turn.at:
            await turn.connection.execute(SQL.join_check, visit["id"], case.id, True)
            change.event("site_check_reused", turn.at, turn.by.name, check=visit["id"], result=visit["result"])
            return
    clock = clocks.start(turn.opened_under, case, "verify", unit=desk, at=turn.at, round=turn.next_round("verify"))
    waiting = next((visit for visit in near if visit["result"] is None), None)
    check_id = (
        waiting["id"]
        if waiting
        else await asked(turn, clock.due_at, without=excluded_units(case.about_unit, turn.city))
    )
    await turn.connection.execute(SQL.join_check, check_id, case.id, waiting is not None)
    case.state = target
    case.version += 1
    change.deadlines.append(clock)
    change.event(
        "site_check_asked", turn.at, turn.by.name, check=check_id, shared=waiting is not None, deadlines=[view(clock)]
    )
    change.post(desk, ("collector",), "site_check", check=check_id)


async def _near(turn: Turn) -> list[asyncpg.Record]:
    """Visits to this place about the same kind of matter, newest first."""
    case = turn.change.case
    assert case.lon is not None
    assert case.lat is not None
    rows = await turn.connection.fetch(SQL.visits, case.lon, case.lat, case.kin, case.category)
    return [row for row in rows if metres(case.lon, case.lat, row["lon"], row["lat"]) <= SAME_PLACE_M]


async def asked(
    turn: Turn, due_at: datetime, *, without: Collection[str], kind: str = "verify", round: int | None = None
) -> int:
    """A new visit, of the nearest collector of no unit in `without` who was seen lately and is not on leave; its id."""
    case = turn.change.case
    people = await turn.connection.fetch(SQL.collectors, turn.at - SEEN_LATELY, turn.at, sorted(without))
    nearest = min(people, key=lambda p: metres(case.lon or 0, case.lat or 0, p["lon"], p["lat"]), default=None)
    return int(
        await turn.connection.fetchval(
            SQL.ask_check, case.kin, case.category, case.lon, case.lat, case.tile, nearest["account"] if nearest else None,
            turn.by.name, turn.at, due_at, kind, round,
        )
    )  # fmt: skip


def checked(change: Change, city: City, check_id: int, result: str, by: str, now: datetime) -> None:
    """The visit was made: a case that waits for it goes back to the dispatch desk; another one only gets the line."""
    at = change.instant(now)
    if change.case.state == "verifying":
        change.case.state = case_step(change.case.state, "checked").target
        change.case.version += 1
        for clock in change.live("verify"):
            clock.stop(at)
        at_desk(change, city)
        change.event("site_checked", at, by, check=check_id, result=result)
        change.post(city.desk.dispatch, ("dispatcher",), "site_checked", check=check_id, result=result)
    elif change.case.is_open:
        change.event("site_checked", at, by, check=check_id, result=result)


ACTIONS = {"check": Action("case.dispatch", False, check)}
