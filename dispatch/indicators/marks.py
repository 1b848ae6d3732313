"""What of a case is counted: one mark for each thing that happened, or was to happen, at an instant and on some unit's account.

| indicator             | one in the denominator for                          | in the numerator if               | day           | on whose account |
|-----------------------|-----------------------------------------------------|-----------------------------------|---------------|------------------|
| `in`, `out`           | (counted alone)                                     | it was opened (again); it ended   | of that       | –                |
| `tasks_in`, `tasks_out` | (counted alone)                                   | a task came to a unit; left it    | of that       | that unit        |
| `closure`             | a case that is open, or ended by closing            | it was closed                     | it came in    | its lead         |
| `on_time_<clock>`     | a clock that was met or missed                      | it was met                        | met, or due   | unit, or lead    |
| `contacted`, `solved` | the last valid follow-up of a round                 | the citizen said so               | of the answer | the round's lead |
| `satisfied`           | the same                                            | 4 or 5 of five                    | of the answer | the round's lead |
| `basically_satisfied` | the same                                            | 3 of five                         | of the answer | the round's lead |
| `followup_valid`      | a follow-up                                         | it was valid                      | of it         | the round's lead |
| `solved_of_closed`    | a closing that says whether it was solved           | it says yes                       | of it         | the round's lead |
| `returned`            | a lead's task                                       | the unit gave it back             | dispatched    | that unit        |
| `rework_of_replied`   | an answer of a lead                                 | it was sent back                  | of the answer | that unit        |
| `rework_of_due`       | an answer of a lead that was given or due           | it was sent back                  | given or due  | that unit        |
| `first_dispatch`      | a case that was dispatched                          | one unit led all its first round  | dispatched    | the first lead   |
| `hops`                | a case that was dispatched                          | (how many units led it)           | dispatched    | –                |
| `answered_directly`   | a case; calls without a matter are left out         | answered and never dispatched     | it came in    | –                |
| `repeat_visits`       | a visit asked for                                   | somebody had just been there      | asked         | –                |
| `visits_spared`       | a look at the place that was wanted                 | another visit answered for it     | asked         | –                |
| `late_<stage>`        | a stretch past the case's limit                     | (its minutes)                     | it began      | who held it      |
| `time_<clock>_<step>` | (counted alone)                                     | it took so long (`buckets`)       | it was done   | the same         |
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from dispatch.casework.levels import HANDED_UP
from dispatch.domain.workflow import OPEN
from dispatch.indicators.buckets import bucket_of
from dispatch.indicators.rules import Rules
from dispatch.indicators.story import DECIDED, Answer, Clock, Key, Story, Task

CASE_CLOCK: Final = "close"
PROMISED: Final = ("dispatch", CASE_CLOCK, "sign", "contact", "reply")
STAGES: Final = tuple(sorted(OPEN))
MINUTE: Final = timedelta(minutes=1)
# What each kind of appeal is about; `exclusion` is about all of it. What is under no kind is not assessed.
LATENESS, RATING, OTHER = "lateness", "rating", "exclusion"


class Mark(NamedTuple):
    """One thing counted: its instant, the unit on whose account it is, and the kind of appeal that takes it out."""

    indicator: str
    at: datetime
    unit: str | None
    round: int
    numerator: int
    denominator: int
    appeal: str | None = None
    # Left out of the denominator whatever anybody asks.
    aside: bool = False


def marks(story: Story, rules: Rules) -> Iterator[Mark]:
    """Everything that is counted of a case."""
    yield from _flows(story)
    yield from _promises(story)
    yield from _ratings(story)
    yield from _leads(story)
    yield from _rework(story)
    yield from _visits(story, rules)
    yield from _lateness(story)
    yield from _durations(story)


def set_aside(mark: Mark, story: Story, rules: Rules) -> bool:
    """Whether a mark is left out of its denominator: by its nature, by the city's rules, or by an approved appeal."""
    settings = rules.settings
    if mark.aside or mark.appeal is None:
        return mark.aside
    if story.case.kind in settings.unassessed_kinds or story.case.channel in settings.unassessed_channels:
        return True
    return any(
        kind in settings.appeals and (mark.unit, mark.round, kind) in story.appeals for kind in {mark.appeal, OTHER}
    )


def _flows(story: Story) -> Iterator[Mark]:
    for stay in story.stays:
        yield Mark("in", stay.since, None, stay.round, 1, 0)
        if stay.until is not None:
            yield Mark("out", stay.until, None, stay.round, 1, 0)
        if stay.state in (None, "closed"):
            yield Mark("closure", stay.since, _lead(story, stay.round), stay.round, stay.state == "closed", 1, OTHER)
    for flow in story.flows:
        yield Mark("tasks_in" if flow.came else "tasks_out", flow.at, flow.unit, story.case.round, 1, 0)


def _promises(story: Story) -> Iterator[Mark]:
    for key, whose in story.decided.items():
        clock = story.clocks[key]
        if key[0] in PROMISED and (at := _decided_at(clock)) is not None:
            unit = _lead(story, key[2]) or whose if key[0] == CASE_CLOCK else whose
            yield Mark(f"on_time_{key[0]}", at, unit, _round(story, key), clock.status == "met", 1, LATENESS)


