"""The ladder (升级阶梯): who is told when a limit runs out and nothing has happened, as a city's file says."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise, product
from typing import Final, Self

from sla.calendar import Adjusted, Pause, WorkCalendar
from sla.clocks import CLOCKS, URGENCIES
from sla.errors import AmbiguousLimit, Fault, LadderFaults, UnknownLimit
from sla.limits import Limit, Mode, parse_limit
from sla.rows import Row, read_rows

COLOURS: Final = ("yellow", "blue", "orange", "red")
# superior: the head of the unit above.
WHO: Final = ("owner", "unit_head", "superior", "supervisor", "commander")
# The colours that an order (督办单) may have, from the mildest up.
ORDERING: Final = ("blue", "orange", "red")
# A phone call is made by a person, who logs it; the other two are sent by the service.
MEDIA: Final = ("inbox", "webhook", "phone")
BY_DEFAULT: Final = ("inbox", "webhook")
URGENT: Final = ("urgent", "critical")

_FIELDS: Final = ("clock", "urgency", "level", "at", "colour", "who", "by", "ack", "order")
_SHARE: Final = re.compile(r"([1-9][0-9]?|100)%")
_LOWEST_LEVELS: Final = (0, 1)

_Cell = tuple[str | None, str | None]  # clock, urgency; None = any


@dataclass(frozen=True, slots=True)
class Step:
    """One level. `at` is a share of the limit ("80%", "100%") or a limit that begins when the deadline is due.

    `by` are the media; with `phone` the level demands a logged call. A level that nobody acknowledged for `ack` climbs.
    `order`: the level issues an order (督办单) of its colour to the unit.
    """

    level: int
    at: str | Limit
    colour: str
    who: tuple[str, ...]
    by: tuple[str, ...] = BY_DEFAULT
    ack: Limit | None = None
    order: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and the instant at which it is taken; `provisional` if it counts working time of a year without notice."""

    step: Step
    at: datetime
    provisional: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """The ladders of a city. The steps that name the same clock and urgency make one ladder.

    The most specific ladder applies as a whole: clock and urgency named, then clock, then urgency, then neither.

    Holidays swallow no level of an urgent matter, and its levels from 1 up demand a logged call. Rows that name an urgent
    urgency must say so themselves; a ladder that names none is read that way for an urgent matter: `wd` as `d`, `wh` as
    `h`, with the call.
    """

    _by_cell: dict[_Cell, tuple[Step, ...]]

    # One ladder, however it was made, is one key of a cache.
    __hash__ = object.__hash__

    @classmethod
    def parse(cls, toml_text: str, source: str) -> Self:
        """Read `[[step]]` rows; `source` is the file's name in faults. Raises LadderFaults with every fault.

        The order of the levels is judged once every row is right in itself.
        """
        return cls._read(toml_text, source, kept=False)

    @classmethod
    def kept(cls, toml_text: str, source: str) -> Self:
        """Read a file that was in force before urgent rows had to say what they must: they are read as if they did."""
        return cls._read(toml_text, source, kept=True)

    @classmethod
    def _read(cls, toml_text: str, source: str, *, kept: bool) -> Self:
        rows, faults = read_rows(toml_text, source, "step")
        found: dict[_Cell, list[tuple[Step, int]]] = {}
        for row in rows:
            step, cells = _step(row), _cells(row)
            if step is not None:
                if not kept and any(urgency in URGENT for _, urgency in cells):
                    _urgent_faults(row, step)
                for cell in cells:
                    found.setdefault(cell, []).append((step, row.line))
        for cell, steps in found.items() if not faults else ():
            faults += _order_faults(cell, steps, source)
        if faults:
            raise LadderFaults(tuple(sorted(dict.fromkeys(faults), key=lambda fault: fault.line)))
        return cls({cell: tuple(step for step, _ in steps) for cell, steps in found.items()})

    def steps(self, clock: str, urgency: str) -> tuple[Step, ...]:
        """The ladder that applies, from its lowest level; empty where the file has none."""
        cells = product((clock, None), (urgency, None))
        found = next((steps for cell in cells if (steps := self._by_cell.get(cell))), ())
        return tuple(map(_for_urgent, found)) if urgency in URGENT else found

    def plan(
        self,
        clock: str,
        urgency: str,
        calendar: WorkCalendar,
        started_at: datetime,
        due_at: datetime,
        limit: Limit,
        mode: Mode,
        pauses: tuple[Pause, ...] = (),
    ) -> tuple[Planned, ...]:
        """Every step with its instant, in time order.

        Shares are counted from `started_at` to `due_at`, so that a deadline which was moved or set by a superior
        keeps its warning; in working time unless `limit` runs through. `mode` reads the working days after `due_at`.
        What is paused (挂账) counts neither before `due_at`, which already lies behind its pauses, nor after it.
        """
        planned = [
            _planned(step, calendar, started_at, due_at, limit, mode, pauses) for step in self.steps(clock, urgency)
        ]
        # By timestamp, since wall times of one zone compare without regard to a clock change between them.
        return tuple(sorted(planned, key=lambda each: (each.at.timestamp(), each.step.level)))


