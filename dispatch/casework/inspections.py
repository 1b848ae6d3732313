"""Looking at the place before closing (核实): whether the work was done, by somebody who had no part in it.

| the last visit of this round           | `approve`                                            |
|-----------------------------------------|------------------------------------------------------|
| none, and the category asks for none    | goes on                                              |
| none, although the category asks for it | refused: `inspect`, or a supervisor's `waive`        |
| on its way                              | refused until the result is there, or waived         |
| not_done                                | refused until another one says done, or waived       |
| done, or waived                         | goes on; never by the person who waived it            |

A lead's reply orders the visit where the category asks for it. Nobody is sent to a case without a place, nor to a restricted one.
"""

from datetime import datetime
from typing import Final

import asyncpg

from dispatch.casework import clocks, evidence
from dispatch.casework.actions import Action, Turn
from dispatch.casework.checks import SQL, asked
from dispatch.casework.watch import SQL as ROUNDS
from dispatch.city.model import City
from dispatch.domain.cases import Case, Change
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.intake.route import excluded_units
from dispatch.store.pool import one

CLOCK: Final = "verify"
KIND: Final = "verify_done"
RESULTS: Final = ("done", "not_done")


async def inspect(turn: Turn) -> None:
    """核实: the nearest collector who is not of a unit at work here is asked to look."""
    change, case = turn.change, turn.change.case
    case_step(case.state, "inspect")
    if not _can_be_looked_at(case):
        raise RuleBroken(problem="nobody is sent to a case without a place, nor to a restricted one", field="location")
    last = await _looked(turn)
    if last["waived_by"] is not None:
        raise RuleBroken(problem="a supervisor did without the visit in this round", field="check")
    if last["id"] is not None and last["result"] is None:
        raise RuleBroken(problem="somebody is on the way already", field="check")
    turn.say("reason")
    await _order(turn, change, turn.by.name)


async def after_reply(turn: Turn) -> None:
    """Called once the lead's reply brought the case to review: orders the visit where the category asks for one."""
    case, need = turn.change.case, evidence.needs(turn.change.case, turn.opened_under)
    if case.state == "review" and need is not None and "site_check" in need.needs and _can_be_looked_at(case):
        await _order(turn, turn.change, turn.by.name)


async def guard(turn: Turn) -> None:
    """Raises RuleBroken while a visit stands in the way of approval, or for who waived it themselves."""
    last = await _looked(turn)
    if last["waived_by"] == turn.by.name:
        raise RuleBroken(problem="who did without the visit does not approve", field="check")
    if (problem := _in_the_way(turn, last)) is not None:
        raise RuleBroken(problem=problem, field="check")


async def waive(turn: Turn) -> None:
    """A supervisor does without the visit, or goes against its result, by a code and with words."""
    change, case = turn.change, turn.change.case
    case_step(case.state, "waive")
    code = turn.needs("reason_code")
    if code not in turn.city.casework.waivers:
        raise BadInput(field="reason_code", problem=f"not one of {', '.join(turn.city.casework.waivers)}")
    turn.needs("note")
    last = await _looked(turn)
    if _in_the_way(turn, last) is None:
        raise RuleBroken(problem="no visit stands in the way of approval", field="check")
    turn.say("reason")
    await turn.connection.execute(SQL.keep_waiver, case.id, case.round, code, turn.by.name, turn.at)
    call_off(change, turn.at)
    case.version += 1
    seen = {"check": last["id"], "result": last["result"]} if last["id"] is not None else {}
    change.event("check_waived", turn.at, turn.by.name, reason=code, round=case.round, **seen)
    change.post(turn.city.desk.dispatch, ("reviewer",), "check_waived", reason=code)


def call_off(change: Change, at: datetime) -> None:
    """Nobody waits for the visit any more: whatever takes a case out of review, or does without it, stops its clock."""
    for clock in change.live(CLOCK):
        clock.stop(at, cancelled=True)


def inspected(change: Change, city: City, check_id: int, round: int, result: str, by: str, now: datetime) -> None:
    """The visit was made: the reviewer hears it. Of a round that is over, or a case that left, only the line is kept."""
    case, at = change.case, change.instant(now)
    if not case.is_open:
        return
    awaited = case.state == "review" and case.round == round
    for clock in change.live(CLOCK) if awaited else ():
        clock.stop(at)
    change.event("site_checked", at, by, check=check_id, result=result, kind=KIND, round=round)
    if awaited:
        change.post(city.desk.dispatch, ("reviewer", "dispatcher"), "site_checked", check=check_id, result=result)


def concerned(change: Change, city: City) -> frozenset[str]:
    """Units none of whose people look: those at work on the case and below them, and whom it complains about."""
    at_work = (city.units.subtree(task.unit) for task in change.assignments if task.unit in city.units)
    return excluded_units(change.case.about_unit, city).union(*at_work)


def _can_be_looked_at(case: Case) -> bool:
    return case.lon is not None and case.lat is not None and not case.restricted


def _in_the_way(turn: Turn, last: asyncpg.Record) -> str | None:
    """Why the case cannot be approved yet."""
    if last["waived_by"] is not None:
        return None
    if last["id"] is None:
        need = evidence.needs(turn.change.case, turn.opened_under)
        owed = need is not None and "site_check" in need.needs and _can_be_looked_at(turn.change.case)
        return "nobody looked yet whether it was done" if owed else None
    if last["result"] is None:
        return "somebody is on the way to see whether it was done"
    return "who looked at the place says that it was not done" if last["result"] == "not_done" else None


async def _order(turn: Turn, change: Change, by: str) -> None:
    desk, case = turn.city.desk.dispatch, change.case
    round = 1 + await turn.connection.fetchval(ROUNDS.last_round, case.id, CLOCK)
    clock = clocks.start(turn.opened_under, case, CLOCK, unit=desk, at=turn.at, round=round)
    check_id = await asked(turn, clock.due_at, kind=KIND, round=case.round, without=concerned(change, turn.city))
    await turn.connection.execute(SQL.join_check, check_id, case.id, False)
    change.deadlines.append(clock)
    change.event("site_check_asked", turn.at, by, check=check_id, kind=KIND, round=case.round, deadlines=[view(clock)])
    change.post(desk, ("collector",), "site_check", check=check_id)


async def _looked(turn: Turn) -> asyncpg.Record:
    """The last visit of this round, and who did without one; nulls where there is neither."""
    return await one(turn.connection, SQL.looked, turn.change.case.id, turn.change.case.round)


ACTIONS = {
    "inspect": Action("case.inspect", False, inspect),
    "waive": Action("case.waive", False, waive),
}