def _ratings(story: Story) -> Iterator[Mark]:
    last = {each.round: each for each in story.followups if each.valid}
    for each in story.followups:
        yield Mark("followup_valid", each.at, _lead(story, each.round), each.round, each.valid, 1)
    for round, each in last.items():
        level = each.satisfied or 0
        for name, said in (
            ("contacted", each.contacted), ("solved", each.solved), ("satisfied", level >= 4), ("basically_satisfied", level == 3),
        ):  # fmt: skip
            yield Mark(name, each.at, _lead(story, round), round, said, 1, RATING)
    for round, (at, solved) in story.closings.items():
        yield Mark("solved_of_closed", at, _lead(story, round), round, solved, 1, RATING)


def _leads(story: Story) -> Iterator[Mark]:
    leads = [task for _, task in sorted(story.tasks.items()) if task.role == "lead" and task.dispatched_at]
    for task in leads:
        back = task.state == "returned" and task.return_reason != HANDED_UP
        yield Mark("returned", _since(task), task.unit, task.round, back, 1, OTHER)
    stay = story.stays[0]
    direct = story.answered and not leads
    yield Mark("answered_directly", stay.since, None, stay.round, direct and not story.ended, 1, aside=story.ended)
    if leads:
        first = leads[0]
        stayed = all(task.unit == first.unit for task in leads if task.round == first.round)
        yield Mark("first_dispatch", _since(first), first.unit, first.round, stayed, 1, OTHER)
        yield Mark("hops", _since(first), None, first.round, len(story.chain), 1)


def _rework(story: Story) -> Iterator[Mark]:
    for answer, at in story.replies.items():
        unit = story.tasks[answer[0]].unit if answer[0] in story.tasks else None
        yield Mark("rework_of_replied", at, unit, answer[1], answer in story.reworked, 1, OTHER)
    due: dict[Answer, datetime] = dict(story.replies)
    for name, task, round in story.decided:
        was_due = _decided_at(story.clocks[name, task, round])
        if name == "reply" and task in story.tasks and story.tasks[task].role == "lead" and was_due is not None:
            due[task, round] = was_due
    for answer, at in due.items():
        unit = story.tasks[answer[0]].unit if answer[0] in story.tasks else None
        yield Mark("rework_of_due", at, unit, answer[1], answer in story.reworked, 1, OTHER)


def _visits(story: Story, rules: Rules) -> Iterator[Mark]:
    window = timedelta(hours=rules.settings.repeat_visit_hours)
    for at, spared, before in story.looks:
        yield Mark("visits_spared", at, None, story.case.round, spared, 1)
        if not spared:
            yield Mark("repeat_visits", at, None, story.case.round, before is not None and at - before <= window, 1)


def _lateness(story: Story) -> Iterator[Mark]:
    """What a case stood still past its limit; of one that is open, up to its last event."""
    for key, clock in story.clocks.items():
        if key[0] != CASE_CLOCK or clock.status != "missed" or clock.due_at is None or story.last_at is None:
            continue
        end = clock.stopped_at or story.last_at
        for stretch in story.stretches:
            since, until = max(stretch.since, clock.due_at), min(stretch.until, end)
            if since < until and stretch.unit:
                yield Mark(f"late_{stretch.stage}", since, stretch.unit, key[2], (until - since) // MINUTE, 1, LATENESS)


def _durations(story: Story) -> Iterator[Mark]:
    for task in story.tasks.values():
        if task.role in ("lead", "assist", "child") and task.signed_at and task.dispatched_at:
            yield _took("sign", task.dispatched_at, task.signed_at, task.unit, task.round)
    for key, clock in story.clocks.items():
        name, of, round = key
        if clock.status not in DECIDED or clock.stopped_at is None or clock.started_at is None:
            continue
        if name == "contact" and (of, clock.stopped_at) in story.contacts:
            yield _took(name, clock.started_at, clock.stopped_at, clock.unit, round)
        if name == CASE_CLOCK and story.case.state != "merged":
            unit = _lead(story, round) or clock.unit
            yield _took(name, clock.started_at, clock.stopped_at, unit, round)


def _took(name: str, since: datetime, until: datetime, unit: str, round: int) -> Mark:
    return Mark(f"time_{name}_{bucket_of((until - since).total_seconds()):02}", until, unit, round, 1, 0)


def _decided_at(clock: Clock) -> datetime | None:
    """When it was met, or was due in vain."""
    return clock.stopped_at if clock.status == "met" else clock.due_at


def _lead(story: Story, round: int) -> str | None:
    """Who led this round; a round that nobody led was the one's before."""
    return next((story.leads[each] for each in range(round, 0, -1) if each in story.leads), None)


def _round(story: Story, key: Key) -> int:
    """The round of the case in which a clock ran; parts of a task that are done again count rounds of their own."""
    task = story.tasks.get(key[1] or 0)
    return key[2] if task is None or task.role == "lead" else task.round


def _since(task: Task) -> datetime:
    assert task.dispatched_at is not None
    return task.dispatched_at
