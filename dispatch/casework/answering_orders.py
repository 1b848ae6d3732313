"""Answering an order (督办回复) and deciding on the answer: the unit says what it did, and somebody else accepts it or sends it back."""

from datetime import datetime

from dispatch.casework import clocks, receipts
from dispatch.casework.actions import Action, Turn
from dispatch.casework.orders import ADDRESSEES, CLOCK, SQL, authorised, not_their_own, pick
from dispatch.domain.cases import Change
from dispatch.domain.errors import BadInput, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.people.rosters import EVERYWHERE
from dispatch.store.pool import one


async def answer_order(turn: Turn) -> None:
    """The unit's clock ends; from here on the one of who decides runs. Who answers has read it."""
    change, at = turn.change, turn.at
    case_step(change.case.state, "answer_order")
    turn.needs("note")
    row = await pick(turn, "open", answering=True)
    await receipts.opened(turn.connection, change, row, turn.by, at)
    late = _stop(change, row["round"], at)
    said = turn.say("note")
    answered = row["id"], row["unit"], turn.by.name, at, said
    nth = await turn.connection.fetchval(SQL.answer, *answered)
    desk = row["issued_unit"] if row["issued_unit"] in turn.city.units else turn.city.desk.dispatch
    clock = clocks.start(turn.opened_under, change.case, CLOCK, unit=desk, at=at, round=turn.next_round(CLOCK))
    change.deadlines.append(clock)
    await turn.connection.execute(SQL.go_on, row["id"], "answered", clock.round)
    change.event(
        "order_answered", at, turn.by.name, order=row["id"], unit=row["unit"], round=nth, late=late, deadlines=[view(clock)]
    )  # fmt: skip
    told = {"order": row["id"], "by_unit": row["unit"], "round": nth}
    by_hand = row["deadline_id"] is None
    change.post(f"account:{row['issued_by']}" if by_hand else EVERYWHERE, ("supervisor",), "order_answered", **told)
    turn.told["order"] = row["id"]


async def decide_order(turn: Turn) -> None:
    """Accepted, it is done; sent back, the unit has a new round with its own limit. Never by who answered, nor their unit."""
    change, body, at = turn.change, turn.body, turn.at
    case_step(change.case.state, "decide_order")
    if body.approve is None:
        raise BadInput(field="approve", problem="is required for this action: true or false")
    if not body.approve:
        turn.needs("note")
    row = await pick(turn, "answered")
    answer = await one(turn.connection, SQL.last_answer, row["id"])
    authorised(turn.by, turn.city, row["kind"], row["colour"])
    not_their_own(turn, row["unit"])
    not_their_own(turn, answer["unit"])
    if answer["answered_by"] == turn.by.name:
        raise RuleBroken(problem="who answered does not decide", field="order")
    _stop(change, row["round"], at)
    decision = body.approve, turn.by.name, turn.by.unit, at, turn.say("note")
    await turn.connection.execute(SQL.decide, row["id"], answer["round"], *decision)
    started = []
    if body.approve:
        await turn.connection.execute(SQL.done, row["id"], at)
    else:
        limit, round = clocks.named_limit(body.limit), turn.next_round(CLOCK)
        started = [
            clocks.start(turn.opened_under, change.case, CLOCK, unit=row["unit"], at=at, round=round, limit=limit)
        ]
        await turn.connection.execute(SQL.go_on, row["id"], "open", round)
    change.deadlines += started
    told = {"order": row["id"], "approved": body.approve}
    views = [view(each) for each in started]
    change.event("order_decided", at, turn.by.name, **told, unit=row["unit"], round=answer["round"], deadlines=views)
    change.post(row["unit"], ADDRESSEES, "order_decided", **told, due_at=started[0].due_at if started else None)
    turn.told["order"] = row["id"]


def _stop(change: Change, round: int, at: datetime) -> bool:
    """Ends the clock of the present move; whether it was late."""
    (clock,) = (each for each in change.live(CLOCK) if each.round == round)
    clock.stop(at)
    return clock.status == "missed"


ACTIONS = {
    "answer_order": Action("order.answer", False, answer_order),
    "decide_order": Action("order.issue", False, decide_order),
}
