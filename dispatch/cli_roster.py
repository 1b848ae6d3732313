"""`dispatch roster`: put a duty roster on, and see who is on duty (值班表)."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatch.city.versions import Cities
from dispatch.domain.errors import DispatchError
from dispatch.people import rosters
from dispatch.people.rosterfile import read_shifts, unknown
from dispatch.people.rosters import EVERYWHERE, Roster
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool
from sla.errors import Fault

T = TypeVar("T")
LOADER = "roster load"
database = click.option(
    "--database",
    envvar=["DISPATCH_DATABASE_OWNER_URL", "DISPATCH_DATABASE_URL"],
    required=True,
    help="PostgreSQL; or in DISPATCH_DATABASE_URL (数据库地址).",
)


@click.group("roster")
def roster() -> None:
    """Duty rosters (值班表): who is on duty when, and who is now."""


@roster.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be new, and change nothing (只检查，不写入).")
@database
def load(file: Path, dry_run: bool, database: str) -> None:
    """Put the shifts of a CSV file on the roster (导入值班表).

    Columns: unit, role, username, starts, ends; times are local to the city, and a shift ends just before `ends`. The
    unit of supervisors and commanders is *. Every fault is told with its line; with any of them nothing is written.
    Loading a file again changes nothing. 列：单位、角色、账号、开始、结束（本市时间）；督办员和值班长的单位写 *。

    \b
    Examples 示例:
        dispatch roster load 国庆值班表.csv --dry-run
        dispatch roster load 国庆值班表.csv
    \b
        unit,role,username,starts,ends
        drainage,unit_head,drainage-head,2026-10-01 08:00,2026-10-01 20:00
        drainage,unit_head,drainage-handler,2026-10-01 20:00,2026-10-02 08:00
        *,commander,commander1,2026-10-01 08:00,2026-10-02 08:00
    """
    faults, new, there = _run(_load(database, file.name, file.read_bytes(), dry_run=dry_run))
    if faults:
        Console().print(_fault_table(faults))
        raise click.exceptions.Exit(1)
    done = "would be new 将新增" if dry_run else "new 新增"
    click.echo(f"{new + there} shifts (班次): {new} {done}, {there} there already 已有")


@roster.command("show")
@click.argument("unit")
@click.option("--at", help="An instant, local: 2026-10-01 22:00, or with an offset; now without it (时间).")
@database
def show(unit: str, at: str | None, database: str) -> None:
    """Who is on duty in UNIT for each role, and which posts are vacant (当班人员与空岗); * for those over all units.

    \b
    Examples 示例:
        dispatch roster show drainage
        dispatch roster show drainage --at "2026-10-01 22:00"
        dispatch roster show "*"
    """
    found = _run(_show(database, unit, at))
    table = Table("role 角色", "on duty 当班", "", title=f"{unit}  {found.at.isoformat(timespec='minutes')}")
    for each in found.duty:
        names = "  ".join(each.accounts) or "–"
        table.add_row(*map(Text, (each.role, names, "shift 排班" if each.by_shift else "all holders 全体")))
    Console().print(table)
    click.echo(f"vacant posts (空岗): {', '.join(found.vacant) or '–'}")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None


async def _load(url: str, name: str, data: bytes, *, dry_run: bool) -> tuple[list[Fault], int, int]:
    pool = await open_pool(url, size=1)
    try:
        city, faults = (await Cities.open(pool)).current, list[Fault]()
        shifts = read_shifts(name, data, city.tz, faults)
        async with pool.acquire() as connection, connection.transaction():
            accounts = await connection.fetch(rosters.SQL.accounts_named, [account for _, _, account, _, _ in shifts])
            faults += unknown(name, shifts, city.units.units, {row["username"] for row in accounts})
            if faults:
                return sorted(faults, key=lambda fault: fault.line), 0, 0
            if dry_run:
                there = len(await connection.fetch(rosters.SQL.standing, *map(list, zip(*shifts, strict=True))))
                return [], len(shifts) - there, there
            new = await rosters.write(connection, shifts, LOADER, await SystemClock().now(connection))
            return [], new, len(shifts) - new
    finally:
        await pool.close()


async def _show(url: str, unit: str, at: str | None) -> Roster:
    pool = await open_pool(url, size=1)
    try:
        city = (await Cities.open(pool)).current
        if unit != EVERYWHERE and unit not in city.units:
            raise click.ClickException(f"{unit} is not a unit of {city.name}")
        try:
            moment = datetime.fromisoformat(at) if at else await SystemClock().now(pool)
        except ValueError:
            raise click.BadParameter(f"{at!r} is not a time like 2026-10-01 22:00", param_hint="--at") from None
        moment = moment.astimezone(city.tz) if moment.tzinfo else moment.replace(tzinfo=city.tz)
        return await rosters.roster(pool, unit, moment)
    finally:
        await pool.close()


def _fault_table(faults: list[Fault]) -> Table:
    table = Table("file:line", "field", "problem", title=f"faults 错误: {len(faults)}", title_justify="left")
    for fault in faults:
        table.add_row(*map(Text, (f"{fault.file}:{fault.line}", fault.field, fault.problem)))
    return table
