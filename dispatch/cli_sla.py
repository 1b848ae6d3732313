"""`dispatch sla`: what a limit comes to, and why, without a database."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sla.bulk import BulkCalendar
from sla.calendar import Adjusted, WorkCalendar
from sla.errors import Fault, RowFaults, SlaError
from sla.explanation import NAMES, Slice, explain
from sla.limits import MODES, Dialect, Limit, Mode, parse_limit
from sla.workdays import WorkDays
from sla.years import parse_years

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
COLUMNS: Final = ("at", "limit", "mode")
NO_TIME: Final = "is not a time like 2026-02-13 17:00"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class Zone(click.ParamType[ZoneInfo]):
    """An IANA time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r} is not a time zone; one is Asia/Shanghai", param, ctx)


tz_option = click.option(
    "--tz", type=Zone(), default="Asia/Shanghai", show_default=True, help="Zone of local times (时区)."
)
calendar_option = click.option(
    "--calendar", "years", type=FILE, help="TOML file of years with their notices (放假安排), before the built-in ones."
)


pause_option = click.option(
    "--pause",
    "pauses",
    multiple=True,
    metavar="FROM/TO",
    help="Stretch that does not count, as often as needed (挂账).",
)
extend_option = click.option(
    "--extend", "extensions", multiple=True, metavar="LIMIT", help="Limit added at the end, as often as needed (延期)."
)


@click.group("sla")
def sla() -> None:
    """Limits and due times (时限、到期时间)."""


