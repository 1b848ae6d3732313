"""Attaching a call to a case with one key."""

from dispatch.api.call import Call, Reply, Route
from dispatch.desk.attaching import Attached, Attaching, attach

V1 = "/api/v1"


async def attachment(call: Call[Attaching, None]) -> Reply:
    made, status = await attach(call.services.workplace, call.services.intake, call.body, call.actor)
    return Reply(made, status)


ROUTES = [
    Route(
        "POST", f"{V1}/attachments", attachment, "A call joins a case or a known incident with one key 一键关联",
        "case.desk", body=Attaching, answer=Attached, statuses=(201, 200),
    ),
]  # fmt: skip
