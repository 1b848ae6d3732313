"""The citizen's page: what became of a report, more words about it, and how content they are with the result."""

from typing import Any

from dispatch.api.call import Call, Reply, Route
from dispatch.casework import evaluations, supplements
from dispatch.casework.evaluations import Evaluated, Evaluation
from dispatch.casework.supplements import Supplement
from dispatch.domain.errors import NotFound
from dispatch.insight import reports, tracking
from dispatch.insight.tracking import Tracked

HEADER = "X-Track-Code"


async def track(call: Call[None, None]) -> Reply:
    receipt_no = _tracked(call)
    standing = await reports.by_receipt(call.services.pool, receipt_no)
    if standing is None:
        raise NotFound(noun="report", key=receipt_no)
    return Reply(await tracking.tracked(call.services.workplace, standing))


async def supplement(call: Call[Supplement, None]) -> Reply:
    receipt_no = _tracked(call)
    await supplements.add(call.services.workplace, receipt_no, call.body, "citizen")
    call.services.changed()
    return Reply({"receipt_no": receipt_no}, 201)


async def evaluate(call: Call[Evaluation, None]) -> Reply:
    evaluated = await evaluations.evaluate(call.services.workplace, _tracked(call), call.body)
    call.services.changed()
    return Reply(evaluated, 201)


def _tracked(call: Call[Any, Any]) -> str:
    """The receipt of a citizen's request; a wrong code and an unknown receipt look the same."""
    receipt_no, code = call.params["receipt_no"], call.request.headers.get(HEADER, "")
    if not call.services.keyring.track_code_valid(receipt_no, code):
        raise NotFound(noun="report", key=receipt_no)
    return receipt_no


PATH = "/api/v1/track/{receipt_no}"
ROUTES = [
    Route("GET", PATH, track, f"The citizen's view; header {HEADER} 市民查询", None, answer=Tracked, headers=(HEADER,)),
    Route(
        "POST", f"{PATH}/supplements", supplement, "The citizen adds something 市民补充", None, body=Supplement,
        statuses=(201,), headers=(HEADER,),
    ),
    Route(
        "POST", f"{PATH}/evaluation", evaluate, "The citizen evaluates the result 好差评", None, body=Evaluation,
        answer=Evaluated, statuses=(201,), headers=(HEADER,),
    ),
]  # fmt: skip