@sla.command()
@click.option("--at", help="Start, local: 2026-02-13 17:00, or with an offset (起算时间).")
@click.option("--limit", help="30min 24h 7d 4wh 5wd, or 2工作日 (时限).")
@click.option("--mode", type=click.Choice(MODES), default="hours8", show_default=True, help="How a working day reads.")
@click.option("--dialect", type=click.Choice(("hotline", "city-management")), help="How bare 小时 and 天 read (方言).")
@pause_option
@extend_option
@calendar_option
@tz_option
@click.option("--in", "source", type=FILE, help="CSV of at,limit,mode instead of one question (批量).")
@click.option("--out", "target", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write.")
def due(
    at: str | None,
    limit: str | None,
    mode: Mode,
    dialect: Dialect | None,
    pauses: tuple[str, ...],
    extensions: tuple[str, ...],
    years: Path | None,
    tz: ZoneInfo,
    source: Path | None,
    target: Path | None,
) -> None:
    """When a limit that starts at a time is used up (到期时间); `provisional` where that year has no notice yet.

    \b
    Examples:
        dispatch sla due --at "2026-02-13 17:00" --limit 2wd --mode day_end
        dispatch sla due --at "2026-09-30 16:00" --limit 4小时 --dialect city-management
        dispatch sla due --in cases.csv --out due.csv
    """
    one, many = bool(at or limit), bool(source or target)
    if one == many or (one and not (at and limit)) or (many and not (source and target)):
        raise click.UsageError("give --at and --limit for one due time, or --in and --out for a file of them")
    if many and (pauses or extensions):
        raise click.UsageError("--pause and --extend go with one due time, not with a file of them")
    work_calendar = read_calendar(tz, years)
    try:
        if source and target:
            return _file(source, target, work_calendar, mode, dialect)
        adjusted = _adjusted(pauses, extensions, dialect, tz)
        found = work_calendar.due(_moment(at or "", tz), parse_limit(limit or "", dialect), mode, adjusted)
    except SlaError as error:
        raise click.ClickException(str(error)) from None
    except ValueError:
        raise click.BadParameter(f"{at!r} {NO_TIME}", param_hint="--at") from None
    click.echo(f"{found.at.isoformat()}{' provisional' if found.provisional else ''}")


@sla.command("explain")
@click.option("--at", required=True, help="Start, local: 2026-02-13 17:00, or with an offset (起算时间).")
@click.option("--limit", required=True, help="30min 24h 7d 4wh 5wd, or 2工作日 (时限).")
@click.option("--mode", type=click.Choice(MODES), default="hours8", show_default=True, help="How a working day reads.")
@click.option("--dialect", type=click.Choice(("hotline", "city-management")), help="How bare 小时 and 天 read (方言).")
@pause_option
@extend_option
@calendar_option
@tz_option
def explain_(
    at: str,
    limit: str,
    mode: Mode,
    dialect: Dialect | None,
    pauses: tuple[str, ...],
    extensions: tuple[str, ...],
    years: Path | None,
    tz: ZoneInfo,
) -> None:
    """Why a limit ends when it does: every stretch that counts and that does not, and their sum (时限说明).

    \b
    Examples:
        dispatch sla explain --at "2026-02-13 17:00" --limit 2wd
        dispatch sla explain --at "2026-03-09 08:00" --limit 2wd --extend 1wd --pause "2026-03-09 10:00/2026-03-11 09:00"
    """
    work_calendar = read_calendar(tz, years)
    try:
        start, asked = _moment(at, tz), parse_limit(limit, dialect)
        adjusted = _adjusted(pauses, extensions, dialect, tz)
        slices = explain(work_calendar, start, asked, mode, adjusted)
        found = work_calendar.due(start, asked, mode, adjusted)
        begun = work_calendar.subtract(work_calendar.due(start, asked, mode).at, asked, mode)
    except SlaError as error:
        raise click.ClickException(str(error)) from None
    except ValueError:
        raise click.BadParameter(f"{at!r} {NO_TIME}", param_hint="--at") from None
    _draw(slices)
    days, seconds = sum(each.days for each in slices), sum(each.seconds for each in slices)
    total = f"{days} working days (工作日)" if days else _length(seconds)
    if not days:
        click.echo(f"counting begins 起算: {begun.isoformat()}")
    given = " + ".join((str(asked), *map(str, adjusted.extensions)))
    click.echo(
        f"sum 合计: {total} = {given}; due 到期: {found.at.isoformat()}{' provisional 暂定' if found.provisional else ''}"
    )


def _draw(slices: Iterable[Slice]) -> None:
    table = Table("from 起", "to 止", "", "counted 计入", "")
    for each in slices:
        zh, en = NAMES[each.kind]
        amount = f"{each.days} d" if each.days else _length(each.seconds) if each.counted else "–"
        table.add_row(
            f"{each.start:%Y-%m-%d %H:%M:%S}", f"{each.end:%Y-%m-%d %H:%M:%S}", f"{zh} {en}", amount,
            f"{each.note} {each.note_en}".strip(), style="" if each.counted else "dim",
        )  # fmt: skip
    Console().print(table)


def _length(seconds: float) -> str:
    """Hours, minutes and seconds; a day is not written as one, since it could mean eight hours or twenty-four."""
    minutes, rest = divmod(round(seconds, 6), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:02.0f}" if rest == int(rest) else f"{hours}:{minutes:02}:{rest:09.6f}"


def _adjusted(pauses: tuple[str, ...], extensions: tuple[str, ...], dialect: Dialect | None, tz: ZoneInfo) -> Adjusted:
    """Pauses and extensions as they were given. Raises SlaError, BadParameter."""
    found = []
    for pause in pauses:
        opens, _, closes = pause.partition("/")
        try:
            found.append((_moment(opens, tz), _moment(closes, tz)))
        except ValueError:
            raise click.BadParameter(
                f"{pause!r} is not two times like 2026-03-09 10:00/2026-03-11 09:00", param_hint="--pause"
            ) from None
    return Adjusted(tuple(parse_limit(each, dialect) for each in extensions), tuple(found))


def read_calendar(tz: ZoneInfo, years: Path | None) -> WorkCalendar:
    """The national calendar with the years of a file before it; every fault of that is listed."""
    try:
        return WorkCalendar(tz, WorkDays(years=parse_years(years.read_text("utf-8-sig"), years.name) if years else ()))
    except RowFaults as error:
        raise click.ClickException(str(error)) from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{years}: is not UTF-8") from None


def _moment(text: str, tz: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=tz)


def _file(source: Path, target: Path, calendar: WorkCalendar, mode: Mode, dialect: Dialect | None) -> None:
    """Answers a whole CSV, or names every row that cannot be answered and writes nothing."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS[:2] if name not in (reader.fieldnames or ())]:
            raise click.ClickException(f"{source}:1: column {', '.join(missing)} is missing; it needs at,limit,mode")
        rows = [(reader.line_num, row) for row in reader]
    starts, limits, modes = [], [], []
    faults: list[Fault] = []
    shown = Console(stderr=True)
    for line, row in track(rows, "reading 读取", console=shown, disable=not shown.is_terminal):
        answer = _question(source.name, line, row, calendar.tz, mode, dialect, faults)
        if answer is not None:
            starts.append((answer[0] - EPOCH) // MICROSECOND)
            limits.append(answer[1])
            modes.append(answer[2])
    if faults:
        raise click.ClickException("\n".join(["", *map(str, faults)]))
    ends, provisional = BulkCalendar(calendar).due(np.array(starts, dtype=np.int64), limits, modes)
    _write(target, [row for _, row in rows], modes, _local(ends.tolist(), calendar.tz), provisional.tolist())
    click.echo(f"{len(rows)} due times (到期时间) → {target}", err=True)


def _question(
    name: str,
    line: int,
    row: dict[str, str],
    tz: ZoneInfo,
    mode: Mode,
    dialect: Dialect | None,
    faults: list[Fault],
) -> tuple[datetime, Limit, Mode] | None:
    before = len(faults)
    start, limit = None, None
    try:
        start = _moment(row["at"] or "", tz)
    except ValueError:
        faults.append(Fault(name, line, "at", f"{row['at']!r} {NO_TIME}"))
    try:
        limit = parse_limit(row["limit"] or "", dialect)
    except SlaError as error:
        faults.append(Fault(name, line, "limit", str(error)))
    written = row.get("mode") or mode
    chosen = next((known for known in MODES if known == written), None)
    if chosen is None:
        faults.append(Fault(name, line, "mode", f"{written!r} is not one of {', '.join(MODES)}"))
    if start is None or limit is None or chosen is None or len(faults) > before:
        return None
    return start, limit, chosen


def _local(instants: Iterable[int], tz: ZoneInfo) -> list[str]:
    return [
        (EPOCH + instant * MICROSECOND).astimezone(tz).replace(tzinfo=None).isoformat(sep=" ") for instant in instants
    ]


def _write(target: Path, rows: list[dict[str, str]], modes: list[Mode], ends: list[str], flags: list[bool]) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*COLUMNS, "due", "provisional"))
        for row, mode, end, flag in zip(rows, modes, ends, flags, strict=True):
            writer.writerow((row["at"], row["limit"], mode, end, "true" if flag else "false"))