def _planned(
    step: Step,
    calendar: WorkCalendar,
    started_at: datetime,
    due_at: datetime,
    limit: Limit,
    mode: Mode,
    pauses: tuple[Pause, ...],
) -> Planned:
    if isinstance(step.at, Limit):
        due = calendar.due(due_at, step.at, mode, Adjusted(pauses=pauses))
        return Planned(step, due.at, due.provisional)
    share = _percent(step.at) / 100
    return Planned(step, calendar.between(started_at, due_at, share, pauses, natural=limit.natural), False)


def _percent(share: str) -> int:
    return int(share.removesuffix("%"))


def _step(row: Row) -> Step | None:
    row.only(_FIELDS)
    level, at, colour, who = row.number("level"), _at(row), row.word("colour"), row.words("who", WHO)
    by, ack = row.words("by", MEDIA) or BY_DEFAULT, _ack(row, at)
    if not who:
        row.fault("who", "is missing")
    if colour and colour not in COLOURS:
        row.fault("colour", f"unknown value {colour!r}; known are {', '.join(COLOURS)}")
    if level is None or at is None:
        return None
    order = row.flag("order")
    if order and colour not in ORDERING:
        row.fault("order", f"an order is {', '.join(ORDERING)}, not {colour}")
    return Step(level, at, colour, who, by, ack, order)


def _cells(row: Row) -> list[_Cell]:
    return list(product(row.words("clock", CLOCKS) or (None,), row.words("urgency", URGENCIES) or (None,)))


def _at(row: Row) -> str | Limit | None:
    text = row.word("at")
    if not text or _SHARE.fullmatch(text):
        return text or None
    if not text.startswith("+"):
        row.fault("at", f"{text!r} is neither a share like 80% nor a time after the deadline like +1wd")
        return None
    try:
        return parse_limit(text.removeprefix("+"))
    except (UnknownLimit, AmbiguousLimit) as error:
        row.fault("at", str(error))
        return None


def _ack(row: Row, at: str | Limit | None) -> Limit | None:
    text = row.optional("ack")
    if not text:
        return None
    if isinstance(at, str) and _percent(at) < 100:
        row.fault("ack", "is of levels at the limit and after it: a warning is followed by the limit itself")
    try:
        return parse_limit(text)
    except (UnknownLimit, AmbiguousLimit) as error:
        row.fault("ack", str(error))
        return None


def _urgent_faults(row: Row, step: Step) -> None:
    for field, limit in (("at", step.at), ("ack", step.ack)):
        if isinstance(limit, Limit) and not limit.natural:
            row.fault(field, f"{limit}: an urgent level runs through nights and holidays: use min, h or d")
    if step.level > 0 and "phone" not in step.by:
        row.fault("by", "an urgent level demands a logged phone call: name phone here")


def _for_urgent(step: Step) -> Step:
    """A step as an urgent matter takes it, whatever its row says."""
    at = step.at if isinstance(step.at, str) else _through(step.at)
    by = step.by if step.level == 0 or "phone" in step.by else (*step.by, "phone")
    return replace(step, at=at, by=by, ack=step.ack and _through(step.ack))


def _through(limit: Limit) -> Limit:
    """The limit counted through nights and holidays."""
    return limit if limit.natural else Limit(limit.amount, "h" if limit.unit == "wh" else "d")


def _order_faults(cell: _Cell, steps: list[tuple[Step, int]], source: str) -> list[Fault]:
    """Levels go up one by one from 0 or 1, and none comes before the level below it."""
    name = " ".join(filter(None, cell)) or "every clock"
    lowest, line = steps[0]
    faults = []
    if lowest.level not in _LOWEST_LEVELS:
        faults.append(Fault(source, line, "level", f"the ladder of {name} begins above level 1"))
    for (below, _), (above, line) in pairwise(steps):
        if above.level != below.level + 1:
            faults.append(Fault(source, line, "level", f"the ladder of {name} has {above.level} after {below.level}"))
        if _comes_before(above.at, below.at):
            faults.append(Fault(source, line, "at", f"the ladder of {name} takes this level before the one below it"))
    return faults


def _comes_before(at: str | Limit, other: str | Limit) -> bool:
    """Whether `at` is earlier for certain; limits of different units cannot be compared without a calendar."""
    if isinstance(at, Limit):
        return isinstance(other, Limit) and at.unit == other.unit and at.amount < other.amount
    return isinstance(other, Limit) or _percent(at) < _percent(other)
