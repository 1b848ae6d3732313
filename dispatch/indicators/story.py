"""A case replayed from its events, as far as figures are made of it. Decides nothing about days, units of account or exclusions.

| kept                | what it is                                                                                           |
|---------------------|------------------------------------------------------------------------------------------------------|
| `stays`             | each time the case was open, from when, in which round, and in which state it ended                    |
| `flows`             | tasks that came to a unit or left it; a task that is done again comes again                            |
| `stretches`         | which unit held it in which stage from when to when (as `insight.stages`)                             |
| `decided`           | clocks that were met or missed, and whose they were when that was decided                             |
| `leads`, `chain`    | who led a round, and the units that led one after the other                                           |
| `replies`, `reworked` | answers of leads, and those of them that were sent back to be done again                              |
| `followups`, `closings`, `appeals` | what citizens said, whether it was said to be solved, what was granted                  |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from dispatch.domain.workflow import AT_UNIT, OPEN
from dispatch.indicators.told import Line, Wrote, apply, decode

# A task by id and round; a clock by name, task and round.
Answer = tuple[int | None, int]
Key = tuple[str, int | None, int]
# An opinion that is asked for is no task that a unit is charged with.
CHARGED: Final = frozenset({"lead", "assist", "child"})
DECIDED: Final = frozenset({"met", "missed"})


@dataclass(slots=True)
class CaseNow:
    """The case as of the last event."""

    opened_at: datetime | None = None
    closed_at: datetime | None = None
    state: str = ""
    round: int = 1
    kind: str = ""
    channel: str = ""
    category: str | None = None
    area: str | None = None
    restricted: bool = False
    city_version: int = 0
    lead_assignment_id: int | None = None


@dataclass(slots=True)
class Task:
    """A unit's task."""

    role: str = ""
    unit: str = ""
    state: str = ""
    round: int = 1
    dispatched_at: datetime | None = None
    signed_at: datetime | None = None
    replied_at: datetime | None = None
    ended_at: datetime | None = None
    return_reason: str | None = None

    @property
    def at_unit(self) -> str | None:
        """The unit that still has to do something, if it is charged with it."""
        return self.unit if self.ended_at is None and self.state in AT_UNIT and self.role in CHARGED else None


@dataclass(slots=True)
class Clock:
    """One clock."""

    unit: str = ""
    started_at: datetime | None = None
    due_at: datetime | None = None
    status: str = "running"
    stopped_at: datetime | None = None


@dataclass(slots=True)
class Stay:
    """A time during which the case was open, up to which round; `state` is in which it ended, None while it has not."""

    since: datetime
    round: int
    until: datetime | None = None
    state: str | None = None


class Stretch(NamedTuple):
    """A time in one stage at one unit."""

    stage: str
    unit: str
    since: datetime
    until: datetime


class Flow(NamedTuple):
    """A task came to a unit, or left it."""

    came: bool
    unit: str
    at: datetime


class FollowUp(NamedTuple):
    """What the citizen said; `satisfied` is 1..5, None where it was not said."""

    at: datetime
    round: int
    valid: bool
    contacted: bool
    solved: bool
    satisfied: int | None


