"""A duty roster as a file (值班表): one shift a row, times local to the city."""

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from dispatch.city.tables import Line, read_table
from dispatch.people.rosters import EVERYWHERE, ROLES_OF, Wanted
from sla.errors import Fault


class ShiftRow(Struct, frozen=True):
    """`starts` and `ends` are like 2026-10-01 08:00; another offset may stand behind them."""

    unit: str
    role: str
    username: str
    starts: str
    ends: str


def read_shifts(file: str, data: bytes, tz: ZoneInfo, faults: list[Fault]) -> dict[Wanted, int]:
    """The shifts of a file with their lines; a row that is wrong in itself, or comes twice, is added to `faults`."""
    found: dict[Wanted, int] = {}
    for line in read_table(file, data, ShiftRow, faults):
        row, wrong = line.row, len(faults)
        starts, ends = (_moment(file, line, field, tz, faults) for field in ("starts", "ends"))
        if row.role not in ROLES_OF[row.unit == EVERYWHERE]:
            known = ", ".join(ROLES_OF[row.unit == EVERYWHERE])
            faults.append(Fault(file, line.number, "role", f"{row.role!r}: of the unit {row.unit} there are {known}"))
        if starts and ends and ends <= starts:
            faults.append(Fault(file, line.number, "ends", "is not after starts"))
        if starts is None or ends is None or len(faults) > wrong:
            continue
        wanted = (row.unit, row.role, row.username, starts, ends)
        if (first := found.setdefault(wanted, line.number)) != line.number:
            faults.append(Fault(file, line.number, "", f"is the same as line {first}"))
    return found


def unknown(
    file: str, shifts: Mapping[Wanted, int], units: Container[str], accounts: Container[str]
) -> Iterator[Fault]:
    """Faults of rows that name a unit or an account that is not there."""
    for (unit, _, account, _, _), line in shifts.items():
        if unit != EVERYWHERE and unit not in units:
            yield Fault(file, line, "unit", f"{unit}: no such unit")
        if account not in accounts:
            yield Fault(file, line, "username", f"{account}: no such account, or it has left")


def _moment(file: str, line: Line[ShiftRow], field: str, tz: ZoneInfo, faults: list[Fault]) -> datetime | None:
    text = getattr(line.row, field)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        faults.append(Fault(file, line.number, field, f"{text!r} is not a time like 2026-10-01 08:00"))
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=tz)
