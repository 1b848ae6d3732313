"""Calls on the operator's desk, and the figures of the desk."""

from datetime import datetime

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.desk.calls import DeskAnswer, DeskCall, take
from dispatch.desk.figures import DeskFigures, figures
from dispatch.domain.errors import BadInput

V1 = "/api/v1"


class Period(Struct, frozen=True, forbid_unknown_fields=True):
    """From `since` up to but not at `until`; instants with their offset."""

    since: datetime
    until: datetime


async def desk_call(call: Call[DeskCall, None]) -> Reply:
    answer, status = await take(call.services.workplace, call.services.intake, call.body, call.actor)
    call.services.changed()
    return Reply(answer, status)


async def desk_figures(call: Call[None, Period]) -> Reply:
    since, until = sound(call.query)
    return Reply(await figures(call.services.pool, since, until))


def sound(period: Period) -> tuple[datetime, datetime]:
    """Beginning and end of a period; raises BadInput."""
    for name, moment in (("since", period.since), ("until", period.until)):
        if moment.tzinfo is None or not 1990 <= moment.year <= 2200:
            raise BadInput(field=name, problem="a time between 1990 and 2200, with its offset, is needed")
    if period.until <= period.since:
        raise BadInput(field="until", problem="must come after since")
    return period.since, period.until


ROUTES = [
    Route(
        "POST", f"{V1}/desk/calls", desk_call, "Register a call and do what follows 来电登记", "case.desk",
        body=DeskCall, answer=DeskAnswer, statuses=(201, 200),
    ),
    Route(
        "GET", f"{V1}/stats/desk", desk_figures, "Direct answers, and refusals taken back 直接答复率", "stats.read",
        query=Period, answer=DeskFigures,
    ),
]  # fmt: skip
