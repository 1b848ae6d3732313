"""`dispatch indicators`: the figures made again from events, and compared with those that were kept (指标)."""

import asyncio
from time import perf_counter

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch.city.versions import Cities
from dispatch.cli_roster import database
from dispatch.domain.errors import DispatchError
from dispatch.indicators import rebuilding
from dispatch.indicators.keeping import SQL
from dispatch.indicators.rebuilding import Remade
from dispatch.indicators.rules import Rulebook
from dispatch.store.pool import open_pool

SHOWN = 50


@click.group()
def indicators() -> None:
    """Figures of indicators (指标): they follow from events alone and can be made again at any time."""


@indicators.command("rebuild")
@click.option(
    "--check", is_flag=True, help="Compare with what was kept, and change nothing; exit 1 if anything differs (只核对)."
)
@click.option(
    "--dry-run", is_flag=True, help="Make everything anew, say what would change, and change nothing (试运行)."
)
@database
def rebuild(check: bool, dry_run: bool, database: str) -> None:
    """Make all figures anew from events and put them in place of those that are there; the service may run meanwhile (重算指标).

    \b
    dispatch indicators rebuild --check
    dispatch indicators rebuild --dry-run
    dispatch indicators rebuild
    """
    began = perf_counter()
    try:
        found = asyncio.run(_rebuild(database, check=check, dry_run=dry_run))
    except DispatchError as refusal:
        raise click.ClickException(str(refusal)) from None
    rate = found.events / max(perf_counter() - began, 1e-3)
    click.echo(f"{found.cases} cases from {found.events} events ({rate:,.0f}/s)")
    click.echo(f"waiting {found.waiting}, incomplete {found.incomplete}, differences {len(found.differences)}")
    if found.differences:
        _show(found)
    if check and found.differences:
        raise SystemExit(1)
    if not check:
        click.echo("Nothing was changed. 未作更改" if dry_run else "The figures were made anew. 指标已重算")


def _show(found: Remade) -> None:
    table = Table("dimension", "key", "indicator", "day", "stands", "from events")
    for each in found.differences[:SHOWN]:
        table.add_row(
            each.dimension, each.key or "-", each.indicator, each.day.isoformat(), _amounts(each.stands), _amounts(each.made)
        )  # fmt: skip
    Console().print(table)


def _amounts(amounts: list[int | None]) -> str:
    numerator, denominator, excluded, _ = (each or 0 for each in amounts)
    return f"{numerator}/{denominator}, excluded {excluded}"


async def _rebuild(url: str, *, check: bool, dry_run: bool) -> Remade:
    pool = await open_pool(url, size=1)
    try:
        total = await pool.fetchval(SQL.count_cases)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            cases = bar.add_task("cases", total=total)
            async with pool.acquire() as connection:
                book = Rulebook(await Cities.open(connection))
                work = connection.transaction(isolation="repeatable_read" if check else "read_committed")
                await work.start()
                try:
                    make = rebuilding.compare if check else rebuilding.rebuild
                    found = await make(connection, book, done=lambda done: bar.advance(cases, done))
                except BaseException:
                    await work.rollback()
                    raise
                await (work.rollback() if check or dry_run else work.commit())
                return found
    finally:
        await pool.close()
