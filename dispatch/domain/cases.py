"""A case with everything that hangs on it, as it is held while it is changed.

Whatever changes cases (intake, an action of a person, a deadline) makes a `Change` of a case whose row it holds, and hands
it to `casework.record`, which writes many of them with one statement a table. A row is `fresh` until it was written.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import msgspec

from dispatch.domain import workflow

# The media by which notices are sent unless a ladder says otherwise.
SENT_BY: Final = ("inbox", "webhook")


@dataclass(slots=True)
class Case:
    """One real matter (案件); instants are aware, coordinates WGS-84 degrees."""

    id: int
    case_no: str
    opened_at: datetime
    opened_month: date
    state: str
    kind: str
    urgency: str
    # Whose limits and ladder the case keeps: that of its opening, until `reapply` gives it a later one.
    city_version: int
    last_event_at: datetime
    # Of the report that opened it; a limit may depend on it.
    channel: str = ""
    round: int = 1
    version: int = 1
    seq: int = 0
    head: bytes = bytes(32)
    category: str | None = None
    category_table: str | None = None
    kin: str = ""
    safety: bool = False
    people: int = 0
    restricted: bool = False
    cell: str | None = None
    area: str | None = None
    lon: float | None = None
    lat: float | None = None
    tile: int | None = None
    owner_unit: str | None = None
    lead_assignment_id: int | None = None
    about_unit: str | None = None
    next_due_at: datetime | None = None
    settled_at: datetime | None = None
    closed_at: datetime | None = None
    solved: bool | None = None
    # Code of the city's endings that ended it without a unit (不予受理, 转其他渠道, 一键结束).
    ending: str | None = None
    # What is dangerous in its words, as codes; areas whose border is near; JSON of a superior's system and number.
    danger: list[str] = field(default_factory=list)
    border: list[str] = field(default_factory=list)
    source_ref: str | None = None
    # Keyed hash of the named party or object.
    object: bytes | None = None
    merged_into: int | None = None
    # Repeats since the unit was last reminded, and when that was; since when this round is under supervision.
    reminders: int = 0
    reminded_at: datetime | None = None
    supervised_at: datetime | None = None
    # What the database holds of the row, as `casework.columns` compares it; None for a new one.
    written: tuple[Any, ...] | None = None
    counted: tuple[Any, ...] | None = None

    @property
    def danger_codes(self) -> str:
        """The dangers as PostgreSQL writes an array; codes need no quotes."""
        return "{" + ",".join(self.danger) + "}"

    @property
    def fresh(self) -> bool:
        """Whether the database does not have it yet."""
        return self.written is None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act on it."""
        return self.state in workflow.OPEN


@dataclass(slots=True)
class Assignment:
    """One unit's task (任务) in a case: `lead`, `assist`, `consult` (asked for its opinion) or `child` (a part of `parent_id`'s)."""

    id: int
    case_id: int
    role: str
    unit: str
    state: str
    round: int
    dispatched_at: datetime
    dispatched_by: str
    # Why this unit, as JSON: {rule, tried, city_version}.
    route: str
    version: int = 1
    signed_at: datetime | None = None
    handler: str | None = None
    replied_at: datetime | None = None
    ended_at: datetime | None = None
    return_reason: str | None = None
    contact_attempts: int = 0
    parent_id: int | None = None
    # A ruling bound it, or it leads on until there is one: it cannot be returned.
    return_locked: bool = False
    # Acts while it is discussed whose it is (先办后议).
    interim: bool = False
    # The unit whose whistle called it (吹哨报到).
    called_by: str | None = None
    written: tuple[Any, ...] | None = None

    @property
    def fresh(self) -> bool:
        """Whether the database does not have it yet."""
        return self.written is None


