"""`dispatch retention`: what is past its period, erasing it, and what must not be erased (留存与清除)."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch.casework import holds, retention
from dispatch.casework.actions import Workplace
from dispatch.casework.retention import ROLE, SQL, Due
from dispatch.city.versions import Cities
from dispatch.cli_roster import database
from dispatch.domain.errors import DispatchError
from dispatch.intake.models import Keeper
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.store.clock import SystemClock
from dispatch.store.pool import Sequences, open_pool

T = TypeVar("T")
SHOWN = 20
by = click.option("--by", default=getpass.getuser, help="Who does it; the account of this machine without it (操作人).")


@click.group("retention")
def group() -> None:
    """What is kept for how long (留存期限): [retention] in city.toml. Works as the database's role dispatch_retention.

    DISPATCH_KEYRING_FILE names the keys of the service: an erased case gets one more event, which is signed like all.
    """


@group.command("show")
@database
def show(database: str) -> None:
    """Show the periods, what is past them, which cases are held, and what was erased last; changes nothing.

    \b
    dispatch retention show
    """
    _run(_show(database))


@group.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and change nothing (只统计，不清除).")
@database
def run(dry_run: bool, database: str) -> None:
    """Erase what is past its period. What was broken off goes on with the next run.

    \b
    dispatch retention run --dry-run
    dispatch retention run
    """
    _run(_erase(database, dry_run=dry_run))


@group.command("hold")
@click.argument("case_no")
@click.option("--reason", required=True, help="Why; sealed with the case (事由).")
@by
@database
def hold(case_no: str, reason: str, by: str, database: str) -> None:
    """Keep the words of a case, whatever their age (法律保全).

    \b
    dispatch retention hold 2026112500000012 --reason 法院调取证据
    """
    _run(_with(database, lambda at: holds.place(at, case_no, reason, by)))
    click.echo(f"{case_no} is held 已保全")


@group.command("release")
@click.argument("case_no")
@by
@database
def release(case_no: str, by: str, database: str) -> None:
    """End the hold of a case (解除保全)."""
    _run(_with(database, lambda at: holds.release(at, case_no, by)))
    click.echo(f"{case_no} is not held any more 已解除")


async def _show(url: str) -> None:
    async def work(at: Workplace) -> None:
        periods = at.cities.current.retention
        due = await retention.due(at.pool, periods, await at.clock.now(at.pool))
        _print_due(due, msgspec.structs.asdict(periods))
        for each in await holds.listed(at):
            click.echo(f"held 保全\t{each.case_no}\t{each.placed_at.isoformat()}\t{each.placed_by}\t{each.reason}")
        for row in await at.pool.fetch(SQL.runs, SHOWN):
            click.echo(
                f"erased 已清除\t{row['at'].isoformat()}\t{row['what']}\t{row['subject'] or '-'}\t{row['erased']}"
            )

    await _with(url, work)


async def _erase(url: str, *, dry_run: bool) -> None:
    async def work(at: Workplace) -> None:
        periods = at.cities.current.retention
        due = await retention.due(at.pool, periods, await at.clock.now(at.pool))
        if dry_run:
            _print_due(due, msgspec.structs.asdict(periods))
            return
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("erasing 清除", total=due.total)
            erased = await retention.run(at, done=lambda count: bar.advance(task, count))
        click.echo(f"words of {erased.words} cases and {erased.callers} callers erased 已清除")
        for what, count in erased.rows.items():
            click.echo(f"{what} {count}")
        click.echo(f"access_log {len(erased.access_log)} months")
        for month, why in erased.kept.items():
            click.echo(f"access_log {month:%Y-%m} is kept 保留: {why}")

    await _with(url, work)


def _print_due(due: Due, months: dict[str, int]) -> None:
    table = Table("what", "months 月", "due 到期")
    for what in ("words", "quarantine", "notices", "action_keys"):
        table.add_row(what, str(months.get(what, months["words"])), str(getattr(due, what)))
    table.add_row(
        "access_log", str(months["access_log"]), ", ".join(f"{month:%Y-%m}" for month in due.access_log) or "0"
    )
    Console().print(table)


async def _with(url: str, work: Callable[[Workplace], Awaitable[T]]) -> T:
    pool = await open_pool(url, size=2, role=ROLE)
    try:
        cities = await Cities.open(pool)
        return await work(Workplace(pool, cities, Keyring.load(os.environ), SystemClock(), Sequences(pool), Keeper()))
    finally:
        await pool.close()


def _run(work: Awaitable[Any]) -> None:
    """Runs a command; refusals are told in one line."""

    async def running() -> None:
        await work

    try:
        asyncio.run(running())
    except (DispatchError, KeyringMissing) as refusal:
        raise click.ClickException(str(refusal)) from None
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError) as refusal:
        raise click.ClickException(f"this needs a login that is a member of {ROLE}: {refusal}") from None
