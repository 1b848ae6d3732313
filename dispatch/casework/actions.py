"""One way for every action of a person: permission, validation, transaction, log.

The case's row is held (with those of other cases that the action names, by id), a repeated Idempotency-Key gets its first
answer, If-Match is compared (the assignment's version for actions of a unit, the case's for those of a desk), the family's
function changes the case, and everything is written at once. Every refusal carries `allowed_actions`: those that the case
permits, or, where the principal may not take the action at all, those that are theirs in some state.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from inspect import isawaitable
from typing import Any, Final

import asyncpg
import msgspec

from dispatch.casework import clocks, evidence, record
from dispatch.casework.bodies import ActionAnswer, ActionBody, ShownCaller
from dispatch.casework.watch import watch
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain import workflow
from dispatch.domain.cases import Assignment, Change, Words
from dispatch.domain.errors import (
    BadInput,
    DispatchError,
    IdempotencyConflict,
    NotFound,
    NotPermitted,
    VersionMissing,
    VersionStale,
)
from dispatch.intake.models import Keeper
from dispatch.people.keyring import Keyring
from dispatch.people.principal import Principal
from dispatch.people.scope import is_complained_about, may_read_restricted, scope_of
from dispatch.store.clock import Clock
from dispatch.store.pool import Connection, Ids, Sequences, one
from dispatch.store.statements import load

SQL = load(__file__, "actions")


# What is known of a case where nobody looked.
UNASKED: Final[Mapping[str, Any]] = {"reachable": False, "rounds": "{}"}


def _nobody_hears(kind: str) -> None:
    """Where nobody watches for unusual looks at personal data."""


@dataclass(slots=True)
class Turn:
    """One action in progress: what it may look at and change.

    Limits are those of the version the case was `opened_under`; `rounds` has the last round of each clock. `others` are
    further cases that are held, by id; `connection` is that of the running transaction; `unusual` hears of a kind of look at personal
    data that somebody had too often.
    """

    change: Change
    task: Assignment | None
    body: ActionBody
    by: Principal
    city: City
    opened_under: City
    now: datetime
    ids: Ids
    reachable: bool
    rounds: dict[str, int]
    connection: Connection
    keyring: Keyring
    others: dict[int, Change] = field(default_factory=dict)
    # The one caller that this action shows; in its answer and nowhere else.
    shown: ShownCaller | None = None
    unusual: Callable[[str], object] = _nobody_hears
    # What the answer says beside where case and task stand.
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return self.change.instant(self.now)

    def next_round(self, clock: str) -> int:
        """The round of one more clock of this name: none that a case has had comes twice."""
        self.rounds[clock] = self.rounds.get(clock, 0) + 1
        return self.rounds[clock]

    def needs(self, field: str) -> str:
        """The value of a text field that this action cannot do without."""
        value = getattr(self.body, field)
        if not value:
            raise BadInput(field=field, problem="is required for this action")
        return str(value)

    def say(self, kind: str) -> int | None:
        """Keeps the note of this action, sealed under the case's key; the id of the text, None without a note."""
        if not self.body.note:
            return None
        said = Words(
            self.ids.take("text"), kind, self.by.name, {"text": self.body.note, "evidence": self.body.evidence}
        )
        self.change.words.append(said)
        return said.id


@dataclass(frozen=True, slots=True)
class Action:
    """A named action: who may do it, whether a unit or a desk does, and the function that does it.

    `others` locks the report keys that it moves and says which further cases must be held; it runs before any case is held.
    """

    permission: str
    of_unit: bool
    run: Callable[[Turn], Awaitable[None] | None]
    others: Callable[[Connection, int, ActionBody], Awaitable[Sequence[int]]] | None = None
    # Starts clocks or asks whether the citizen can be reached; what does neither is spared the look.
    looks: bool = True
    # Is about a part of a task of the principal's unit, wherever that part is.
    of_parts: bool = False


@dataclass(frozen=True, slots=True)
class Workplace:
    """What actions are carried out with."""

    pool: asyncpg.Pool
    cities: Cities
    keyring: Keyring
    clock: Clock
    ids: Sequences
    models: Keeper
    unusual: Callable[[str], object] = _nobody_hears


async def act(
    at: Workplace,
    name: str,
    action: Action,
    case_no: str,
    body: ActionBody,
    by: Principal,
    *,
    if_match: str | None,
    key: str | None,
) -> tuple[int, bytes]:
    """Carries out one action; returns the status and the answer as JSON, the first ones again for a repeated key.

    Raises NotPermitted, NotFound (also for what the principal may not see), VersionMissing, VersionStale, ActionNotAllowed,
    IdempotencyConflict, BadInput, RuleBroken.
    """
    if not by.may(action.permission):
        raise NotPermitted(permission=action.permission, allowed_actions=workflow.within(by.permissions))
    ids = await at.ids.reserve(assignment=32, text=2, case=1)
    fingerprint = hashlib.sha256(msgspec.json.encode([name, case_no, body, if_match], order="deterministic")).digest()
    async with at.pool.acquire() as connection, connection.transaction():
        if key is not None and (first := await first_answer(connection, by, key, fingerprint)):
            return first
        change, others, now = await _hold(at, connection, action, case_no, body)
        if change is None or not sees(change, by, at.cities.current):
            raise NotFound(noun="case", key=case_no)
        try:
            answer = await _carry_out(at, connection, name, action, change, others, body, by, ids, if_match, now)
        except DispatchError as refusal:
            refusal.data.setdefault("allowed_actions", workflow.allowed(change.case.state))
            raise
        if key is not None:
            # A number is not kept: whoever asks again with the key gets the answer without it, and looks again on record.
            kept = msgspec.json.encode(msgspec.structs.replace(answer, caller=None))
            told_at = change.case.last_event_at
            await connection.execute(SQL.keep_answer, by.name, key, fingerprint, 200, kept, told_at)
        return 200, msgspec.json.encode(answer)


