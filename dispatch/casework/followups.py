"""Follow-up (回访): asking the citizen whether it was solved, and what follows from the answer (S03, S13, S54).

| what was found                                   | what follows                                                            |
|--------------------------------------------------|-------------------------------------------------------------------------|
| nobody reached (`attempt`)                       | the next try at another hour; after so many the case ends as not reached |
| valid, solved, level 3 to 5                      | `close`                                                                 |
| valid, not solved, but the explanation accepted  | `close`, with `accepted` and a note                                     |
| valid, level 1 or 2, or not solved               | `rectify`: a new round with its own limit; the second time supervised   |
| not valid (wrong person, no opinion)             | `close` with `valid: false` and a note; left out of every rate          |
| a second bad review, and all was done that could | `conclude`, by a supervisor, with the words told                        |

Closing is not solving: `solved` is what the citizen said, and nothing where they said nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from dispatch.casework.actions import Action, Turn
from dispatch.casework.clocks import named_limit
from dispatch.casework.closing import cancel_rest, end_tasks
from dispatch.casework.reworking import Means, again
from dispatch.city.model import City
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "followups")
# Levels that are a bad review (差评), of five.
WORST: Final = 2
# By these somebody is disturbed; who calls or is visited by appointment is not.
DISTURBING: Final = ("phone", "message")


@dataclass(frozen=True, slots=True)
class Result:
    """What a citizen said; `valid` results have all three, others none."""

    medium: str
    valid: bool
    contacted: bool | None = None
    solved: bool | None = None
    satisfied: int | None = None
    receipt_no: str | None = None

    @property
    def bad(self) -> bool:
        """Whether it is a bad review (差评)."""
        return self.satisfied is not None and self.satisfied <= WORST


async def attempt(turn: Turn) -> None:
    """A try in vain, or a call back that was promised; the last one that counts ends the case as not reached."""
    change, case, casework = turn.change, turn.change.case, turn.city.casework
    case_step(case.state, "attempt")
    medium, reached = _medium(turn), turn.body.reached
    if reached is None:
        raise BadInput(field="reached", problem="is required for this action")
    before = await _before(turn.connection, change)
    slot = _slot(turn.city, turn.at)
    tried = [row for row in before if row["round"] == case.round and row["counted"]]
    counted = not reached and slot not in [_slot(turn.city, row["at"]) for row in tried]
    over = counted and len(tried) + 1 >= casework.followup_attempts
    if over and change.live("report_back"):
        raise RuleBroken(problem="the superior from whom it came has not been told the result", field="report_back")
    next_at = None if over else callable_from(turn.city, turn.at, after_slot=not reached)
    nth = len(before) + 1
    unsaid = None, None, None, None
    row = case.id, nth, case.round, medium, turn.by.name, turn.at, None, reached, counted, next_at, *unsaid
    await turn.connection.execute(SQL.add, *row)
    turn.say("note")
    change.event(
        "followup_attempted", turn.at, turn.by.name, round=case.round, nth=nth, medium=medium, reached=reached, counted=counted,
        next_at=next_at,
    )  # fmt: skip
    if over:
        unreached = {"valid": False, "contacted": None, "solved": None, "satisfied": None}
        told = {"round": case.round, "medium": medium, **unreached, "reason": "unreachable"}
        change.event("followed_up", turn.at, turn.by.name, **told)
        end(change, turn.at, turn.by.name, None)


async def close(turn: Turn) -> None:
    """The follow-up's result ends the case. Raises RuleBroken for what has to be put right instead."""
    change, case = turn.change, turn.change.case
    case_step(case.state, "close")
    if change.live("report_back"):
        raise RuleBroken(problem="the superior from whom it came has not been told the result", field="report_back")
    if not change.live("followup"):
        # Nobody can be asked: what is known of it is said.
        if turn.body.solved is None:
            raise BadInput(field="solved", problem="is required for this action: true or false")
        turn.say("note")
        return end(change, turn.at, turn.by.name, turn.body.solved)
    result = _result(turn)
    if result.bad:
        raise RuleBroken(problem="a bad review is put right: rectify", field="satisfied")
    if result.valid and not result.solved:
        if not turn.body.accepted:
            raise RuleBroken(problem="what is not solved is put right, or its explanation accepted", field="accepted")
        turn.needs("note")
    await keep(turn.connection, change, result, turn.at, turn.by.name)
    turn.say("note")
    end(change, turn.at, turn.by.name, result.solved)


async def rectify(turn: Turn) -> None:
    """A bad review, or what is not solved, goes back to the unit that handled it."""
    change = turn.change
    case_step(change.case.state, "rectify")
    result = _result(turn)
    if not (result.bad or result.solved is False):
        raise RuleBroken(problem="it is solved and no bad review: close", field="satisfied")
    turn.needs("note")
    times = await keep(turn.connection, change, result, turn.at, turn.by.name)
    turn.say("reason")
    limit = named_limit(turn.body.limit)
    means = Means(turn.by.name, turn.at, turn.opened_under, turn.city.units, turn.ids, turn.reachable, limit)
    again(change, "rectify", means, dissatisfied=times)


