"""A call on the operator's desk: registered, and the one thing done that follows, in one request.

The report is taken in first and held at the desk; then the action is carried out under a key made of its receipt. So a
request that is sent again after a crash in between does each of the two once.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from dispatch.casework.actions import Workplace, act
from dispatch.casework.bodies import ActionAnswer, ActionBody
from dispatch.casework.registry import ACTIONS
from dispatch.city.model import City
from dispatch.domain.errors import BadInput
from dispatch.domain.reports import Answer, Report
from dispatch.intake.directive import Directive
from dispatch.intake.intake import Intake
from dispatch.people.principal import Principal

# What can follow a call that was just registered.
FOLLOWING = ("accept", "answer", "ask", "call", "end", "refer", "reject")
SECRET = "secret"


class DeskCall(Struct, frozen=True, forbid_unknown_fields=True):
    """A call, and what follows; without an action it stays on the desk."""

    report: Report
    action: Annotated[str, Meta(max_length=20)] | None = None
    body: ActionBody = ActionBody()


class DeskAnswer(Struct, frozen=True):
    """What the caller is told, and where the case stands after the action."""

    report: Answer
    result: ActionAnswer | None


async def take(at: Workplace, intake: Intake, call: DeskCall, by: Principal) -> tuple[DeskAnswer, int]:
    """Registers the call and carries its action out; 201, or 200 for the same call again.

    Raises BadInput, and what `Intake.submit` and `actions.act` raise.
    """
    by.require("report.submit")
    if call.action is not None and call.action not in FOLLOWING:
        raise BadInput(field="action", problem=f"not one of {', '.join(FOLLOWING)}")
    if call.action is None and call.body != ActionBody():
        raise BadInput(field="body", problem="says something and no action is named")
    received = await intake.submit(_worded(call, at.cities.current), by, Directive(hold=True))
    answer = msgspec.json.decode(received.answer, type=Answer)
    if call.action is None or answer.case_no is None:
        return DeskAnswer(answer, None), received.status
    # Nobody but this request knows the case yet: it is as it was opened, or the action was carried out before.
    _, done = await act(
        at,
        call.action,
        ACTIONS[call.action],
        answer.case_no,
        call.body,
        by,
        if_match="1",
        key=f"desk {answer.receipt_no}",
    )
    return DeskAnswer(answer, msgspec.json.decode(done, type=ActionAnswer)), received.status


def _worded(call: DeskCall, city: City) -> Report:
    """The report as it is kept: one key stands for the words of a call without a matter, and of a secret nothing is kept."""
    report, ending = call.report, city.endings.get(call.body.reason_code or "")
    if call.action == "reject" and call.body.reason_code == SECRET:
        return Report(report.channel, report.external_id, kind=report.kind, text=ending.name if ending else SECRET)
    if call.action == "end" and ending is not None and not (report.text or report.category):
        return msgspec.structs.replace(report, text=ending.name)
    return report
