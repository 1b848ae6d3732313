"""Talk about a case (对话): notes among those who work on it, progress and questions for the citizen.

| action | kind     | who                               | who reads it                         | what follows                              |
|--------|----------|-----------------------------------|--------------------------------------|-------------------------------------------|
| `note` |          | whoever works on the case         | they alone, never the citizen        | nothing                                   |
| `tell` | progress | the lead's unit, or the desk      | the citizens, or the one of a receipt | nothing                                   |
| `tell` | question | the same                          | the same                             | what they add next answers it; see below  |

No clock starts or stops with any of it: a question while a unit works is not the question of the desk (`ask`). A question is
open until somebody to whom it was put adds something; the record then says which questions that answered, and the handler who has
the task is told.
"""

from typing import Any, Final

import msgspec

from dispatch.casework.actions import Action, Turn
from dispatch.domain.cases import Case, Change, Words
from dispatch.domain.errors import BadInput, NotFound
from dispatch.domain.workflow import case_step
from dispatch.store.pool import Connection
from dispatch.store.statements import load

SQL = load(__file__, "dialogue")
# Who speaks to the citizen whoever leads.
DESK = frozenset({"operator", "dispatcher"})
QUESTION: Final = "question"


def note(turn: Turn) -> None:
    """内部备注: stays among those who work on the case."""
    case_step(turn.change.case.state, "note")
    turn.needs("note")
    turn.say("note")
    turn.change.event("noted", turn.at, turn.by.name, unit=turn.by.unit, text=turn.change.words[-1].id)


async def tell(turn: Turn) -> None:
    """进展、提问: words for the citizens of the case, or for the one of a receipt."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "tell")
    _check_speaker(turn)
    if body.kind not in ("progress", QUESTION):
        raise BadInput(field="kind", problem="is required for this action: progress or question")
    told, receipt = turn.needs("told"), body.receipt_no
    if receipt and not await turn.connection.fetchval(SQL.receipt_of_case, change.case.id, receipt):
        raise BadInput(field="receipt_no", problem="is no report of this case")
    to = {"receipt_no": receipt} if receipt else {"to": "everybody"}
    text = turn.ids.take("text")
    change.words.append(Words(text, str(body.kind), turn.by.name, {"text": told, **to}))
    named = {"receipt_no": receipt} if receipt else {}
    change.event("told", turn.at, turn.by.name, kind=body.kind, unit=turn.by.unit, text=text, **named)


def _check_speaker(turn: Turn) -> None:
    """Raises NotFound for somebody of a unit that only helps: the citizen hears one voice."""
    lead, units = turn.change.lead, turn.city.units
    over = units.subtree(turn.by.unit) if turn.by.unit in units else frozenset[str]()
    if turn.by.roles.isdisjoint(DESK) and (lead is None or lead.unit not in over):
        raise NotFound(noun="lead", key="of your unit")


async def open_questions(connection: Connection, case: Case, receipt_no: str) -> list[int]:
    """The texts of questions that were put to the caller of a receipt and that nothing has answered yet."""
    waiting: dict[int, str | None] = {}
    for line in await connection.fetch(SQL.asked_and_added, case.opened_month, case.id):
        data: dict[str, Any] = msgspec.json.decode(line["body"])
        if line["type"] == "supplemented":
            for text in data.get("answers", ()):
                waiting.pop(text, None)
        elif data.get("kind") == QUESTION:
            waiting[data["text"]] = data.get("receipt_no")
    return [text for text, to in waiting.items() if to in (None, receipt_no)]


def hear(change: Change, questions: list[int]) -> None:
    """The lead hears that something was added; of an answer whoever has the task hears in person."""
    lead = change.lead
    if lead is None or not change.case.is_open:
        return
    if questions and lead.handler:
        change.post(f"account:{lead.handler}", (), "question_answered", questions=len(questions))
    change.post(lead.unit, ("handler",), "question_answered" if questions else "supplement")


ACTIONS = {
    "note": Action("case.note", False, note, looks=False),
    "tell": Action("case.tell", False, tell, looks=False),
}
