"""Work in people's hands: one's own, and that of somebody who goes."""

from msgspec import Struct

from dispatch.api.call import Call, Reply, Route
from dispatch.api.cases import Limit, Page
from dispatch.api.desk_calls import Period, sound
from dispatch.casework.handover import HandedOver, Handover, hand_over
from dispatch.insight import tasks

V1 = "/api/v1"


class DryRun(Struct, frozen=True, forbid_unknown_fields=True):
    """With `dry_run` nothing changes hands."""

    dry_run: bool = False


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """How many."""

    limit: Limit = 50


async def handover(call: Call[Handover, DryRun]) -> Reply:
    by, services = call.actor, call.services
    done = await hand_over(services.workplace, call.params["username"], call.body.to, by, dry_run=call.query.dry_run)
    services.changed()
    return Reply(done)


async def mine(call: Call[None, Listing]) -> Reply:
    return Reply(Page(await tasks.mine(call.services.workplace, call.actor, call.query.limit)))


async def whistles(call: Call[None, Period]) -> Reply:
    since, until = sound(call.query)
    return Reply(Page(await tasks.whistles(call.services.workplace, since, until)))


ROUTES = [
    Route(
        "POST", f"{V1}/accounts/{{username}}/handover", handover, "Give all open work of a person to another 工作移交",
        "task.handover", query=DryRun, body=Handover, answer=HandedOver,
    ),
    Route("GET", f"{V1}/tasks/mine", mine, "One's own tasks, and those of whom one stands in for 我的任务", "queue.read", query=Listing, answer=Page),
    Route("GET", f"{V1}/stats/whistles", whistles, "Calls of streets, and who came in time 吹哨报到", "stats.read", query=Period, answer=Page),
]  # fmt: skip