@dataclass(slots=True)
class Story:
    """Everything that figures need of one case."""

    case: CaseNow = field(default_factory=CaseNow)
    tasks: dict[int, Task] = field(default_factory=dict)
    clocks: dict[Key, Clock] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    decided: dict[Key, str] = field(default_factory=dict)
    leads: dict[int, str] = field(default_factory=dict)
    chain: list[str] = field(default_factory=list)
    replies: dict[Answer, datetime] = field(default_factory=dict)
    reworked: set[Answer] = field(default_factory=set)
    followups: list[FollowUp] = field(default_factory=list)
    closings: dict[int, tuple[datetime, bool]] = field(default_factory=dict)
    appeals: set[tuple[str, int, str]] = field(default_factory=set)
    contacts: set[tuple[int | None, datetime]] = field(default_factory=set)
    # Looks at the place: when, whether another visit answered for it, and when somebody had been there last.
    looks: list[tuple[datetime, bool, datetime | None]] = field(default_factory=list)
    looked_at: datetime | None = None
    answered: bool = False
    ended: bool = False
    last_at: datetime | None = None
    _answering: list[int | None] = field(default_factory=list)
    _holding: tuple[str, str, datetime] | None = None
    _last_answer: Answer | None = None

    def hear(self, line: Line) -> None:
        """The next event."""
        if (heard := _HEARD.get(line.type)) is not None:
            heard(self, line)
        if line.wrote is not None:
            self._write(line, line.wrote)
        if line.state is not None:
            self._stand(line, line.state)
        self.last_at = line.at

    def _write(self, line: Line, wrote: Wrote) -> None:
        """What a transaction wrote, once it has been told."""
        if wrote.case is not None:
            apply(self.case, wrote.case)
        for id, row in wrote.tasks:
            task = self.tasks.get(id)
            fresh, before = task is None, task.at_unit if task else None
            task = self.tasks.setdefault(id, Task())
            apply(task, row)
            after = task.at_unit
            if before != after:
                if before is not None:
                    self.flows.append(Flow(False, before, task.ended_at or task.replied_at or line.at))
                if after is not None:
                    self.flows.append(Flow(True, after, (fresh and task.dispatched_at) or line.at))
        for name, of, round, told in wrote.clocks:
            self._clock((name, of, round), told)
        lead = self.tasks.get(self.case.lead_assignment_id or 0)
        if lead is not None:
            self.leads[self.case.round] = lead.unit
            if not self.chain or self.chain[-1] != lead.unit:
                self.chain.append(lead.unit)
        for answering in self._answering:
            rounds = [key[2] for key in self.clocks if key[:2] == ("reply", answering)]
            self._last_answer = answering, max(rounds, default=self.case.round)
            self.replies[self._last_answer] = line.at
        self._answering = []

    def _clock(self, key: Key, told: msgspec.Struct) -> None:
        clock = self.clocks.setdefault(key, Clock())
        apply(clock, told)
        if clock.status not in DECIDED:
            self.decided.pop(key, None)
        elif key not in self.decided:
            self.decided[key] = clock.unit

    def _stand(self, line: Line, state: str) -> None:
        """Where the case stands once a transaction is over."""
        since = self._holding
        if since is not None and line.at > since[2] and since[0] in OPEN:
            self._charge(*since, line.at)
        self._holding = state, line.owner_unit or "", line.at
        last = self.stays[-1] if self.stays else None
        if state in OPEN and (last is None or last.state is not None):
            opened = self.case.opened_at if last is None else None
            self.stays.append(Stay(opened or line.at, self.case.round))
        elif state not in OPEN and last is not None and last.state is None:
            closed = self.case.closed_at if state == "closed" else None
            last.state, last.until = state, closed or line.at
        if state in OPEN:
            self.stays[-1].round = self.case.round

    def _charge(self, stage: str, unit: str, since: datetime, until: datetime) -> None:
        last = self.stretches[-1] if self.stretches else None
        if last is not None and (last.stage, last.unit, last.until) == (stage, unit, since):
            self.stretches[-1] = last._replace(until=until)
        else:
            self.stretches.append(Stretch(stage, unit, since, until))


def _replied(story: Story, line: Line) -> None:
    if line.role == "lead":
        story._answering.append(line.assignment)


def _reworked(story: Story, line: Line) -> None:
    if story._last_answer is not None:
        story.reworked.add(story._last_answer)


def _contacted(story: Story, line: Line) -> None:
    story.contacts.add((line.assignment, line.at))


def _followed_up(story: Story, line: Line) -> None:
    round = line.round if isinstance(line.round, int) else story.case.round
    satisfied = line.satisfied if isinstance(line.satisfied, int) else None
    story.followups.append(
        FollowUp(line.at, round, line.valid is True, line.contacted is True, line.solved is True, satisfied)
    )


def _closed(story: Story, line: Line) -> None:
    if isinstance(line.solved, bool):
        story.closings[line.round if isinstance(line.round, int) else story.case.round] = line.at, line.solved


def _appeal_decided(story: Story, line: Line) -> None:
    if line.approved is True and line.final is True:
        story.appeals.add((str(line.unit), int(line.round or story.case.round), str(line.kind)))


def _look(story: Story, line: Line) -> None:
    spared = line.type == "site_check_reused" or line.shared is True
    story.looks.append((line.at, spared, story.looked_at))


def _looked(story: Story, line: Line) -> None:
    story.looked_at = line.at


def _answered(story: Story, line: Line) -> None:
    story.answered = True


def _ended(story: Story, line: Line) -> None:
    story.ended = True


_HEARD: Final[Mapping[str, Callable[[Story, Line], None]]] = {
    "replied": _replied,
    "reworked": _reworked,
    "contacted": _contacted,
    "followed_up": _followed_up,
    "closed": _closed,
    "appeal_decided": _appeal_decided,
    "site_check_asked": _look,
    "site_check_reused": _look,
    "site_checked": _looked,
    "answered": _answered,
    "ended": _ended,
}


def tell(bodies: Sequence[bytes]) -> Story | None:
    """The story of a case from its events in order; None if one is no event, or the first does not say what it wrote."""
    story = Story()
    try:
        for body in bodies:
            story.hear(decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return story if story.case.opened_at is not None else None
