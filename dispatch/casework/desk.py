"""The operator's desk (受理): what becomes of a call before a unit has it, decided by a person and taken back by one.

| action      | what it says                                                                                     |
|-------------|--------------------------------------------------------------------------------------------------|
| `accept`    | a unit must look at it: to its unit by the duty book where that is clear, else to the dispatch desk  |
| `ask`       | something is missing; the caller is asked, with a limit                                            |
| `send_back` | the dispatch desk gives it back to who took the call, every field kept                              |
| `answer`    | answered while the call lasts (即时答复), out of the knowledge base or in the operator's own words      |
| `end`       | the call has no matter: silent, misdialled, praise …                                              |
| `reject`    | nobody's business here (不予受理): reason, legal basis, what the citizen is told                        |
| `refer`     | somebody else's business: 110, a court …                                                          |
| `restore`   | a supervisor takes an ending back; the case clock runs on from intake                              |

Why a matter ends without a unit stands in the city's table of endings. While a danger waits for its call none of it is possible.
"""

from typing import Final

from dispatch.casework import clocks, dangers, record
from dispatch.casework.actions import Action, Turn
from dispatch.casework.closing import end as finish
from dispatch.casework.leading import at_desk, give, owned_by
from dispatch.city.endings import Ending
from dispatch.domain.cases import Words
from dispatch.domain.errors import BadInput, NotPermitted, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.intake.route import Route, by_book, excluded_units
from dispatch.store.statements import load

SQL = load(__file__, "desk")
# The caller was asked and could not be reached: only once the limit for it is over.
NO_CONTACT: Final = "no_contact"


def accept(turn: Turn) -> None:
    """受理: from here on a unit must act. It is given to the one the duty book names, or waits for a dispatcher."""
    change, case = turn.change, turn.change.case
    case.state = case_step(case.state, "accept").target
    case.version += 1
    for clock in change.live("need_info"):
        clock.stop(turn.at)
    turn.say("note")
    at_desk(change, turn.city)
    change.event("accepted", turn.at, turn.by.name)
    routed = _by_duty_book(turn)
    if routed is not None and routed.lead is not None:
        case_step(case.state, "dispatch")
        give(turn, routed)
    else:
        change.post(case.owner_unit or turn.city.desk.dispatch, ("dispatcher",), "accepted")


def _by_duty_book(turn: Turn) -> Route | None:
    """Whose it is by the book; None where a person must say."""
    case, city = turn.change.case, turn.city
    category = city.categories.get(case.category, case.category_table) if case.category else None
    if category is None or not city.automatic.route:
        return None
    areas = city.map.areas.path(case.area) if case.area and case.area in city.map.areas else ()
    if category.routes == "by_place" and not areas:
        return None
    returned = {task.unit for task in turn.change.assignments if task.state == "returned"}
    at = () if category.routes == "city_wide" else areas
    return by_book(category, at, city, turn.at, excluded_units(case.about_unit, city) | returned)


def ask(turn: Turn) -> None:
    """待补充: says what is missing; the clock of the question runs beside all others."""
    change, case, city = turn.change, turn.change.case, turn.city
    target = case_step(case.state, "ask").target
    turn.needs("note")
    if turn.rounds.get("need_info", 0) >= city.casework.max_asks:
        raise RuleBroken(problem=f"the caller was asked {city.casework.max_asks} times already", field="note")
    turn.say("reason")
    case.state = target
    case.version += 1
    owned_by(change, city.desk.hotline)
    asked = clocks.start(
        turn.opened_under, case, "need_info", unit=city.desk.hotline, at=turn.at, round=turn.next_round("need_info")
    )
    change.deadlines.append(asked)
    change.event("asked", turn.at, turn.by.name, owner=case.owner_unit, deadlines=[view(asked)])
    change.post(city.desk.hotline, ("operator",), "asked")


def send_back(turn: Turn) -> None:
    """The dispatch desk cannot send it anywhere as it was taken: back to the operators, with the reason."""
    change, case = turn.change, turn.change.case
    target = case_step(case.state, "send_back").target
    turn.needs("note")
    turn.say("reason")
    case.state = target
    case.version += 1
    owned_by(change, turn.city.desk.hotline)
    change.event("sent_back", turn.at, turn.by.name, owner=case.owner_unit)
    change.post(turn.city.desk.hotline, ("operator",), "sent_back")


