"""One way for every action of a person: permission, validation, transaction, log.

The case's row is held, a repeated Idempotency-Key gets its first answer, If-Match is compared (the assignment's version for
actions of a unit, the case's for those of a desk), the family's function changes the case, and everything is written at once.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from msgspec import Meta, Struct

from dispatch.casework import record
from dispatch.casework.watch import watch
from dispatch.city.categories import Urgency
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.domain import workflow
from dispatch.domain.cases import Assignment, Change, Words
from dispatch.domain.errors import BadInput, IdempotencyConflict, NotFound, VersionMissing, VersionStale
from dispatch.people.keyring import Keyring
from dispatch.people.principal import Principal
from dispatch.people.scope import is_complained_about, may_read_restricted, scope_of
from dispatch.store.clock import Clock
from dispatch.store.pool import Connection, Ids, Sequences, one
from dispatch.store.statements import load

SQL = load(__file__, "actions")


class ActionBody(Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What an action is told; which fields it needs stands with the action."""

    assignment: int | None = None
    reason_code: Annotated[str, Meta(max_length=64)] | None = None
    note: Annotated[str, Meta(max_length=5000)] | None = None
    evidence: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)] = []
    unit: Annotated[str, Meta(max_length=64)] | None = None
    assists: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=10)] = []
    category: Annotated[str, Meta(max_length=64)] | None = None
    solved: bool | None = None
    reached: bool | None = None
    urgency: Urgency | None = None
    until: datetime | None = None
    limit: Annotated[str, Meta(max_length=20)] | None = None


class ActionAnswer(Struct, frozen=True):
    """Where the case and the task stand after the action."""

    case_no: str
    state: str
    version: int
    assignment: int | None
    assignment_version: int | None
    allowed_actions: list[str]


@dataclass(slots=True)
class Turn:
    """One action in progress: what it may look at and change.

    Limits are those of the version the case was `opened_under`; `suspensions` is how often it was suspended before.
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
    suspensions: int

    @property
    def at(self) -> datetime:
        return self.change.instant(self.now)

    def needs(self, field: str) -> str:
        """The value of a text field that this action cannot do without."""
        value = getattr(self.body, field)
        if not value:
            raise BadInput(field=field, problem="is required for this action")
        return str(value)

    def say(self, kind: str) -> None:
        """Keeps the note of this action, sealed under the case's key."""
        if self.body.note:
            document = {"text": self.body.note, "evidence": self.body.evidence}
            self.change.words.append(Words(self.ids.take("text"), kind, self.by.name, document))


@dataclass(frozen=True, slots=True)
class Action:
    """A named action: who may do it, whether a unit or a desk does, and the function that does it."""

    permission: str
    of_unit: bool
    run: Callable[[Turn], None]


@dataclass(frozen=True, slots=True)
class Workplace:
    """What actions are carried out with."""

    pool: asyncpg.Pool
    cities: Cities
    keyring: Keyring
    clock: Clock
    ids: Sequences


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
    by.require(action.permission)
    ids = await at.ids.reserve(assignment=16, text=1)
    fingerprint = hashlib.sha256(msgspec.json.encode([name, case_no, body, if_match], order="deterministic")).digest()
    async with at.pool.acquire() as connection, connection.transaction():
        if key is not None and (first := await first_answer(connection, by, key, fingerprint)):
            return first
        case_id = await connection.fetchval(SQL.case_id, case_no)
        change = (await record.hold(connection, [case_id])).get(case_id) if case_id else None
        if change is None or not sees(change, by, at.cities.current):
            raise NotFound(noun="case", key=case_no)
        city, restricted = at.cities.current, change.case.restricted
        opened_under = await at.cities.version(connection, change.case.city_version)
        task = _task(change, body, by, city) if action.of_unit else None
        _compare(if_match, task.version if task else change.case.version)
        told = await one(connection, SQL.about_case, change.case.id)
        turn = Turn(
            change, task, body, by, city, opened_under, await at.clock.now(connection), ids, told["reachable"], told["suspensions"]
        )  # fmt: skip
        action.run(turn)
        await watch(connection, change, opened_under, turn.now)
        await record.save(connection, at.keyring, city.map.areas, [change])
        if change.case.restricted and not restricted:
            await connection.execute(SQL.restrict, change.case.id)
        answer = msgspec.json.encode(answer_of(change, task))
        if key is not None:
            await connection.execute(SQL.keep_answer, by.name, key, fingerprint, 200, answer, turn.now)
        return 200, answer


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
    in_scope = (by.kind == "key" and by.may("case.settle")) or scope_of(by, city.units).sees(
        units, city.map.areas.path(case.area) if case.area and case.area in city.map.areas else ()
    )
    if is_complained_about(by, case.about_unit, city.units):
        return False
    return may_read_restricted(by, in_scope, lead.unit if lead else None) if case.restricted else in_scope


def _task(change: Change, body: ActionBody, by: Principal, city: City) -> Assignment:
    """The assignment that an action of a unit is about: the one named, else the live one of the principal's own unit, else of those below."""
    units = city.units.subtree(by.unit) if by.unit in city.units else frozenset()
    mine = [a for a in change.assignments if a.unit in units and a.ended_at is None]
    if body.assignment is not None:
        mine = [a for a in change.assignments if a.id == body.assignment and a.unit in units]
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
