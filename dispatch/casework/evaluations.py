"""What a caller says by themselves about how it ended (好差评), with their receipt and code.

| the case          | the evaluation                                  | what follows                                             |
|-------------------|--------------------------------------------------|-----------------------------------------------------------|
| waits to be asked | good, and nobody else has part in the case       | it is the result: the case is closed                      |
| waits to be asked | good, of one of several callers                  | on record for whoever asks                                |
| waits to be asked | bad: level 1 or 2, or not solved                 | put right, like any bad review                            |
| has been closed   | good                                             | on record                                                 |
| has been closed   | bad, within the days that the city gives         | opened again and put right                                |

A caller evaluates each round once; the same again is answered like the first.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from dispatch.casework import record
from dispatch.casework.actions import SQL as ACTIONS_SQL
from dispatch.casework.actions import Workplace
from dispatch.casework.followups import SQL, Result, end, keep
from dispatch.casework.reworking import Means, again
from dispatch.casework.watch import watch
from dispatch.city.model import City
from dispatch.domain.cases import Change, Words
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.people.masking import find_personal
from dispatch.store.pool import Connection, Ids, one

CITIZEN: Final = "citizen"


class Evaluation(Struct, forbid_unknown_fields=True, frozen=True):
    """Five levels, 5 the best; whether the unit was in touch, whether it is solved, and why if they like."""

    satisfied: Annotated[int, Meta(ge=1, le=5)]
    solved: bool
    contacted: bool
    text: Annotated[str, Meta(max_length=2000)] | None = None


class Evaluated(Struct, frozen=True):
    """What became of it: `state` is the public one."""

    receipt_no: str
    put_right: bool


async def evaluate(at: Workplace, receipt_no: str, said: Evaluation) -> Evaluated:
    """Takes one evaluation. Raises NotFound, RuleBroken before there is an answer, after the last day, or for another one."""
    ids = await at.ids.reserve(text=1, assignment=8)
    async with at.pool.acquire() as connection, connection.transaction():
        case_id = await connection.fetchval(ACTIONS_SQL.case_of_receipt, receipt_no)
        if case_id is None:
            raise NotFound(noun="report", key=receipt_no)
        change = (await record.hold(connection, [case_id]))[case_id]
        now, city = await at.clock.now(connection), at.cities.current
        earlier = [row for row in await connection.fetch(SQL.of_case, case_id) if row["receipt_no"] == receipt_no]
        if earlier and (same := _as_before(said, dict(earlier[-1]), change, receipt_no)):
            return same
        moment = change.instant(now)
        possible, until = open_until(change.case.state, change.case.closed_at, city)
        if not possible or (until is not None and moment > until):
            raise RuleBroken(problem="it can be evaluated once it was answered, and for some days after", field="state")
        opened_under = await at.cities.version(connection, change.case.city_version)
        bad = await _take(connection, change, said, receipt_no, moment, opened_under, city, ids)
        await watch(connection, change, opened_under, now)
        await record.save(connection, at.keyring, city.map.areas, [change])
        return Evaluated(receipt_no, bad)


def open_until(state: str, closed_at: datetime | None, city: City) -> tuple[bool, datetime | None]:
    """Whether a case in this state can be evaluated at all, and until when; None while there is no end yet."""
    if state == "closed" and closed_at is not None:
        return True, closed_at + timedelta(days=city.casework.evaluation_days)
    return state == "followup", None


def _as_before(said: Evaluation, row: dict[str, object], change: Change, receipt_no: str) -> Evaluated | None:
    """The answer to a repetition; a bad one has begun the next round."""
    if all(row[name] == getattr(said, name) for name in ("satisfied", "solved", "contacted")):
        return Evaluated(receipt_no, row["round"] != change.case.round)
    if row["round"] == change.case.round:
        raise RuleBroken(problem="it was evaluated already", field="satisfied")
    return None


async def _take(
    connection: Connection, change: Change, said: Evaluation, receipt_no: str, at: datetime, opened_under: City, city: City,
    ids: Ids,
) -> bool:  # fmt: skip
    """Keeps it and does what follows; True if it has to be put right."""
    case = change.case
    result = Result("track", True, said.contacted, said.solved, said.satisfied, receipt_no)
    if said.text:
        spans = [[s.start, s.end, s.kind] for s in find_personal(said.text)]
        document = {"text": said.text, "personal": spans, "receipt_no": receipt_no}
        change.words.append(Words(ids.take("text"), "evaluation", CITIZEN, document))
    times = await keep(connection, change, result, at, CITIZEN)
    if result.bad or not said.solved:
        told = await one(connection, ACTIONS_SQL.about_case, case.id)
        step = "rectify" if case.state == "followup" else "evaluate_badly"
        means = Means(CITIZEN, at, opened_under, city.units, ids, told["reachable"])
        again(change, step, means, dissatisfied=times)
        return True
    if case.state == "followup" and case.people <= 1 and not change.live("report_back"):
        end(change, at, CITIZEN, said.solved)
    return False