async def answer(turn: Turn) -> None:
    """即时答复: with an article and the version that was read out, or with the words that were told."""
    change = turn.change
    target = case_step(change.case.state, "answer").target
    dangers.guard(change)
    body = turn.body
    if not body.told and body.article is None:
        raise BadInput(field="told", problem="name the article that was read out, or the words that were told")
    cited = {}
    if body.article is not None:
        version = body.article_version
        if version is None or not await turn.connection.fetchval(SQL.article_exists, body.article, version):
            raise BadInput(field="article_version", problem="there is no such version of this article")
        cited = {"article": body.article, "article_version": version}
    tell(turn, body.told)
    finish(change, target, turn.at)
    change.event("answered", turn.at, turn.by.name, **cited)
    if cited:
        seq = change.case.seq + len(change.events)
        await turn.connection.execute(SQL.cite, change.case.id, seq, body.article, body.article_version)


def end(turn: Turn) -> None:
    """One key for a call without a matter."""
    _finish(turn, "end", "ended")


def reject(turn: Turn) -> None:
    """不予受理: a person decides, and names why; the citizen hears it in the city's words unless others were told."""
    if turn.city.casework.rejecters and turn.by.roles.isdisjoint(turn.city.casework.rejecters):
        raise NotPermitted(permission="case.desk", problem="this city lets other roles refuse a matter")
    asked = [clock for clock in turn.change.live("need_info") if clock.due_at > turn.at]
    if turn.body.reason_code == NO_CONTACT and (turn.change.case.state != "need_info" or asked):
        raise RuleBroken(
            problem="the caller is not out of reach before the limit of the question is over", field="reason_code"
        )
    _finish(turn, "reject", "rejected")


def refer(turn: Turn) -> None:
    """转其他渠道: the caller is put through, or told which way is open to them."""
    _finish(turn, "refer", "referred")


def _finish(turn: Turn, action: str, event: str) -> None:
    change = turn.change
    target = case_step(change.case.state, action).target
    dangers.guard(change)
    ending = _ending(turn, action)
    tell(turn, turn.body.told or ending.told)
    turn.say("note")
    finish(change, target, turn.at, ending=ending.code)
    change.event(event, turn.at, turn.by.name, ending=ending.code, basis=ending.basis)


def _ending(turn: Turn, action: str) -> Ending:
    code = turn.needs("reason_code")
    ending = turn.city.endings.get(code)
    if ending is None or ending.action != action:
        known = ", ".join(sorted(each.code for each in turn.city.endings.values() if each.action == action))
        raise BadInput(field="reason_code", problem=f"not one of {known}")
    return ending


def tell(turn: Turn, told: str | None) -> None:
    """Keeps what the citizen was told, in the words they heard."""
    if told:
        document = {"text": told}
        turn.change.words.append(Words(turn.ids.take("text"), "told", turn.by.name, document))


async def restore(turn: Turn) -> None:
    """Takes an ending back: the matter waits for a dispatcher, and its case clock runs as if it had never stopped."""
    change, case, city = turn.change, turn.change.case, turn.city
    before = case.state
    target = case_step(before, "restore").target
    turn.needs("note")
    turn.say("reason")
    case.state = target
    case.version += 1
    case.ending = case.settled_at = case.lead_assignment_id = None
    await record.revive(turn.connection, change, clocks.CASE_CLOCKS)
    at_desk(change, city)
    again = clocks.start(
        turn.opened_under, case, "dispatch", unit=city.desk.dispatch, at=turn.at, round=turn.next_round("dispatch")
    )
    change.deadlines.append(again)
    change.event("restored", turn.at, turn.by.name, before=before, owner=case.owner_unit, deadlines=[view(again)])
    change.post(city.desk.dispatch, ("dispatcher",), "restored")


ACTIONS = {
    "accept": Action("case.desk", False, accept),
    "ask": Action("case.desk", False, ask),
    "send_back": Action("case.dispatch", False, send_back),
    "answer": Action("case.desk", False, answer),
    "end": Action("case.desk", False, end),
    "reject": Action("case.desk", False, reject),
    "refer": Action("case.desk", False, refer),
    "restore": Action("case.restore", False, restore),
}
