"""A written reminder (催办) of whoever has the next move, which nobody gets twice for one thing.

| the case is                            | who is reminded                                                   |
|----------------------------------------|-------------------------------------------------------------------|
| at its unit, or suspended              | the person who has the lead's task, else its handlers; its head   |
| not taken up, or waiting for facts     | operators and dispatchers of the desk that owns it                |
| waiting for a dispatcher's decision    | dispatchers of the desk                                           |
| waiting for a ruling                   | the supervisors                                                   |
| waiting for approval, for a follow-up  | reviewers, followers-up of the desk                               |

Inside the window `remind` (时限规则) further ones are accepted and counted, whoever sends them, and not sent again. When the next move
is somebody else's, a reminder is a first one again.
"""

from typing import Final

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.domain.workflow import case_step
from dispatch.people.rosters import EVERYWHERE
from dispatch.store.statements import load

SQL = load(__file__, "urging")
DESKS: Final[dict[str, tuple[str, ...]]] = {
    "received": ("operator", "dispatcher"),
    "need_info": ("operator", "dispatcher"),
    "triage": ("dispatcher",),
    "verifying": ("dispatcher",),
    "consulting": ("dispatcher",),
    "returned": ("dispatcher",),
    "review": ("reviewer",),
    "followup": ("followup",),
}


async def urge(turn: Turn) -> None:
    """催办: told once a window, counted every time."""
    change, case, at = turn.change, turn.change.case, turn.at
    case_step(case.state, "urge")
    posts = _posts(turn)
    unit, post = case.owner_unit or turn.city.desk.dispatch, posts[-1][1][0]
    nth = 1 + await turn.connection.fetchval(SQL.count, case.id)
    first = await turn.connection.fetchrow(SQL.last_told, case.id, unit, post)
    again = first is not None and at < clocks.window(turn.opened_under, case, "remind", unit, first["urged_at"])
    merged = first["nth"] if first is not None and again else None
    await turn.connection.execute(SQL.urge, case.id, nth, unit, post, turn.by.name, at, merged)
    turn.say("note")
    change.event("urged", at, turn.by.name, unit=unit, post=post, nth=nth, merged_into=merged)
    turn.told["merged_into_previous"] = again
    if not again:
        most = turn.city.casework.reminders_per_hour if case.urgency == "ordinary" else None
        for where, roles in posts:
            change.post(where, roles, "urged", most=most, nth=nth, by_unit=turn.by.unit)


def _posts(turn: Turn) -> list[tuple[str, tuple[str, ...]]]:
    """Whom a reminder reaches, as units with roles; the last one names the post."""
    case, lead = turn.change.case, turn.change.lead
    desk = case.owner_unit or turn.city.desk.dispatch
    if case.state in DESKS:
        return [(desk, DESKS[case.state])]
    if case.state == "ruling" or lead is None:
        return [(EVERYWHERE, ("supervisor",))]
    worker = (f"account:{lead.handler}", ()) if lead.handler else (lead.unit, ("handler",))
    return [worker, (lead.unit, ("unit_head",))]


ACTIONS = {"urge": Action("case.urge", False, urge, looks=False)}
