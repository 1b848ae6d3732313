"""`dispatch audit`: whether the record is what was written, and the checkpoints that hold it (审计)."""

import asyncio
import os
from datetime import UTC, datetime
from time import perf_counter

import asyncpg
import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from dispatch.audit import chain, checkpoints
from dispatch.audit.chain import Verdict
from dispatch.audit.checkpoints import SQL, Checkpoint
from dispatch.audit.rebuild import Comparison, rebuild
from dispatch.cli_roster import database
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool

SHOWN = 50


@click.group()
def audit() -> None:
    """The record of cases: check it, sign it (审计). DISPATCH_KEYRING_FILE names the keys it was signed with."""


@audit.command("verify")
@click.option("--case", "case_no", help="Only this case (案件编号).")
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="DIGEST",
    help="A digest that was written down elsewhere (外部留存的摘要).",
)
@database
def verify(case_no: str | None, expected: tuple[str, ...], database: str) -> None:
    """Check every chain of events and every checkpoint; exit 1 if anything is not what the service wrote.

    \b
    dispatch audit verify
    dispatch audit verify --case 2026112500000012
    dispatch audit verify --expect 5f0c…e1
    """
    verdict = asyncio.run(_verify(database, _keyring(), case_no, expected))
    click.echo(
        f"{verdict.cases} cases, {verdict.events} events, {verdict.checkpoints} checkpoints; {verdict.unsigned_events} events since the last"
    )
    if case_no is not None and verdict.cases == 0:
        raise click.ClickException(f"there is no case {case_no}")
    if not verdict.faults:
        click.echo("The record is what was written. 记录完整")
        return
    show(verdict)
    raise SystemExit(1)


def show(verdict: Verdict) -> None:
    """The first faults as a table."""
    table = Table("fault", "case", "event", "what")
    for fault in verdict.faults[:SHOWN]:
        table.add_row(fault.kind, fault.case_no or "-", str(fault.seq or "-"), fault.problem)
    Console().print(table)
    more = f", the first {SHOWN} are shown" if len(verdict.faults) > SHOWN else ""
    most = " or more" if len(verdict.faults) == chain.MOST_FAULTS else ""
    click.echo(f"{len(verdict.faults)}{most} faults{more}. 记录被改动")


@audit.command("rebuild")
@click.option("--case", "case_no", help="Only this case (案件编号).")
@database
def rebuild_(case_no: str | None, database: str) -> None:
    """Make every case, task and clock again from events alone and compare them with the tables; changes nothing.

    \b
    dispatch audit rebuild
    dispatch audit rebuild --case 2026112500000012
    """
    began = perf_counter()
    found = asyncio.run(_rebuild(database, case_no))
    if case_no is not None and found.cases == 0:
        raise click.ClickException(f"there is no case {case_no}")
    rate = found.events / max(perf_counter() - began, 1e-3)
    click.echo(
        f"{found.cases} cases, {found.tasks} tasks, {found.clocks} clocks from {found.events} events ({rate:,.0f}/s)"
    )
    click.echo(f"redacted {found.redacted}, incomplete {found.incomplete}, differences {len(found.differences)}")
    if not found.differences:
        return
    table = Table("case", "table", "row", "column", "stands", "rebuilt")
    for each in found.differences[:SHOWN]:
        table.add_row(each.case_no, each.table, each.row, each.column or "-", str(each.stands), str(each.rebuilt))
    Console().print(table)
    raise SystemExit(1)


@audit.command("checkpoint")
@database
def checkpoint(database: str) -> None:
    """Sign the record now, and print the digest to be written down elsewhere. The service does it daily.

    \b
    dispatch audit checkpoint >> /media/write-once/checkpoints.txt
    """
    taken = asyncio.run(_take(database, _keyring()))
    click.echo(f"{taken.number}\t{taken.taken_at.isoformat()}\t{taken.cases}\t{taken.events}\t{taken.digest}")


@audit.command("checkpoints")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@database
def listed(limit: int, database: str) -> None:
    """List the newest checkpoints with their digests; changes nothing."""
    rows = asyncio.run(_listed(database, limit))
    if not rows:
        click.echo("No checkpoint was taken yet. 尚无签封")
    for row in rows:
        click.echo(
            f"{row['number']}\t{row['taken_at'].astimezone(UTC).isoformat()}\t{row['cases']}\t{row['events']}\t{row['digest'].hex()}"
        )


def _keyring() -> Keyring:
    try:
        return Keyring.load(os.environ)
    except KeyringMissing as missing:
        raise click.ClickException(str(missing)) from None


async def _verify(url: str, keyring: Keyring, case_no: str | None, expected: tuple[str, ...]) -> Verdict:
    pool = await open_pool(url, size=1)
    try:
        total = await pool.fetchval(SQL.count_cases, case_no)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            cases = bar.add_task("cases", total=total)
            return await chain.verify(
                pool, keyring, case_no=case_no, expected=expected, done=lambda done: bar.advance(cases, done)
            )
    finally:
        await pool.close()


async def _rebuild(url: str, case_no: str | None) -> Comparison:
    pool = await open_pool(url, size=1)
    try:
        total = await pool.fetchval(SQL.count_cases, case_no)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            cases = bar.add_task("cases", total=total)
            async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
                return await rebuild(connection, case_no=case_no, done=lambda done: bar.advance(cases, done))
    finally:
        await pool.close()


async def _take(url: str, keyring: Keyring) -> Checkpoint:
    pool = await open_pool(url, size=1)
    try:
        async with pool.acquire() as connection, connection.transaction():
            now: datetime = await SystemClock().now(connection)
            return await checkpoints.take(connection, keyring, now)
    finally:
        await pool.close()


async def _listed(url: str, limit: int) -> list[asyncpg.Record]:
    pool = await open_pool(url, size=1)
    try:
        return list(await pool.fetch(SQL.newest_checkpoints, 2**62, limit))
    finally:
        await pool.close()
