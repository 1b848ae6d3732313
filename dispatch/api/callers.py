"""Looking a caller up while the telephone rings."""

from dispatch.api.call import Call, Reply, Route
from dispatch.desk.callers import Known, Looking, look_up

V1 = "/api/v1"


async def lookup(call: Call[Looking, None]) -> Reply:
    return Reply(await look_up(call.services.workplace, call.body, call.actor))


ROUTES = [
    Route(
        "POST", f"{V1}/callers/lookup", lookup, "Who is calling, masked; history with the right name; logged 来电识别",
        "caller.lookup", body=Looking, answer=Known,
    ),
]  # fmt: skip