async def _hold(
    at: Workplace, connection: Connection, action: Action, case_no: str, body: ActionBody
) -> tuple[Change | None, dict[int, Change], datetime]:
    """The case, held, the others that the action names, by id, and the time it is since."""
    if action.others is None:
        change, told = await record.hold_numbered(connection, case_no)
        return change, {}, at.clock.when(told) if told else at.clock.wall()
    case_id = await connection.fetchval(SQL.case_id, case_no)
    named = await action.others(connection, case_id, body) if case_id else ()
    held = await record.hold(connection, sorted({case_id, *named})) if case_id else {}
    return held.pop(case_id, None), held, await at.clock.now(connection)


async def _carry_out(
    at: Workplace, connection: Connection, name: str, action: Action, change: Change, others: dict[int, Change], body: ActionBody,
    by: Principal, ids: Ids, if_match: str | None, now: datetime,
) -> ActionAnswer:  # fmt: skip
    """The action itself on the held cases, and its answer."""
    city = at.cities.current
    for other in others.values():
        if not sees(other, by, city):
            raise NotFound(noun="case", key=other.case.case_no)
    state = change.case.state
    opened_under = await at.cities.version(connection, change.case.city_version)
    if action.of_unit and not change.assignments:
        workflow.case_step(state, name)
    task = _task(change, body, by, city, parts=action.of_parts) if action.of_unit else None
    _compare(if_match, task.version if task else change.case.version)
    told = await one(connection, SQL.about_case, change.case.id) if action.looks else UNASKED
    turn = Turn(
        change, task, body, by, city, opened_under, now, ids, told["reachable"],
        msgspec.json.decode(told["rounds"]), connection, at.keyring, others, unusual=at.unusual,
    )  # fmt: skip
    try:
        if body.evidence:
            await evidence.named(connection, [change.case.id], body.evidence)
        if isawaitable(working := action.run(turn)):
            await working
    except DispatchError as refusal:
        refusal.data.setdefault("allowed_actions", workflow.allowed(state))
        raise
    changed = [change, *(other for other in others.values() if other.events)]
    for each in changed:
        await watch(connection, each, await at.cities.version(connection, each.case.city_version), turn.now)
    await record.save(connection, at.keyring, city.map.areas, changed)
    return msgspec.structs.replace(answer_of(change, task), caller=turn.shown, **turn.told)


async def first_answer(connection: Connection, by: Principal, key: str, fingerprint: bytes) -> tuple[int, bytes] | None:
    """What `by` was told the first time for this key; a twin that is in flight is waited for. Raises IdempotencyConflict."""
    await connection.execute(SQL.one_at_a_time, by.name, key)
    first = await connection.fetchrow(SQL.first_answer, by.name, key)
    if first is None:
        return None
    if first["fingerprint"] != fingerprint:
        raise IdempotencyConflict()
    return first["status"], first["answer"]


def sees(change: Change, by: Principal, city: City) -> bool:
    """Whether the principal may see this case at all."""
    case, lead = change.case, change.lead
    units = {a.unit for a in change.assignments} | ({case.owner_unit} if case.owner_unit else set())
    # Whoever is ordered to answer may have had no task in it.
    units |= {clock.unit for clock in change.live(*clocks.OUTLASTING)}
    in_scope = (by.kind == "key" and by.may("case.settle")) or scope_of(by, city.units).sees(
        units, city.map.areas.path(case.area) if case.area and case.area in city.map.areas else ()
    )
    if is_complained_about(by, case.about_unit, city.units):
        return False
    return may_read_restricted(by, in_scope, lead.unit if lead else None) if case.restricted else in_scope


def _task(change: Change, body: ActionBody, by: Principal, city: City, *, parts: bool) -> Assignment:
    """The assignment that an action of a unit is about: the one named, else the live one of the principal's own unit, else of those below."""
    units = city.units.subtree(by.unit) if by.unit in city.units else frozenset()
    mine = [a for a in change.assignments if a.unit in units and a.ended_at is None]
    if body.assignment is not None:
        mine = [a for a in change.assignments if a.id == body.assignment and a.unit in units]
        if parts and not mine:
            over = {a.id for a in change.assignments if a.unit in units}
            mine = [a for a in change.assignments if a.id == body.assignment and a.parent_id in over]
    if not mine and body.assignment is None:
        mine = sorted((a for a in change.assignments if a.unit in units), key=lambda a: a.unit == by.unit)[-1:]
    if not mine:
        raise NotFound(noun="assignment", key=str(body.assignment or "of your unit"))
    return min(mine, key=lambda a: (a.unit != by.unit, a.role != "lead"))


def _compare(if_match: str | None, version: int) -> None:
    if if_match is None:
        raise VersionMissing(current_version=version)
    if if_match.strip().removeprefix("W/").strip('"') != str(version):
        raise VersionStale(current_version=version)


def answer_of(change: Change, task: Assignment | None) -> ActionAnswer:
    """What the person who acted is told."""
    case = change.case
    return ActionAnswer(
        case.case_no,
        case.state,
        case.version,
        task.id if task else None,
        task.version if task else None,
        workflow.allowed(case.state),
    )
