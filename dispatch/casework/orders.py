"""Orders (督办单): an instruction about a case to one unit, with a colour, a limit of its own, and an answer that somebody accepts.

    order ── `unread` until somebody of the unit opens it ── `order` of the unit ── answer_order ── `order` of who decides ── decide_order
                                                                 ▲                                                              │
                                                                 └──────── sent back: a new round with its own limit ───────────┘

| who                                   | may issue, raise, decide on                                     |
|---------------------------------------|-----------------------------------------------------------------|
| supervisor, commander of the city     | every colour and kind                                           |
| supervisor, commander below it        | blue and orange; 挂牌 (listed) not                               |
| anybody about their own unit          | nothing: nobody orders, or decides on, the unit they sit in      |

No end of the case ends an order: it is answered under the number it was given for, closed or merged. An order that needs no answer is
done once it was opened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from dispatch.casework import clocks
from dispatch.casework.actions import Action, Turn
from dispatch.city.model import City
from dispatch.domain.cases import Change, Escalation
from dispatch.domain.errors import BadInput, NotFound, NotPermitted, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.intake.route import excluded_units
from dispatch.people.principal import Principal
from dispatch.people.rosters import IN_UNIT
from dispatch.people.scope import CITY_LEVEL
from dispatch.store.pool import Connection
from dispatch.store.statements import load
from sla.ladder import ORDERING
from sla.limits import Limit

SQL = load(__file__, "orders")
CLOCK: Final = "order"
UNREAD: Final = "unread"
KINDS: Final = ("supervise", "listed", "instruction")
# Whoever answers for the unit and whoever does its work.
ADDRESSEES: Final = (*IN_UNIT["unit_head"], *IN_UNIT["owner"])


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is issued: by whom and from which unit, to which unit; `post` is whose instruction it is (领导批示).

    `limit` is one that a person named; `level` the level of a ladder that issues it; `said` the text of the instruction.
    """

    kind: str
    colour: str
    unit: str
    by: str
    by_unit: str
    needs_reply: bool = True
    limit: Limit | None = None
    post: str | None = None
    level: Escalation | None = None
    said: int | None = None


async def order(turn: Turn) -> None:
    """督办、挂牌、领导批示. Raises BadInput for what is not said, RuleBroken for a unit that cannot be ordered."""
    change, body = turn.change, turn.body
    case_step(change.case.state, "order")
    kind, colour = turn.needs("kind"), turn.needs("colour")
    if kind not in KINDS:
        raise BadInput(field="kind", problem=f"not one of {', '.join(KINDS)}")
    turn.needs("note")
    authorised(turn.by, turn.city, kind, colour)
    unit = _ordered_unit(turn)
    post = _post(turn, kind)
    issued_from = turn.by.unit if turn.by.unit in turn.city.units else turn.city.desk.dispatch
    needs_reply = body.needs_reply is not False
    new = Order(
        kind, colour, unit, turn.by.name, issued_from, needs_reply, clocks.named_limit(body.limit), post, said=turn.say("note")
    )  # fmt: skip
    turn.told["order"] = await issue(turn.connection, change, turn.opened_under, new, turn.at, turn.next_round)


async def issue(
    connection: Connection, change: Change, city: City, new: Order, at: datetime, next_round: Callable[[str], int]
) -> int:
    """Writes an order with its clocks, and tells the unit; its id. `city` is the one whose limits apply."""
    case = change.case
    unread = clocks.start(city, case, UNREAD, unit=new.unit, at=at, round=next_round(UNREAD))
    started, due = [unread], None
    if new.needs_reply:
        due = clocks.start(city, case, CLOCK, unit=new.unit, at=at, round=next_round(CLOCK), limit=new.limit)
        started.append(due)
    change.deadlines += started
    fired = new.level
    order_id: int = await connection.fetchval(
        SQL.issue, case.id, new.kind, new.colour, new.unit, new.by, new.by_unit, at, new.post,
        fired.deadline.id if fired else None, fired.level if fired else None, new.said, new.needs_reply,
        due.round if due else None, unread.round,
    )  # fmt: skip
    told: dict[str, Any] = {"order": order_id, "kind": new.kind, "colour": new.colour}
    change.event(
        "ordered", at, new.by, **told, unit=new.unit, post=new.post, needs_reply=new.needs_reply,
        clock=fired.deadline.clock if fired else None, level=fired.level if fired else None,
        deadlines=[view(each) for each in started],
    )  # fmt: skip
    change.post(new.unit, ADDRESSEES, "ordered", **told, due_at=due.due_at if due else None)
    return order_id