async def conclude(turn: Turn) -> None:
    """终结: a supervisor ends what was put right and explained, though the citizen was dissatisfied twice."""
    change, case = turn.change, turn.change.case
    case_step(case.state, "conclude")
    if _dissatisfied(await _before(turn.connection, change)) < 2:
        raise RuleBroken(problem="only after a second bad review", field="satisfied")
    turn.needs("note")
    told = turn.needs("told")
    turn.say("reason")
    change.words.append(Words(turn.ids.take("text"), "told", turn.by.name, {"text": told, "to": "everybody"}))
    change.event("concluded", turn.at, turn.by.name, round=case.round)
    end_tasks(change, turn.at)
    case.settled_at = case.settled_at or turn.at
    end(change, turn.at, turn.by.name, False)


def end(change: Change, at: datetime, by: str, solved: bool | None) -> None:
    """The case is closed, with what is known of whether it was solved; what still runs is cancelled, a due follow-up met."""
    case = change.case
    case.state, case.closed_at, case.solved = "closed", at, solved
    case.version += 1
    for clock in change.live("followup", "close", "rectify"):
        clock.stop(at)
    cancel_rest(change, at)
    change.event("closed", at, by, solved=solved, round=case.round)


async def keep(connection: Connection, change: Change, result: Result, at: datetime, by: str) -> int:
    """Puts a result on record; how often a citizen of the case was dissatisfied, with this time."""
    case = change.case
    before = await _before(connection, change)
    said: dict[str, Any] = {
        "valid": result.valid, "contacted": result.contacted, "solved": result.solved, "satisfied": result.satisfied,
    }  # fmt: skip
    await connection.execute(
        SQL.add, case.id, len(before) + 1, case.round, result.medium, by, at, result.receipt_no, True, False, None, *said.values()
    )  # fmt: skip
    reason = None if result.valid else "invalid"
    change.event(
        "followed_up", at, by, round=case.round, nth=len(before) + 1, medium=result.medium, **said, reason=reason
    )
    return _dissatisfied([*before, said])


async def _before(connection: Connection, change: Change) -> list[dict[str, Any]]:
    """What was tried and said so far."""
    return [dict(row) for row in await connection.fetch(SQL.of_case, change.case.id)]


def callable_from(city: City, at: datetime, *, after_slot: bool = False) -> datetime:
    """From when on somebody may be called: `at` itself within calling hours; `after_slot`: not in the hours that `at` lies in."""
    local = at.astimezone(city.tz)
    for day in range(3):
        date = local.date() + timedelta(days=day)
        for opens, closes in calling_hours(city):
            start = datetime.combine(date, opens, city.tz)
            if start > local or (not after_slot and start <= local < datetime.combine(date, closes, city.tz)):
                return max(start, local).astimezone(at.tzinfo)
    raise AssertionError("every day has calling hours")


def calling_hours(city: City) -> list[tuple[time, time]]:
    """When people may be disturbed, by the city's clock; `24:00` is the day's last moment."""
    pairs = (slot.replace("24:00", "23:59:59.999999").split("-") for slot in city.casework.calling_hours)
    return sorted((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in pairs)


def _slot(city: City, at: datetime) -> tuple[Any, ...]:
    """The day and the calling hours that an instant lies in, so that tries at other hours are known."""
    local = at.astimezone(city.tz)
    within = [opens for opens, closes in calling_hours(city) if opens <= local.time() < closes]
    return (local.date(), *within[:1])


def _medium(turn: Turn) -> str:
    """How the citizen was asked. Raises RuleBroken for a disturbance in quiet hours."""
    medium = turn.needs("medium")
    if medium in DISTURBING and len(_slot(turn.city, turn.at)) == 1:
        first = callable_from(turn.city, turn.at).astimezone(turn.city.tz)
        raise RuleBroken(problem=f"nobody is called or written to before {first.isoformat()}", field="medium")
    return medium


def _result(turn: Turn) -> Result:
    """The result that the body tells. Raises BadInput for one that is not whole."""
    body, medium = turn.body, _medium(turn)
    if body.valid is False:
        turn.needs("note")
        if not body.contacted is body.solved is body.satisfied is None:
            raise BadInput(field="valid", problem="what is not valid has no contacted, solved or satisfied")
        return Result(medium, False)
    for name, kind in (("solved", "true or false"), ("contacted", "true or false"), ("satisfied", "1 to 5")):
        if getattr(body, name) is None:
            raise BadInput(field=name, problem=f"is required for this action: {kind}; or valid: false")
    return Result(medium, True, body.contacted, body.solved, body.satisfied)


def _dissatisfied(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many results were a bad review, or said that it was not solved."""
    return sum(bool(row["valid"]) and (row["satisfied"] <= WORST or not row["solved"]) for row in rows)


ACTIONS = {
    "attempt": Action("case.close", False, attempt, looks=False),
    "close": Action("case.close", False, close, looks=False),
    "rectify": Action("case.close", False, rectify),
    "conclude": Action("case.conclude", False, conclude, looks=False),
}
