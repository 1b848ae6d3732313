"""Joining cases (并案): the reports of one go to another, whose number leads on; a supervisor can take it back.

The merged case keeps its number and its record. If it was due earlier, the other keeps that instant beside its own limit.
"""

from collections.abc import Sequence
from datetime import datetime

from dispatch.casework import clocks, closing
from dispatch.casework.actions import Action, Turn
from dispatch.casework.bodies import ActionBody
from dispatch.casework.columns import DEADLINE_COLUMNS, clocked
from dispatch.casework.leading import at_desk
from dispatch.casework.moving import SQL, lock, move, receipts_of
from dispatch.domain.cases import Change, Deadline
from dispatch.domain.errors import NotFound, RuleBroken
from dispatch.domain.workflow import case_step
from dispatch.intake.open import view
from dispatch.store.pool import Connection


async def merge(turn: Turn) -> None:
    """并案: this case's reports go to `other`; its tasks and clocks end."""
    case_step(turn.change.case.state, "merge")
    turn.needs("note")
    target = _other(turn)
    turn.say("reason")
    await into(turn, turn.change, target)


async def into(turn: Turn, source: Change, target: Change) -> None:
    """Merges one held case into another. Raises RuleBroken where they cannot be one."""
    state = case_step(source.case.state, "merge").target
    fits(source, target)
    at = max(turn.at, target.instant(turn.now))
    receipts = await receipts_of(turn, source)
    due = min((d.due_at for d in source.live(*clocks.CASE_CLOCKS)), default=None)
    closing.end(source, state, at, elsewhere=True)
    source.case.merged_into = target.case.id
    source.case.lead_assignment_id = None
    await move(turn, source, target, receipts)
    await turn.connection.execute(SQL.keep_move, "merge", source.case.id, target.case.id, receipts, turn.by.name, at)
    source.event("merged", at, turn.by.name, into=target.case.case_no, receipts=receipts)
    target.event(
        "merged_in", at, turn.by.name, merged=source.case.case_no, receipts=receipts, people=target.case.people
    )
    _tell(target, "merged_in")
    for clock in target.live(*clocks.CASE_CLOCKS):
        if due is not None:
            before = clock.due_at
            clocks.within(turn.opened_under, target.case, clock, due, at, source.case.case_no)
            _recomputed(turn, target, clock, before)
    await decided(turn, source, target, "same")


async def unmerge(turn: Turn) -> None:
    """A merged case gets back those of its reports that were not moved on since; its case clock goes on from its own start."""
    change, case, at = turn.change, turn.change.case, turn.at
    state = case_step(case.state, "unmerge").target
    turn.needs("note")
    last = await turn.connection.fetchrow(SQL.last_merge, case.id)
    target = turn.others.get(last["to_case"]) if last else None
    if last is None or target is None:
        raise RuleBroken(problem="there is no merge to take back")
    there = await receipts_of(turn, target)
    back = [r for r in there if r in set(last["receipts"])]
    if not back or (len(back) == len(there) and target.case.is_open):
        raise RuleBroken(problem="its reports have gone on, or are all that the other case has")
    turn.say("reason")
    at = max(at, target.instant(turn.now))
    case.state, case.merged_into, case.settled_at, case.lead_assignment_id = state, None, None, None
    case.version += 1
    await move(turn, target, change, back)
    await turn.connection.execute(SQL.undo_move, last["id"], turn.by.name, at)
    changed = await _revive(turn)
    at_desk(change, turn.city)
    again = clocks.start(
        turn.opened_under, case, "dispatch", unit=turn.city.desk.dispatch, at=at, round=turn.next_round("dispatch")
    )
    change.deadlines.append(again)
    change.event("unmerged", at, turn.by.name, from_case=target.case.case_no, receipts=back, deadlines=[view(again)])
    for clock, before in changed:
        clocks.recomputed(change, clock, before, turn.by.name, at)
    target.event("merge_undone", at, turn.by.name, restored=case.case_no, receipts=back, people=target.case.people)
    _tell(target, "merge_undone")
    for clock in target.live(*clocks.CASE_CLOCKS):
        before = clock.due_at
        clocks.released(turn.opened_under, target.case, clock, case.case_no)
        _recomputed(turn, target, clock, before)