async def raise_order(turn: Turn) -> None:
    """From blue to orange to red, while it is not done; its clock goes on."""
    change = turn.change
    case_step(change.case.state, "raise_order")
    colour = turn.needs("colour")
    row = await pick(turn, "open", "answered")
    authorised(turn.by, turn.city, row["kind"], colour)
    not_their_own(turn, row["unit"])
    if ORDERING.index(colour) <= ORDERING.index(row["colour"]):
        raise RuleBroken(problem=f"it is {row['colour']} already, and is never lowered", field="colour")
    await turn.connection.execute(SQL.colour, row["id"], colour)
    turn.say("note")
    change.event(
        "order_raised", turn.at, turn.by.name, order=row["id"], unit=row["unit"], before=row["colour"], colour=colour
    )
    change.post(row["unit"], ADDRESSEES, "order_raised", order=row["id"], colour=colour)
    turn.told["order"] = row["id"]


def authorised(by: Principal, city: City, kind: str, colour: str) -> None:
    """Raises NotPermitted where this kind or colour is the city's, and they are of a district or below."""
    unit = city.units.get(by.unit)
    if (kind == "listed" or colour == "red") and (unit is None or unit.level != CITY_LEVEL):
        raise NotPermitted(permission=f"order.issue {kind} {colour}")


def not_their_own(turn: Turn, unit: str) -> None:
    """Raises RuleBroken for an order to the unit in which they sit, or to one above that."""
    if unit in turn.city.units and turn.by.unit in turn.city.units.subtree(unit):
        raise RuleBroken(problem="nobody orders or decides on the unit they sit in", field="unit")


async def pick(turn: Turn, *states: str, answering: bool = False) -> asyncpg.Record:
    """The order that the body names, or the only one in these states; `answering`: of the principal's unit or one below it.

    Raises NotFound, BadInput where several are meant.
    """
    rows = await turn.connection.fetch(SQL.of_case, turn.change.case.id)
    rows = [row for row in rows if row["state"] in states and row["needs_reply"] >= answering]
    if answering:
        units = turn.city.units.subtree(turn.by.unit) if turn.by.unit in turn.city.units else frozenset()
        rows = [row for row in rows if row["unit"] in units]
    if turn.body.order is not None:
        rows = [row for row in rows if row["id"] == turn.body.order]
    if not rows:
        raise NotFound(noun="order", key=str(turn.body.order or "that waits for this"))
    if len(rows) > 1:
        raise BadInput(field="order", problem=f"is required: several wait, {', '.join(str(row['id']) for row in rows)}")
    return rows[0]


def _ordered_unit(turn: Turn) -> str:
    """The unit that the body names, else the lead's, else the one that owns the case."""
    case, lead, city = turn.change.case, turn.change.lead, turn.city
    unit = turn.body.unit or (lead.unit if lead else case.owner_unit) or city.desk.dispatch
    if unit not in city.units:
        raise BadInput(field="unit", problem=f"{unit} is not a unit of this city")
    if unit in excluded_units(case.about_unit, city):
        raise RuleBroken(problem=f"{unit} is complained about and hears nothing of this case", field="unit")
    if case.restricted and (lead is None or unit != lead.unit):
        raise RuleBroken(problem="of a restricted case only the unit that leads it may read", field="unit")
    not_their_own(turn, unit)
    return unit


def _post(turn: Turn, kind: str) -> str | None:
    """Whose instruction it is: one of the city's posts, never a name."""
    known = turn.city.casework.posts
    if (kind == "instruction") != (turn.body.post is not None):
        raise BadInput(field="post", problem="is for an instruction (领导批示), which needs it")
    if turn.body.post is not None and turn.body.post not in known:
        raise BadInput(field="post", problem=f"is none of the city's posts: {', '.join(known)}")
    return turn.body.post


ACTIONS = {
    "order": Action("order.issue", False, order),
    "raise_order": Action("order.issue", False, raise_order, looks=False),
}
