"""Looking at a caller's number (查看号码): one number, by who has to reach that caller, for a purpose, on record before it is shown.

Only people of the unit that leads see one, while they handle the case; what was said in confidence only a named reader. A case that
complains about their unit they do not see at all, and a restricted one is its head's and the named readers'. The number stands in
the answer and nowhere else: a repeated `Idempotency-Key` brings the answer without it. Who looks more often within an hour than the
city expects (`casework.max_reveals`) is not stopped, for a burst main makes many calls, but an alarm says so.
"""

from typing import Final

import asyncpg
import structlog

from dispatch.casework.actions import Action, Turn
from dispatch.casework.bodies import ShownCaller
from dispatch.casework.dialogue import SQL as DIALOGUE
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.people import vault
from dispatch.people.keyring import Sealed
from dispatch.store.access import log_access
from dispatch.store.statements import load

SQL = load(__file__, "revealing")
log = structlog.get_logger()
LOOK: Final = "caller.reveal"
NAMED_READER: Final = "restricted.read"


async def reveal(turn: Turn) -> None:
    """Shows the number of one caller: of `receipt_no`, else of the first who left one."""
    change, task, by = turn.change, turn.task, turn.by
    case_step(change.case.state, "reveal")
    if task is None or task.id != change.case.lead_assignment_id or task.unit != by.unit:
        raise NotFound(noun="lead", key="of your unit")
    purpose = turn.body.purpose
    if purpose is None:
        raise BadInput(field="purpose", problem="is required for this action: contact, site_visit or verify")
    caller = await _number(turn)
    await log_access(turn.connection, turn.now, by.name, LOOK, f"{change.case.case_no}/{caller.receipt_no}", purpose)
    change.event("revealed", turn.at, by.name, assignment=task.id, purpose=purpose, receipt=caller.receipt_no)
    turn.shown = caller
    await _watch(turn)


async def _number(turn: Turn) -> ShownCaller:
    """Whose number it is, and the number. Raises BadInput, NotPermitted for what was said in confidence, RuleBroken where there is no number."""
    case, named = turn.change.case, turn.body.receipt_no
    if named and not await turn.connection.fetchval(DIALOGUE.receipt_of_case, case.id, named):
        raise BadInput(field="receipt_no", problem="is no report of this case")
    rows = await turn.connection.fetch(SQL.callers, case.id, named)
    open_to = [row for row in rows if not row["confidential"] or turn.by.may(NAMED_READER)]
    if rows and not open_to:
        raise NotPermitted(permission=NAMED_READER, problem="it was said in confidence")
    for row in open_to:
        if phone := _phone(turn, row):
            return ShownCaller(row["receipt_no"], phone)
    raise RuleBroken(problem="no caller left a number, or it was taken back", field="receipt_no")


def _phone(turn: Turn, row: asyncpg.Record) -> str | None:
    return vault.open_caller(turn.keyring, row["person"], Sealed(row["key_id"], row["nonce"], row["sealed"])).phone


async def _watch(turn: Turn) -> None:
    """Many numbers in one hand within an hour are worth a question (S55)."""
    looks, most = await turn.connection.fetchval(SQL.looks, turn.by.name, turn.now), turn.city.casework.max_reveals
    if looks > most:
        turn.unusual(LOOK)
        log.warning("numbers looked at", actor=turn.by.name, within_the_hour=looks, expected=most)


ACTIONS = {"reveal": Action("case.reveal", True, reveal, looks=False)}