async def dismiss(turn: Turn) -> None:
    """A suggested pair is two matters. Raises NotFound where nothing of the kind was suggested."""
    case_step(turn.change.case.state, "dismiss")
    other = _other(turn)
    if not await decided(turn, turn.change, other, "different"):
        raise NotFound(noun="suggestion", key=other.case.case_no)
    turn.say("reason")
    turn.change.event("dismissed", turn.at, turn.by.name, other=other.case.case_no)


def fits(source: Change, target: Change) -> None:
    """Whether reports of one may belong to the other. Raises RuleBroken naming `other`."""
    if source.case.restricted != target.case.restricted:
        raise RuleBroken(problem="a restricted case and an ordinary one are never one", field="other")
    if source.case.about_unit != target.case.about_unit:
        raise RuleBroken(problem="the cases complain about different units", field="other")
    if not target.case.is_open:
        raise RuleBroken(problem="the other case is not open", field="other")


async def decided(turn: Turn, one: Change, other: Change, decision: str) -> bool:
    """Keeps what a person said of a suggested pair, and learns from it; False if none was suggested."""
    rows = await turn.connection.fetch(SQL.decide_link, one.case.id, other.case.id, decision, turn.by.name, turn.at)
    if rows:
        kinds = one.case.category or "none", other.case.category or "none"
        await turn.connection.execute(SQL.learn, *kinds, int(decision == "same"), int(decision == "different"))
    return bool(rows)


async def _revive(turn: Turn) -> list[tuple[Deadline, datetime]]:
    """The case clock of the round runs on from its own start; those whose due instant is another one now."""
    changed = []
    for row in await turn.connection.fetch(SQL.case_clocks, turn.change.case.id):
        clock = Deadline(**{name: row[name] for name in DEADLINE_COLUMNS}, id=row["id"])
        clock.written = clocked(clock)
        before, clock.stopped_at = clock.due_at, None
        clock.status = "running" if clock.status in ("met", "cancelled") else clock.status
        clocks.recount(turn.opened_under, turn.change.case, clock)
        if not clock.historic:
            clock.next_at = clocks.planned_at(clock)
        turn.change.deadlines.append(clock)
        if clock.due_at != before:
            changed.append((clock, before))
    return changed


def _recomputed(turn: Turn, change: Change, clock: Deadline, before: datetime) -> None:
    if clock.due_at != before:
        clocks.recomputed(change, clock, before, turn.by.name, change.instant(turn.now))


def _tell(change: Change, topic: str) -> None:
    if change.lead is not None:
        change.post(change.lead.unit, ("handler", "unit_head"), topic)


def _other(turn: Turn) -> Change:
    number = turn.needs("other")
    if number == turn.change.case.case_no:
        raise RuleBroken(problem="a case is not merged into itself", field="other")
    for other in turn.others.values():
        if other.case.case_no == number:
            return other
    raise NotFound(noun="case", key=number)


async def _named(connection: Connection, case_id: int, body: ActionBody) -> Sequence[int]:
    other = await connection.fetchval(SQL.case_by_number, body.other) if body.other else None
    return [other] if other is not None and other != case_id else []


async def _named_and_locked(connection: Connection, case_id: int, body: ActionBody) -> Sequence[int]:
    others = await _named(connection, case_id, body)
    await lock(connection, [case_id, *others])
    return others


async def _merged_into(connection: Connection, case_id: int, body: ActionBody) -> Sequence[int]:
    last = await connection.fetchrow(SQL.last_merge, case_id)
    if last is None:
        return []
    await lock(connection, [last["to_case"]])
    return [last["to_case"]]


ACTIONS = {
    "merge": Action("case.merge", False, merge, _named_and_locked),
    "unmerge": Action("case.restore", False, unmerge, _merged_into),
    "dismiss": Action("case.merge", False, dismiss, _named),
}
