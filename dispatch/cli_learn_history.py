"""`dispatch learn history`: the files to learn from and to judge with, from the city's own record."""

import asyncio
import getpass
import os
from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dispatch.city.versions import Cities
from dispatch.cli_roster import database
from dispatch.cli_training import told
from dispatch.learning import history
from dispatch.learning.history import Files, Span
from dispatch.people.errors import KeyringMissing
from dispatch.people.keyring import Keyring
from dispatch.store.access import log_access
from dispatch.store.clock import SystemClock
from dispatch.store.pool import open_pool

ACTION = "history.export"
DAYS = 365
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("history")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the files (输出目录)."
)
@click.option("--since", type=DAY, help=f"First day, local to the city; {DAYS} days ago without it (起始日).")
@click.option("--until", type=DAY, help="First day that is not in it; until now without it (截止日，不含).")
@click.option("--by", default=getpass.getuser, help="Who does it; the account of this machine without it (操作人).")
@database
def history_(out: Path, since: datetime | None, until: datetime | None, by: str, database: str) -> None:
    """Write what the city's own record teaches: texts, judged pairs, handled and located cases (导出自有历史).

    Numbers of people are masked and names taken out; restricted cases, what was said in confidence and what was erased stay out. What people said
    in pairs.csv is what they put together, took apart, or decided on suggestions. The files are still words of people: keep them as
    such. That they were written is put on record. 文件仍含市民诉求内容，请妥善保管；导出会留痕。

    DISPATCH_KEYRING_FILE names the keys of the service.

    \b
    dispatch learn history --out history --since 2026-01-01
    dispatch learn subjects --cases history/texts.csv --others history/texts.csv
    dispatch learn pairs --messages history/messages.csv --pairs history/pairs.csv
    dispatch learn units --cases history/cases.csv --target unit --features category,area,district --time opened_at
    """
    try:
        rows = told(_written(database, out, since, until, by))
    except KeyringMissing as fault:
        raise click.ClickException(str(fault)) from None
    table = Table("file 文件", "rows 行", title=str(out))
    for name, count in rows.items():
        table.add_row(name, str(count))
    Console().print(table)


async def _written(url: str, out: Path, since: datetime | None, until: datetime | None, by: str) -> dict[str, int]:
    keyring, pool = Keyring.load(os.environ), await open_pool(url, size=1)
    try:
        city = (await Cities.open(pool)).current
        now = await SystemClock().now(pool)
        last = until.replace(tzinfo=city.tz) if until else now
        first = since.replace(tzinfo=city.tz) if since else last - timedelta(days=DAYS)
        if first >= last:
            raise click.ClickException("--since must be before --until")
        await log_access(pool, now, by, ACTION, f"{first:%Y-%m-%d}/{last:%Y-%m-%d}", "learning")
        columns = TextColumn("reading 读取 {task.completed} cases 工单"), TimeElapsedColumn()
        with Files(out) as files, Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            async for count in history.write(pool, keyring, city, Span(first, last), files):
                bar.advance(task, count)
                await asyncio.sleep(0)
        return files.rows
    finally:
        await pool.close()
