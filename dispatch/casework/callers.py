"""Calls that are made and taken back: a logged call (电话), a report withdrawn (撤诉), a secret that must not stay."""

from typing import Any

from dispatch.casework import dangers
from dispatch.casework.actions import SQL as ACTION_SQL
from dispatch.casework.actions import Action, Turn
from dispatch.casework.closing import end
from dispatch.casework.desk import SQL
from dispatch.domain.errors import BadInput
from dispatch.domain.workflow import case_step

SECRET = "secret"


async def call(turn: Turn) -> None:
    """A call to a unit, a person or another channel, the caller staying on the line or not; the danger's clock stops once somebody was reached."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "call")
    to = turn.needs("to")
    if body.reached is None:
        raise BadInput(field="reached", problem="is required for this action")
    channel = turn.city.endings.get(to)
    known = to in turn.city.units or (channel is not None and channel.action == "refer")
    if not known and not await turn.connection.fetchval(ACTION_SQL.account_is_there, to):
        raise BadInput(field="to", problem="is neither a unit, an account nor a channel of this city; never a number")
    turn.say("note")
    more: dict[str, Any] = {"three_way": True} if body.three_way else {}
    change.event("called", turn.at, turn.by.name, to=to, reached=body.reached, **more)
    if body.reached:
        for clock in change.live(dangers.CLOCK):
            clock.stop(turn.at)


async def retract(turn: Turn) -> None:
    """撤诉: the caller of a receipt takes it back. The case goes on while another report remains, or while it is not safe."""
    change, case = turn.change, turn.change.case
    target = case_step(case.state, "retract").target
    receipt = turn.needs("receipt_no")
    if not await turn.connection.fetchval(SQL.receipt_of_case, case.id, receipt):
        raise BadInput(field="receipt_no", problem="is no report of this case")
    await turn.connection.execute(SQL.withdraw_person, case.id, receipt, turn.at)
    turn.say("note")
    others = await turn.connection.fetchval(SQL.remaining, case.id, receipt)
    if others or case.safety or case.kind in ("patrol", "sensor"):
        change.event("caller_withdrew", turn.at, turn.by.name, receipt_no=receipt, others=others, safety=case.safety)
        return
    dangers.guard(change)
    lead = change.lead
    end(change, target, turn.at)
    change.event("retracted", turn.at, turn.by.name, receipt_no=receipt)
    if lead is not None:
        change.post(lead.unit, ("handler", "unit_head"), "retracted")


async def expunge(turn: Turn) -> None:
    """涉密: every word of the case goes with its key, those just written too; that it was there stays on record."""
    change = turn.change
    target = case_step(change.case.state, "expunge").target
    end(change, target, turn.at, ending=SECRET)
    await turn.connection.execute(SQL.destroy_key, change.case.id)
    await turn.connection.execute(SQL.destroy_signature, change.case.id)
    change.event("expunged", turn.at, turn.by.name, ending=SECRET)


ACTIONS = {
    "call": Action("case.call", False, call, looks=False),
    "retract": Action("case.desk", False, retract),
    "expunge": Action("case.expunge", False, expunge),
}
