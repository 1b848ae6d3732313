"""`dispatch calendar diff` and `dispatch city reapply`: what another calendar, or other policies, do to open deadlines."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch.casework import provisional
from dispatch.casework import reapply as reapplying
from dispatch.casework.provisional import Moved
from dispatch.casework.reapply import Sweep
from dispatch.city.model import City
from dispatch.city.versions import Cities
from dispatch.cli_roster import database
from dispatch.cli_sla import read_calendar
from dispatch.domain.errors import DispatchError
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool

SHOWN = 50


@click.command("diff")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@database
def calendar_diff(file: Path, database: str) -> None:
    """Which open deadlines the years in FILE would move (会变动的时限), before they are put in force; changes nothing.

    \b
    dispatch calendar diff holidays.toml
    """
    try:
        moved = asyncio.run(_calendar_diff(database, file))
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None
    show(moved, file.name)
    more = f" (the first {SHOWN} are shown)" if len(moved) > SHOWN else ""
    click.echo(f"{len(moved)} provisional deadlines would move{more}")


@click.command("reapply")
@click.argument("name")
@click.option("--category", "root", help="Only cases of this code and of those below it (分类).")
@click.option("--dry-run", is_flag=True, help="Say what would move, and change nothing (只预览，不写入).")
@click.option("--yes", is_flag=True, help="Do not ask (不再确认).")
@database
def reapply(name: str, root: str | None, dry_run: bool, yes: bool, database: str) -> None:
    """Give open cases the limits and ladder of the version in force (对在办工单重新套用时限规则).

    A case keeps the policies of its opening until this is done; NAME stands in the record of every case. Each clock is
    counted from its original start, less what was suspended; what was given by a superior, and what is missed, stays. It
    goes in chunks: broken off, it goes on when it is run again. 每个工单都会留下记录；中断后重新运行即可继续。

    \b
    Examples 示例:
        dispatch city reapply 2027年新时限 --dry-run
        dispatch city reapply 2027年新时限 --category E05 --yes
    """
    if not name.strip():
        raise click.BadParameter("needs a word that people will know it by", param_hint="NAME")
    try:
        asyncio.run(_reapply(database, name.strip(), root, dry_run=dry_run, yes=yes))
    except (DispatchError, KeyringMissing) as refusal:
        raise click.ClickException(str(refusal)) from None


def show(moved: Sequence[Moved], title: str) -> None:
    """The first of what moves, as a table."""
    table = Table("case 工单", "clock 时限", "unit 单位", "limit", "due 现为", "would be 将为", title=title)
    for each in islice(moved, SHOWN):
        table.add_row(
            each.case_no, each.clock, each.unit, each.limit, each.due_at.isoformat(), each.moved_to.isoformat()
        )
    if moved:
        Console().print(table)


async def _calendar_diff(url: str, file: Path) -> list[Moved]:
    pool = await open_pool(url, size=1)
    try:
        found = (await Cities.open(pool)).current
        with_file = found.calendars.with_years(read_calendar(found.tz, file).days.years)
        return [_local(each, found) async for each in provisional.moved_by(pool, with_file)]
    finally:
        await pool.close()


async def _reapply(url: str, name: str, root: str | None, *, dry_run: bool, yes: bool) -> None:
    keyring, shown = Keyring.load(os.environ), Console(stderr=True)
    pool = await open_pool(url, size=2)
    try:
        cities = await Cities.open(pool)
        categories = _below(cities.current, root)
        cases = await reapplying.how_many(pool, cities.current, categories)
        click.echo(f"{cases} open cases keep the policies of a version before {cities.current.version}")
        if not cases or not (dry_run or yes or click.confirm("Give them those of the version in force?")):
            return
        first, count = list[Moved](), 0
        with Progress(console=shown, disable=not shown.is_terminal) as progress:
            task = progress.add_task(f"reapplying 重新套用 {name}", total=cases)
            sweep = Sweep(name, "city reapply", categories, dry_run)
            async for each in reapplying.reapply(
                pool, cities, keyring, SystemClock(), sweep, done=lambda n: progress.advance(task, n)
            ):
                count += 1
                if len(first) < SHOWN:
                    first.append(_local(each, cities.current))
        show(first, name)
        click.echo(f"{count} clocks {'would change' if dry_run else 'changed'} in {cases} cases")
    finally:
        await pool.close()


def _below(found: City, root: str | None) -> list[str] | None:
    """The codes of a category and of those below it, in whatever table. Raises BadParameter."""
    if root is None:
        return None
    codes = {each.code for each in found.categories if root in found.categories.path(each.code, each.table_version)}
    if not codes:
        raise click.BadParameter(f"{root} is not a code of the city's tables", param_hint="--category")
    return sorted(codes)


def _local(each: Moved, found: City) -> Moved:
    return replace(each, due_at=each.due_at.astimezone(found.tz), moved_to=each.moved_to.astimezone(found.tz))
