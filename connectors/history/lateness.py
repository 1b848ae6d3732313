"""Who was late, computed anew from a city's own history, beside what the city itself says (时限回测).

| a row with                                     | counts as                                                          |
|------------------------------------------------|--------------------------------------------------------------------|
| no due time, or one that cannot be read        | left out, and counted under its reason                             |
| a due time before it was received              | left out: nobody can keep it                                       |
| a closing time up to the due time              | in time                                                            |
| a closing time after the due time              | late                                                               |
| no closing time                                | late if due before the history ends, else still running: left out  |

Times are compared as instants, so a clock change between two of them costs nobody an hour.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.history.expressions import Expression
from connectors.history.mapping import HistoryMapping
from connectors.history.rows import by_column, mapped_lines


class NoDeadlines(ConnectorError):
    """{source} says nothing of due times: it needs a table [deadline] with due"""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.source = source


@dataclass(frozen=True, slots=True)
class Clocked:
    """One row as the backtest sees it; `said_late` is the city's own flag, None where it has none."""

    line: int
    unit: str
    received_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    said_late: bool | None


@dataclass(slots=True)
class UnitFigures:
    """One unit's rows: how many were judged, and how many of them late."""

    judged: int = 0
    late: int = 0

    @property
    def share(self) -> float:
        """Late of judged, 0 where nothing was judged."""
        return self.late / self.judged if self.judged else 0.0


@dataclass(slots=True)
class Backtest:
    """The account: read = judged + the sum of left_out; judged = late + in time; flagged = agreeing + disagreeing."""

    read: int = 0
    judged: int = 0
    late: int = 0
    flagged: int = 0
    agreeing: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    disagreeing: list[Clocked] = field(default_factory=list)
    units: dict[str, UnitFigures] = field(default_factory=dict)

    @property
    def agreement(self) -> float | None:
        """Share of the rows with a flag of their own on which both agree; None without any."""
        return self.agreeing / self.flagged if self.flagged else None


def clocked_rows(path: Path, mapping: HistoryMapping) -> Iterator[Clocked]:
    """Every row with its times. Raises NoDeadlines, UnreadableHistory, and MappingFaults for columns that are not there."""
    if mapping.deadline is None:
        raise NoDeadlines(mapping.source)
    deadline, received = mapping.deadline, mapping.fields["received_at"]
    for line, heading, cells in mapped_lines(path, mapping):
        row = by_column(heading, cells)
        flag = _text(deadline.flag, row)
        yield Clocked(
            line,
            _text(deadline.unit, row),
            _time(received, row, mapping),
            _time(deadline.due, row, mapping),
            _time(mapping.closing.at, row, mapping) if mapping.closing else None,
            flag in deadline.late if flag in deadline.late | deadline.in_time else None,
        )


def backtest(rows: list[Clocked]) -> Backtest:
    """Judges every row by its times; an open one as of the last instant that the history knows."""
    ends = max((at for row in rows for at in (row.received_at, row.closed_at) if at is not None), default=None)
    found = Backtest(read=len(rows))
    for row in rows:
        late = _judged(row, ends, found)
        if late is None:
            continue
        unit = found.units.setdefault(row.unit, UnitFigures())
        for figures in (found, unit):
            figures.judged += 1
            figures.late += late
        if row.said_late is not None:
            found.flagged += 1
            found.agreeing += row.said_late == late
            if row.said_late != late:
                found.disagreeing.append(row)
    return found


def _judged(row: Clocked, ends: datetime | None, account: Backtest) -> bool | None:
    """Whether a row was late; None, with its reason counted, for one that is left out."""
    if row.received_at is None:
        reason = "no time of receipt"
    elif row.due_at is None:
        reason = "no due time"
    elif row.due_at < row.received_at:
        reason = "due before it was received"
    elif row.closed_at is None and (ends is None or row.due_at >= ends):
        reason = "still running at the end"
    else:
        return row.closed_at is None or row.closed_at > row.due_at
    account.left_out[reason] += 1
    return None


def _text(expression: Expression | None, row: dict[str, str]) -> str:
    try:
        value = expression.evaluate(row) if expression is not None else ""
    except ValueError:
        return ""
    return "" if value is None else str(value).strip()


def _time(expression: Expression, row: dict[str, str], mapping: HistoryMapping) -> datetime | None:
    text = _text(expression, row)
    try:
        return mapping.read_time(text)[0] if text else None
    except ValueError:
        return None