@dataclass(slots=True)
class Deadline:
    """One clock's due instant (到期时间) and the ladder that was frozen with it."""

    case_id: int
    assignment_id: int | None
    clock: str
    round: int
    unit: str
    started_at: datetime
    due_at: datetime
    limit_text: str
    mode: str
    rule: str
    provisional: bool
    # The ladder as JSON, [{level, at, colour, who, by, ack}] in time order, as `casework.climbing` keeps it; many deadlines of a
    # moment share one.
    plan: str
    # Whether a step of the ladder counts working time of a year without notice.
    plan_provisional: bool = False
    # What was approved for this clock, as JSON: {extensions: [limit], pauses: [[from, until]]}.
    adjustments: str = "{}"
    status: str = "running"
    historic: bool = False
    step: int = 0
    next_at: datetime | None = None
    attempts: int = 0
    stopped_at: datetime | None = None
    id: int | None = None
    written: tuple[Any, ...] | None = None

    @property
    def ladder(self) -> list[dict[str, Any]]:
        """The steps of the frozen ladder, in time order."""
        steps: list[dict[str, Any]] = msgspec.json.decode(self.plan)
        return steps

    def stop(self, at: datetime, *, cancelled: bool = False) -> None:
        """The clock's purpose is reached (or gone) at `at`; a due instant already past stays missed."""
        if self.stopped_at is not None:
            return
        if cancelled and self.status == "running":
            self.status = "cancelled"
        elif self.status == "running" or self.historic:
            self.status = "met" if at <= self.due_at else "missed"
        self.stopped_at, self.next_at = at, None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a case's record: ids, codes, times and digests, no words of people."""

    type: str
    at: datetime
    actor: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a person, sealed under the case's key: a JSON document."""

    id: int
    kind: str
    author: str
    document: dict[str, Any]
    report_id: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A notice to whoever is on duty in a unit (`*`: over all) for one of the roles, about the change's `nth` event.

    `account:<username>` in place of a unit is that one person.
    """

    nth: int
    unit: str
    roles: tuple[str, ...]
    topic: str
    body: dict[str, Any]
    media: tuple[str, ...] = SENT_BY
    # Of a reminder: beyond so many an hour to one recipient it waits for a digest. None: it goes at once, whatever came before.
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """A level of the ladder (升级) that fired on one deadline."""

    deadline: Deadline
    level: int
    colour: str
    planned_at: datetime
    # Only a logged call that reached somebody acknowledges it.
    call_demanded: bool = False


@dataclass(slots=True)
class Change:
    """A held case and what happens to it in this transaction."""

    case: Case
    assignments: list[Assignment] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)

    @property
    def lead(self) -> Assignment | None:
        """The lead's assignment (主办), if the case has one."""
        return next((a for a in self.assignments if a.id == self.case.lead_assignment_id), None)

    def live(self, *clocks: str) -> list[Deadline]:
        """Deadlines that are not stopped, of the given clocks or of all."""
        return [d for d in self.deadlines if d.stopped_at is None and (not clocks or d.clock in clocks)]

    def task(self, id: int | None) -> Assignment | None:
        """The task with this id."""
        return next((a for a in self.assignments if a.id == id), None)

    def of_task(self, task: Assignment, *clocks: str) -> list[Deadline]:
        """The clocks of a task that are not stopped."""
        return [d for d in self.live(*clocks) if d.assignment_id == task.id]

    def instant(self, now: datetime) -> datetime:
        """The time of the next event: never before the last one of the case."""
        return max(now, self.case.last_event_at)

    def event(self, type: str, at: datetime, actor: str, **data: Any) -> None:
        """Adds a line to the record."""
        self.events.append(Event(type, at, actor, data))
        self.case.last_event_at = at

    def post(
        self, unit: str, roles: tuple[str, ...], topic: str, *, media: tuple[str, ...] = SENT_BY, most: int | None = None,
        **body: Any,
    ) -> None:  # fmt: skip
        """Tells people about the event just added; `most` as in `Post`."""
        told = {"case_no": self.case.case_no, **body}
        self.posts.append(Post(len(self.events), unit, roles, topic, told, media, most))
